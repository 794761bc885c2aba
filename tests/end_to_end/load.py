"""Load that checks itself, after Jepsen's example: unique values, every send classified, every stream compared.

    with Load(server.address, tmp_path / "people", rooms=2) as load:
        kill(...)
        load.finish()     # stop sending, wait until all is known and heard, compare; fails with what is wrong

In each room `writers` write and all of the room's people hear. Everybody comes back by themselves, resumes after the
last number they heard, and holds the server to the letter: the next number heard is the next number.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from chat.messages import Goodbye, Join, Refused, RoomState, Said, Say
from chat.values import Cursor
from client import failures
from client.connection import Connection, Incoming, new_label
from client.home import Home
from tests.waiting import UNIT, wait_for

PAUSE = 0.05
"""Seconds until a lost connection is tried again."""

WINDOW = 32
"""Messages that one writer has on the way, at most."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as one person heard it; `after` is the seconds since it was sent."""

    seq: int
    author: str
    text: str
    after: float


class Person:
    """One client on two threads: one listens and comes back, the other writes if `interval` isn't None."""

    def __init__(self, load: Load, name: str, room: str, interval: float | None) -> None:
        self.name, self.room, self.interval = name, room, interval
        self.heard: list[Heard] = []
        self.faults: list[str] = []
        self.stored: dict[str, int] = {}
        """Numbers by label, as the server has acknowledged them."""
        self.refused: dict[str, Refused] = {}
        self.texts: dict[str, str] = {}
        """What was sent, by label, in order."""
        self.goodbyes: list[Goodbye] = []
        self.connections = 0
        self.joined = threading.Event()
        self._load = load
        self._home = Home(load.folder / name)
        self._unanswered: dict[str, Say] = {}
        self._resent: set[str] = set()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self.threads = [threading.Thread(target=self._listen, name=f"{name} listens", daemon=True)]
        if interval is not None:
            self.threads.append(threading.Thread(target=self._write, name=f"{name} writes", daemon=True))

    @property
    def unknown(self) -> set[str]:
        """Labels of what was sent and neither stored nor refused, as far as the writer knows."""
        return set(self.texts) - set(self.stored) - set(self.refused)

    @property
    def last(self) -> int:
        return self.heard[-1].seq if self.heard else 0

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _listen(self) -> None:
        while not self._load.ended.is_set():
            cursors = (Cursor(self.room, self.last),) if self.joined.is_set() else ()
            try:
                connection = Connection.open(self._load.address, home=self._home, name=self.name, cursors=cursors)
            except failures.Failure:
                self._load.ended.wait(PAUSE)
                continue
            self.connections += 1
            self._connection = connection
            if not self.joined.is_set():
                self._send_quietly(connection, Join(new_label(), self.room, 0))
            for message in connection:
                self._hear(connection, message)
            self._load.lost.set()

    def _hear(self, connection: Connection, message: Incoming) -> None:
        match message:
            case RoomState():
                self.joined.set()
                with self._lock:  # what is on the way again goes before anything new
                    self._resent |= set(self._unanswered)
                    self._send_quietly(connection, *self._unanswered.values())
            case Said():
                self._hear_said(message)
            case Refused():
                self._settle(message.label)
                self.refused[message.label] = message
            case Goodbye():
                self.goodbyes.append(message)

    def _hear_said(self, said: Said) -> None:
        if said.author == self.name:
            self._settle(said.label)
            if self.stored.setdefault(said.label, said.seq) != said.seq:
                self.faults.append(f"{said.label} is #{self.stored[said.label]} and #{said.seq}")
        if said.seq == self.last + 1:
            sent = float(said.text.split()[2])
            self.heard.append(Heard(said.seq, said.author, said.text, time.monotonic() - sent))
        elif said.label not in self._resent:  # what is sent again is answered again, whenever the stream brings it
            self.faults.append(f"#{said.seq} after #{self.last} on connection {self.connections}")

    def _settle(self, label: str) -> None:
        with self._lock:
            self._unanswered.pop(label, None)

    def _write(self) -> None:
        assert self.interval is not None
        self.joined.wait()
        number = 0
        while not self._load.written.is_set():
            if len(self._unanswered) < WINDOW:
                number += 1
                text = f"{self.name} {number} {time.monotonic()} {self._load.padding}"
                say = Say(new_label(), self.room, text)
                with self._lock:
                    self.texts[say.label] = text
                    self._unanswered[say.label] = say
                    if self._connection is not None:
                        self._send_quietly(self._connection, say)
            self._load.written.wait(self.interval or 0.0001)

    @staticmethod
    def _send_quietly(connection: Connection, *commands: Join | Say) -> None:
        try:
            if commands:
                connection.send(*commands)
        except OSError:
            pass  # the listening thread is about to notice, and comes back


