"""What can be typed after a slash: each command a straight-line function that runs in a greenlet of its own.

It may `request` something of the server or `ask` the user in the middle of a line, and goes on with the answer; the
UI lives on meanwhile, for the waiting is a switch (client/dialogue.py), not a block.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chat.messages import Command, Join, Leave, RoomList, Rooms, RoomState, Topic, Who
from chat.values import OFFLINE
from client.connection import Incoming, new_label
from client.dialogue import Cancelled
from client.model import Model, RoomView


class Desk(Protocol):
    """What a command works with."""

    model: Model

    def request(self, command: Command) -> list[Incoming]:
        """Send a command and wait for the answer."""
        ...

    def ask(self, question: str) -> str:
        """Wait for the user's answer."""
        ...

    def show(self, *lines: str) -> None:
        """Show lines to the user, until they go on."""
        ...

    def open_room(self, name: str) -> None:
        """Show a room."""
        ...

    def say(self, text: str, *, action: bool = False) -> None:
        """Say something in the room that is shown."""
        ...

    def tell(self, person: str, text: str) -> None:
        """Say something to one person."""
        ...

    def quit(self) -> None:
        """End the program."""
        ...


@dataclass(frozen=True, slots=True)
class Slash:
    """A command: how it is used, what it is for, and what its first argument names."""

    usage: str
    help: str
    run: Callable[[Desk, str], None]
    completes: str = ""
    """"room", "person", "command" or nothing."""


def run(desk: Desk, line: str) -> None:
    """Carry out a line that begins with a slash. Raises `Cancelled` with a sentence if it makes no sense."""
    name, _, rest = line[1:].partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        near = difflib.get_close_matches(name.lower(), COMMANDS, n=1)
        meant = f"did you mean /{near[0]}?" if near else "/help lists all commands."
        raise Cancelled(f"There is no command /{name}; {meant}")
    command.run(desk, rest.strip())


def _join(desk: Desk, rest: str) -> None:
    room = _needed(rest, "/join ROOM").removeprefix("#")
    answers = desk.request(Join(new_label(), room))
    for answer in answers:
        if isinstance(answer, RoomState):
            desk.open_room(answer.room)


def _leave(desk: Desk, rest: str) -> None:
    room = _here(desk)
    name = rest.removeprefix("#") or room.name
    if desk.ask(f"Leave {name} and get no more of its messages? (y/n)").lower() in ("y", "yes"):
        desk.request(Leave(new_label(), name))


def _rooms(desk: Desk, rest: str) -> None:
    for answer in desk.request(Rooms(new_label())):
        if isinstance(answer, RoomList):
            lines = [f"{each.room:<24} {each.members:>5} members  {each.topic}" for each in answer.rooms]
            desk.show(*(lines or ["There is no room yet; /join ROOM makes one."]))


def _msg(desk: Desk, rest: str) -> None:
    person, _, text = rest.partition(" ")
    if not text.strip():
        raise Cancelled("Use it as /msg NAME TEXT.")
    desk.tell(person.removeprefix("@"), text.strip())


def _me(desk: Desk, rest: str) -> None:
    desk.say(_needed(rest, "/me TEXT"), action=True)


def _topic(desk: Desk, rest: str) -> None:
    room = _here(desk)
    if not rest:
        desk.show(f"Topic of {room.title}: {room.topic or 'none'}. /topic TEXT sets it, /topic - removes it.")
        return
    desk.request(Topic(new_label(), room.name, "" if rest == "-" else rest))


def _who(desk: Desk, rest: str) -> None:
    name = rest.removeprefix("#") or _here(desk).name
    for answer in desk.request(Who(new_label(), name)):
        if isinstance(answer, RoomState):
            here = [person.name + (f" ({person.status})" if person.status != "online" else "")
                    for person in answer.members if person.status != OFFLINE]  # fmt: skip
            away = [person.name for person in answer.members if person.status == OFFLINE]
            desk.show(f"{answer.count} in {name}. Here: {', '.join(here) or 'nobody'}",
                      *([f"Not here: {', '.join(away)}"] if away else []))  # fmt: skip


def _help(desk: Desk, rest: str) -> None:
    name = rest.removeprefix("/")
    if name in COMMANDS:
        desk.show(f"{COMMANDS[name].usage}: {COMMANDS[name].help}")
    else:
        desk.show(*(f"{command.usage:<24} {command.help}" for command in COMMANDS.values()), KEYS)


def _quit(desk: Desk, rest: str) -> None:
    desk.quit()


def _needed(rest: str, usage: str) -> str:
    if not rest:
        raise Cancelled(f"Use it as {usage}.")
    return rest


def _here(desk: Desk) -> RoomView:
    room = desk.model.room
    if room is None:
        raise Cancelled("You are in no room; /join ROOM takes you into one.")
    return room


KEYS = (
    "Keys: Tab completes, Alt+Enter new line, PgUp/PgDn scroll, End to the newest, Ctrl+N/Ctrl+P next and previous "
    "room, Alt+1..9 that room, Alt+A next with news, F7/F8 side panes, Esc closes this, Ctrl+C quits."
)

COMMANDS: dict[str, Slash] = {
    "join": Slash("/join ROOM", "go into a room, making it if there is none", _join, "room"),
    "leave": Slash("/leave [ROOM]", "leave a room for good", _leave, "room"),
    "rooms": Slash("/rooms", "list the rooms of this server", _rooms),
    "msg": Slash("/msg NAME TEXT", "say something to one person", _msg, "person"),
    "me": Slash("/me TEXT", "say what you do, as in “* bob waves”", _me),
    "topic": Slash("/topic [TEXT]", "show or set the room's topic; - removes it", _topic),
    "who": Slash("/who [ROOM]", "list who is in a room", _who, "room"),
    "help": Slash("/help [COMMAND]", "list the commands and keys", _help, "command"),
    "quit": Slash("/quit", "end the program; you stay a member of your rooms", _quit),
}
"""Every command, by its name."""
