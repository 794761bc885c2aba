"""What can be typed after a slash: each command a straight-line function that runs in a greenlet of its own.

It may `request` something of the server or `ask` the user in the middle of a line, and goes on with the answer; the
UI lives on meanwhile, for the waiting is a switch (client/dialogue.py), not a block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chat.messages import Command, Join, Leave, RoomList, Rooms, RoomState, Topic, Who
from chat.values import OFFLINE
from client.connection import Incoming, new_label
from client.dialogue import Cancelled
from client.model import Model
from client.roomview import RoomView
from client.settings import Settings


class Desk(Protocol):
    """What a command works with."""

    model: Model
    settings: Settings

    def request(self, command: Command) -> list[Incoming]:
        """Send a command and wait for the answer."""
        ...

    def send(self, *commands: Command) -> None:
        """Send commands that have no answer."""
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

    def seek(self, room: str, seq: int) -> None:
        """Show a room at one message."""
        ...

    def say(self, text: str, *, action: bool = False) -> None:
        """Say something in the room that is shown."""
        ...

    def tell(self, person: str, text: str) -> str:
        """Say something to one person; gives the direct room's name, once the message is stored."""
        ...

    def set_away(self, away: bool) -> None:
        """Be away, until told otherwise."""
        ...

    def copy(self, text: str) -> None:
        """Put text on the clipboard."""
        ...

    def settings_changed(self) -> None:
        """Keep the settings, and show what they change."""
        ...

    def network(self) -> list[str]:
        """The state of the link, and what came of each interface, in lines; takes some seconds."""
        ...

    def trace(self) -> bool:
        """Begin or stop following the user's own messages; gives which."""
        ...

    def watch_models(self, watched: bool) -> None:
        """Show, or no longer, what server and client do inside."""
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
    """"room", "person", "command", or the words themselves; or nothing."""


GO_TO = "Go to room or person:"


def join(desk: Desk, rest: str) -> None:
    room = needed(rest, "/join ROOM").removeprefix("#")
    for answer in desk.request(Join(new_label(), room)):
        if isinstance(answer, RoomState):
            desk.open_room(answer.room)


def leave(desk: Desk, rest: str) -> None:
    room = named_or_here(desk, rest)
    if desk.ask(f"Leave {room.title} and get no more of its messages? (y/n)").lower() in ("y", "yes"):
        desk.request(Leave(new_label(), room.name))


def rooms(desk: Desk, rest: str) -> None:
    for answer in desk.request(Rooms(new_label())):
        if isinstance(answer, RoomList):
            lines = [f"{each.room:<24} {each.members:>5} members  {each.topic}" for each in answer.rooms]
            desk.show(*(lines or ["There is no room yet; /join ROOM makes one."]))


def msg(desk: Desk, rest: str) -> None:
    person, _, text = needed(rest, "/msg NAME TEXT").partition(" ")
    person = person.removeprefix("@")
    if text.strip():
        desk.open_room(desk.tell(person, text.strip()))
        return
    room = next((room for room in desk.model.rooms.values() if room.direct and room.title == person), None)
    if room is None:
        raise Cancelled(f"You haven't talked with {person} yet; /msg {person} TEXT begins.")
    desk.open_room(room.name)


def me(desk: Desk, rest: str) -> None:
    desk.say(needed(rest, "/me TEXT"), action=True)


def topic(desk: Desk, rest: str) -> None:
    room = here(desk)
    if rest:
        desk.request(Topic(new_label(), room.name, "" if rest == "-" else rest))
    else:
        desk.show(f"Topic of {room.title}: {room.topic or 'none'}. /topic TEXT sets it, /topic - removes it.")


def who(desk: Desk, rest: str) -> None:
    room = named_or_here(desk, rest)
    for answer in desk.request(Who(new_label(), room.name)):
        if isinstance(answer, RoomState):
            present = [person.name + (f" ({person.status})" if person.status != "online" else "")
                       for person in answer.members if person.status != OFFLINE]  # fmt: skip
            absent = [person.name for person in answer.members if person.status == OFFLINE]
            desk.show(f"{answer.count} in {room.title}. Here: {', '.join(present) or 'nobody'}",
                      *([f"Not here: {', '.join(absent)}"] if absent else []))  # fmt: skip


def jump(desk: Desk, rest: str) -> None:
    wanted = (rest or desk.ask(GO_TO)).removeprefix("#").removeprefix("@").casefold()
    if not wanted:
        return
    found = [room for room in desk.model.order() if wanted in room.title]
    if found:
        desk.open_room(min(found, key=lambda room: (room.title != wanted, not room.title.startswith(wanted))).name)
    elif wanted in desk.model.people():
        desk.show(f"You haven't talked with {wanted} yet; /msg {wanted} TEXT begins.")
    else:
        raise Cancelled(f"No room or person of yours has {wanted} in the name; /join {wanted} makes a room.")


def quit_(desk: Desk, rest: str) -> None:
    desk.quit()


# --- what commands have in common ---------------------------------------------------------------------------------


def needed(rest: str, usage: str) -> str:
    """The argument, which has to be there."""
    if not rest:
        raise Cancelled(f"Use it as {usage}.")
    return rest


def here(desk: Desk) -> RoomView:
    """The room that is shown."""
    room = desk.model.room
    if room is None:
        raise Cancelled("You are in no room; /join ROOM takes you into one.")
    return room


def named_or_here(desk: Desk, rest: str) -> RoomView:
    """The room that the user names, or the one that is shown."""
    if not rest:
        return here(desk)
    wanted = rest.removeprefix("#").removeprefix("@")
    for room in desk.model.rooms.values():
        if wanted in (room.title, room.name):
            return room
    raise Cancelled(f"You aren't in {wanted}; /join {wanted} takes you there.")