class Load:
    """People in rooms, from `with` on; `size` is what each message has in bytes, about."""

    def __init__(
        self,
        address: tuple[str, int],
        folder: Path,
        *,
        rooms: int = 1,
        writers: int = 2,
        listeners: int = 4,
        interval: float = 0.01,
        size: int = 100,
    ) -> None:
        self.address, self.folder = address, folder
        self.padding = "x" * max(0, size - 40)
        self.written, self.ended, self.lost = threading.Event(), threading.Event(), threading.Event()
        self.people = [
            Person(self, f"p{room}-{number}", f"room{room}", interval if number < writers else None)
            for room in range(rooms)
            for number in range(writers + listeners)
        ]

    def __enter__(self) -> Self:
        for person in self.people:
            for thread in person.threads:
                thread.start()
        wait_for(lambda: all(person.joined.is_set() for person in self.people), "everybody is in", units=30)
        return self

    def __exit__(self, *_: object) -> None:
        self.written.set()
        self.ended.set()
        for person in self.people:
            person.hang_up()
        for person in self.people:
            for thread in person.threads:
                thread.join(10 * UNIT)

    @property
    def stored(self) -> int:
        """How many messages their writers know to be stored."""
        return sum(len(person.stored) for person in self.people)

    @property
    def connections(self) -> int:
        """How often anybody has connected."""
        return sum(person.connections for person in self.people)

    def goes_on(self, units: float = 10) -> float:
        """Wait until somebody in each room has heard something that was sent from now on; the seconds it took."""
        begun = time.monotonic()
        for room in {person.room for person in self.people}:
            wait_for(lambda room=room: self._heard_since(room, begun), f"{room} goes on", units)  # type: ignore[misc]
        return time.monotonic() - begun

    def finish(self, units: float = 30) -> None:
        """Stop writing, wait until every answer is known and everybody has heard everything, and compare."""
        self.written.set()
        wait_for(lambda: not any(person._unanswered for person in self.people), "every send has an answer", units)
        wait_for(lambda: all(person.last == self._newest(person.room) for person in self.people), "all is heard", units)
        self.check()

    def check(self) -> None:
        """Compare what was sent, answered and heard; fails with every fault found."""
        faults = [f"{person.name}: {fault}" for person in self.people for fault in person.faults]
        streams: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for person in self.people:
            stream = [(heard.seq, heard.author, heard.text) for heard in person.heard]
            longest = streams[person.room]
            if stream[: len(longest)] != longest[: len(stream)]:
                faults.append(f"{person.name} heard another order than others in {person.room}")
            streams[person.room] = max(stream, longest, key=len)
        for person in self.people:
            faults += _compare(person, streams[person.room])
        assert not faults, "\n".join(faults[:20])

    def _heard_since(self, room: str, begun: float) -> bool:
        return any(
            float(person.heard[-1].text.split()[2]) > begun
            for person in self.people
            if person.room == room and person.heard
        )

    def _newest(self, room: str) -> int:
        return max(person.last for person in self.people if person.room == room)


def _compare(person: Person, stream: list[tuple[int, str, str]]) -> list[str]:
    """What is wrong with the fate of one person's messages in the room's stream."""
    faults = []
    mine = [(seq, text) for seq, author, text in stream if author == person.name]
    number_of = {text: seq for seq, text in mine}
    if len(number_of) != len(mine):
        faults.append(f"{person.name}: something is there twice")
    order = [number_of[text] for text in person.texts.values() if text in number_of]
    if order != sorted(order):
        faults.append(f"{person.name}: not in the order of writing")
    for label, text in person.texts.items():
        if label in person.stored and number_of.get(text) != person.stored[label]:
            faults.append(f"{person.name}: stored #{person.stored[label]} isn't there: {text[:20]}")
        if label in person.refused and text in number_of:
            faults.append(f"{person.name}: refused, and there as #{number_of[text]}")
    return faults
