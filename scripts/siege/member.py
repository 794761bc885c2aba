"""One client of a chaos run: talks, listens, comes back after every death, and reports to the checker.

For use under gevent's patched sockets. Unlike the real client's loop it takes nothing for granted: what the server
sends must be the next number each time, and it doesn't mend anything itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from chat.messages import Join, Refused, RoomState, Said, Say
from chat.values import Cursor
from client.backoff import delays
from client.config import Address
from client.connection import Connection, new_label
from client.failures import Failure
from client.home import Home
from scripts.siege.checker import Checker, Entry

WINDOW = 3
"""Messages that one client has on their way at most."""


class Member:
    """`persistent` ones send again what wasn't answered; the others give it up: its fate stays unknown."""

    def __init__(
        self,
        name: str,
        room: str,
        home: Home,
        checker: Checker,
        persistent: bool,
        served: Callable[[float], None],
    ) -> None:
        """`served` is called with the time of a login when the first thing said after it is known to be stored."""
        self.name = name
        self.room = room
        self.place = 0
        self.since = 0.0
        """When the connection of now was opened; 0 while there is none."""
        self.waiting: dict[str, Entry] = {}
        """Sent and not answered, by label."""
        self.is_in = Event()
        self._home = home
        self._checker = checker
        self._persistent = persistent
        self._served = served
        self._turn = 0
        self._first_turn = 0
        """The first thing said on this connection."""
        self._resent: set[str] = set()
        self._connection: Connection | None = None
        self._ready = Event()
        self._quiet = self._ended = False

    def live(self, address: Address, pause: float) -> None:
        """Connect, listen until the connection ends, and begin again; until `stop`. Talks every `pause` s or so."""
        talker = gevent.spawn(self._talk, pause)
        pauses = delays()
        while not self._ended:
            try:
                cursors = (Cursor(self.room, self.place),) if self.is_in.is_set() else ()
                connection = Connection.open(address, home=self._home, name=self.name, cursors=cursors)
            except Failure:
                gevent.sleep(next(pauses))
                continue
            pauses = delays()
            with connection:
                self._listen(connection)
        talker.kill()

    def be_quiet(self) -> None:
        """Say nothing new from now on; what is on its way is still seen to."""
        self._quiet = True

    def stop(self) -> None:
        self._ended = True
        if self._connection is not None:
            self._connection.close()

    def _listen(self, connection: Connection) -> None:
        try:
            if not self.is_in.is_set():  # else the cursor of the login brings what was missed
                connection.send(Join(new_label(), self.room, 0))
            self._send_again(connection)
        except OSError:
            return
        self._first_turn = self._turn + 1
        self._connection = connection
        self.since = time.monotonic()
        self._ready.set()
        for message in connection:
            match message:
                case RoomState(room=self.room):
                    self.is_in.set()
                case Said(room=self.room):
                    self._hear(message)
                case Refused(label=label) if label in self.waiting:
                    self._checker.was_refused(self.room, self.waiting.pop(label))
        self._connection = None
        self.since = 0.0
        self._ready.clear()

    def _send_again(self, connection: Connection) -> None:
        if not self._persistent:
            self.waiting.clear()
        for label, entry in self.waiting.items():
            self._resent.add(label)
            connection.send(Say(label, self.room, _text(entry)))

    def _hear(self, said: Said) -> None:
        entry = _entry(said)
        if said.author == self.name:
            self.waiting.pop(said.label, None)
            self._checker.was_stored(self.room, entry, said.seq)
            if entry.turn == self._first_turn:
                self._served(self.since)
            if said.label in self._resent and said.seq != self.place + 1:
                return  # the answer to the second try; the stream brings the message in its own place
        self._checker.was_heard(self.name, self.room, said.seq, entry, self.place)
        self.place = max(self.place, said.seq)

    def _talk(self, pause: float) -> None:
        while True:
            gevent.sleep(random.uniform(0, 2 * pause))
            self._ready.wait()
            connection = self._connection
            if self._quiet or len(self.waiting) >= WINDOW or connection is None:
                continue
            self._turn += 1
            entry = Entry(self.name, self._turn)
            label = new_label()
            self.waiting[label] = entry
            self._checker.has_sent()
            try:
                connection.send(Say(label, self.room, _text(entry)))
            except OSError:
                continue  # it may have left all the same: its fate is unknown until it is answered


def _text(entry: Entry) -> str:
    return f"{entry.author} {entry.turn}"


def _entry(said: Said) -> Entry:
    author, _, turn = said.text.partition(" ")
    return Entry(author if author == said.author else said.text, int(turn) if turn.isdecimal() else -1)
