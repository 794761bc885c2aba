"""Every command, by its name: how it is used, what it does, what its argument names."""

from __future__ import annotations

import difflib

from client import commands, own_commands, searching
from client.commands import Desk, Slash
from client.dialogue import Cancelled
from client.keys import ACTIONS, FIXED
from client.settings import NOTIFY
from client.theme import THEMES


def run(desk: Desk, line: str) -> None:
    """Carry out a line that begins with a slash. Raises `Cancelled` with a sentence if it makes no sense."""
    name, _, rest = line[1:].partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        near = difflib.get_close_matches(name.lower(), COMMANDS, n=1)
        meant = f"did you mean /{near[0]}?" if near else "/help lists all commands."
        raise Cancelled(f"There is no command /{name}; {meant}")
    command.run(desk, rest.strip())


def _help(desk: Desk, rest: str) -> None:
    name = rest.removeprefix("/")
    if name in COMMANDS:
        desk.show(f"{COMMANDS[name].usage}: {COMMANDS[name].help}")
    else:
        desk.show(*overview())


def overview() -> list[str]:
    """All commands and keys, a line each."""
    keys = [f"{each.shown:<24} {each.help}" for each in ACTIONS.values()]
    return [f"{each.usage:<24} {each.help}" for each in COMMANDS.values()] + keys + list(FIXED)


COMMANDS: dict[str, Slash] = {
    "join": Slash("/join ROOM", "go into a room, making it if there is none", commands.join, "room"),
    "leave": Slash("/leave [ROOM]", "leave a room for good", commands.leave, "room"),
    "rooms": Slash("/rooms", "list the rooms of this server", commands.rooms),
    "msg": Slash("/msg NAME TEXT", "say something to one person", commands.msg, "person"),
    "me": Slash("/me TEXT", "say what you do, as in “* bob waves”", commands.me),
    "topic": Slash("/topic [TEXT]", "show or set the room's topic; - removes it", commands.topic),
    "who": Slash("/who [ROOM]", "list who is in a room", commands.who, "room"),
    "whois": Slash("/whois NAME", "what is known about somebody", own_commands.whois, "person"),
    "away": Slash("/away", "be shown as away until /back", own_commands.away),
    "back": Slash("/back", "be here again", own_commands.back),
    "ignore": Slash("/ignore [NAME]", "hide somebody's messages, or show them again", own_commands.ignore, "person"),
    "jump": Slash("/jump NAME", "go to a room or person by a part of the name", commands.jump, "room"),
    "search": Slash("/search WORDS", "in all rooms; from:NAME in:ROOM after:DATE before:DATE", searching.search),
    "find": Slash("/find WORDS", "search in this room", searching.find),
    "mute": Slash("/mute [ROOM]", "let a room call no more for you, or again", own_commands.mute, "room"),
    "notify": Slash("/notify [WHAT]", f"what rings: {', '.join(NOTIFY)}", own_commands.notify, " ".join(NOTIFY)),
    "theme": Slash("/theme NAME", f"the colours: {', '.join(THEMES)}", own_commands.theme, " ".join(THEMES)),
    "copy": Slash("/copy [N]", "put the last message, or the last N, on the clipboard", own_commands.copy),
    "clear": Slash("/clear", "empty the screen; PgUp brings all back", own_commands.clear),
    "set": Slash("/set [NAME VALUE]", "show or change settings", own_commands.set_, "theme notify bell desktop"),
    "models": Slash("/models", "every concurrency model at work, in the server and here (F2)", own_commands.models),
    "trace": Slash("/trace", "follow each of your messages on its way, or stop that", own_commands.trace),
    "net": Slash("/net", "the state of the link, and what every network interface says", own_commands.net),
    "help": Slash("/help [COMMAND]", "list the commands and keys", _help, "command"),
    "quit": Slash("/quit", "end the program; you stay a member of your rooms", commands.quit_),
}
