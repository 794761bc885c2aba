"""The UI as plain lines, for screen readers and simple terminals: what comes is printed once, below the last line.

Nothing on the screen is ever changed or moved. Messages of the room that one is in are printed, and those of other
rooms that call for one (`/notify`), with the room's name before them; commands are the same as on the full screen.
"""

from __future__ import annotations

import asyncio
import codecs
import functools
import os
import sys
import threading
from datetime import datetime

from chat.messages import Said
from chat.text import safe_text
from client.config import Options
from client.door import Door, door_into
from client.home import Home
from client.model import Link, Model
from client.roomview import Fate, RoomView
from client.seat import Seat

SHOWN = 10
"""Messages of a room that are printed when it is opened, if fewer are unread."""

PICTURE = 79
"""Columns of the picture that /models prints."""

INDENTED = "\n      "
"""A break within a message: what follows it stands where other messages have their text, not their time."""

STDIN = 0


def run(options: Options, home: Home) -> int:
    """Open the plain UI; returns when the user quits. Raises `Failure` if there is nothing to be connected to."""
    try:
        return asyncio.run(_run(options, home))
    except KeyboardInterrupt:
        return 0  # one way to end it


async def _run(options: Options, home: Home) -> int:
    door = door_into(asyncio.get_running_loop())
    plain = Plain(options, home, door)
    threading.Thread(target=_read, args=(door, plain), name="keyboard", daemon=True).start()
    try:
        await plain.ended.wait()
    finally:
        plain.seat.close()
    if plain.seat.failure is not None:
        raise plain.seat.failure
    return 0


def _read(door: Door, plain: Plain) -> None:
    """The keyboard's thread: it blocks on standard input, and hands each line through the door.

    With `os.read`: a thread that waits in Python's own buffer could hold that buffer's lock when the program ends.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while data := os.read(STDIN, 4096):
        *lines, rest = (rest + decoder.decode(data)).split("\n")
        for line in lines:
            door(functools.partial(plain.typed, line.rstrip("\r")))
    door(plain.end)


class Plain:
    """The `seat.Face` that prints."""

    def __init__(self, options: Options, home: Home, door: Door) -> None:
        self.ended = asyncio.Event()
        self.seat = Seat(options, home, self, door)
        self._printer = Printer(self.seat.model)
        self._asked = ""
        self.seat.connect()

    def typed(self, line: str) -> None:
        self.seat.is_active()
        self.seat.submit(line)
        self.changed()

    # --- the face ---------------------------------------------------------------------------------------------

    def changed(self) -> None:
        for line in self._printer.news():
            print(line)
        self._print_question()
        self._print_models()
        wanted = self._printer.wanted()
        if wanted is not None:
            room, before = wanted
            self.seat.send(*self.seat.model.fetch(room, before))
        self.seat.drawn()
        sys.stdout.flush()

    def opened(self, room: str) -> None:
        self._printer.open(self.seat.model.rooms[room])

    def called(self, said: Said, title: str) -> None:
        print(f"In {safe_text(title)}: {line_of(said)}")

    def at_end(self) -> bool:
        return self.seat.model.room is not None

    def seek(self, seq: int) -> None:
        room = self.seat.model.room
        if seq and room is not None:
            self._printer.go_to(room, seq)

    def asking(self, begins: bool) -> None:
        """The question is printed with the next change; the line that is typed then is the answer."""

    def restyle(self) -> None:
        """There are no colours."""

    def write(self, sequence: str) -> None:
        if sys.stdout.isatty():
            sys.stdout.write(sequence)

    def end(self) -> None:
        self.ended.set()

    # --- once each --------------------------------------------------------------------------------------------

    def _print_question(self) -> None:
        question = self.seat.dialogues.question
        if question and question != self._asked:
            print(safe_text(question))
        self._asked = question

    def _print_models(self) -> None:
        """The picture of /models as soon as it is there, and not again."""
        insight = self.seat.insight
        if insight is not None and insight.server():
            print("\n".join(insight.lines(PICTURE)))
            self.seat.watch_models(False)


class Printer:
    """What has been printed of a model, and what is still to be. Pure: it gives lines, and prints none."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._next: dict[str, int] = {}
        """By room, the number of the message to be printed next."""
        self._lines: list[str] = []
        self._link = ""
        self._notices: list[str] = []
        self._refused: set[str] = set()

    def open(self, room: RoomView) -> None:
        """The user goes into a room: its head, and what they missed."""
        topic = f": {room.topic}" if room.topic else ""
        kind = "Direct messages with" if room.direct else "Room"
        self._lines.append(safe_text(f"{kind} {room.title}{topic}; {room.count} here, {room.unread} unread."))
        first = max(1, room.last - SHOWN + 1)
        if room.stopped is not None:
            first = min(first, room.stopped + 1)
        self._next[room.name] = max(first, room.cleared + 1)

    def go_to(self, room: RoomView, seq: int) -> None:
        """Print again from some messages before this one."""
        self._next[room.name] = max(1, seq - SHOWN // 2)

    def news(self) -> list[str]:
        """The lines to print now."""
        lines, self._lines = self._lines, []
        lines += self._of_link() + self._of_commands()
        room = self._model.room
        if room is not None:
            lines += self._of_room(room) + self._of_refusals(room)
        return lines

    def wanted(self) -> tuple[RoomView, int] | None:
        """The room of which messages are missing that are to be printed, and the number before which they stand."""
        room = self._model.room
        following = self._next.get(room.name, 0) if room is not None else 0
        if room is None or not following or following > room.last or room.said(following) is not None:
            return None
        return room, min(room.last + 1, following + 100)

    def _of_link(self) -> list[str]:
        model = self._model
        match model.link:
            case Link.ONLINE:
                state = f"Connected to {model.server} as {model.me}."
            case Link.WAITING:
                state = f"Offline, trying again: {model.trouble}"
            case _:
                return []
        changed, self._link = state != self._link, state
        return [safe_text(state)] if changed else []

    def _of_commands(self) -> list[str]:
        notices, self._notices = self._notices, self._model.notices
        return [safe_text(line) for line in self._notices] if self._notices is not notices else []

    def _of_room(self, room: RoomView) -> list[str]:
        lines = []
        following = self._next.setdefault(room.name, room.last + 1)
        while (said := room.said(following)) is not None:
            if said.author not in self._model.ignored:
                lines.append(line_of(said))
            following += 1
        self._next[room.name] = following
        return lines

    def _of_refusals(self, room: RoomView) -> list[str]:
        refused = [own for own in room.own if own.fate is Fate.REFUSED and own.command.label not in self._refused]
        self._refused |= {own.command.label for own in refused}
        return [safe_text(f"Not sent: {own.command.text} ({own.reason})") for own in refused]


def line_of(said: Said) -> str:
    """A message as one line; its own further lines are indented, so that none looks like another message."""
    clock = f"{datetime.fromtimestamp(said.time):%H:%M}"
    text = safe_text(said.text, keep="\n").replace("\n", INDENTED)
    return f"{clock} {safe_text(said.author)} {text}" if said.action else f"{clock} {safe_text(said.author)}: {text}"
