"""The journal's side of the database: the only place that writes, one transaction a batch.

SQLite in WAL mode with `synchronous=FULL`: a commit returns after the fsync of the log, so what was committed
survives a power cut (NORMAL syncs at checkpoints only, and may lose the last commits; sqlite.org/pragma.html).
The tables people, rooms and members are what the events have made of them, kept in the same transaction, so that
a start reads the state and not ten million events.

The index of words is the exception: nobody waits for it, and it would be half of a small commit. So it follows in
transactions of its own, when enough has come or a search is about to ask; what a kill or a power cut leaves out, the
next start finds in the events.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chat.codec import encode
from chat.messages import Event, Joined, Left, Said, TopicSet
from chat.rooms import Claimed, Read, Room, State, apply
from server.database import TROUBLE, Connect, UnusableStore, examine, open_database
from server.words import Words, index_words, missing_words, words_of

_OURS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InternalError, sqlite3.DataError)
"""What the disk isn't to blame for: a bug, which ends the process."""

_KIND = {Said: "said", Joined: "joined", Left: "left", TopicSet: "topic_set"}


MAX_UNINDEXED = 512
"""Messages that the index of words may be behind, before the next commit waits for it."""


class StoreTrouble(Exception):
    """The disk doesn't take what it should: nothing of the batch was kept. The sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event with its place in the journal, and as it goes over the wire; for the server's own, 0 and nothing."""

    event: Event
    position: int
    body: bytes


class Store:
    """The open database. `commits`, `events` and `commit_ns` count what its commits came to."""

    def __init__(self, path: Path, connect: Connect = sqlite3.connect) -> None:
        self.commits = self.events = self.commit_ns = 0
        try:
            examine(path)
            self._db = open_database(path, connect)
            self._next: int = self._db.execute("SELECT coalesce(max(position), 0) + 1 FROM events").fetchone()[0]
            self._room_ids = dict(self._db.execute("SELECT name, id FROM rooms"))
            self._unindexed: list[Words] = []
            self._catch_up()
        except TROUBLE as error:
            raise UnusableStore(path, error) from error

    def load(self) -> State:
        """The state that all events so far have made."""
        state = State()
        for name, key, since in self._db.execute("SELECT name, key, since FROM people"):
            apply(state, Claimed(since, name, key))
        rooms: dict[int, Room] = {}
        for number, name, topic, last in self._db.execute("SELECT id, name, topic, last FROM rooms"):
            rooms[number] = state.rooms[name] = Room(name, topic, last)
        for number, name in self._db.execute("SELECT room, name FROM members"):
            rooms[number].members[name] = None
            state.rooms_of.setdefault(name, {})[rooms[number].name] = None
        for number, name, seq in self._db.execute("SELECT room, name, seq FROM marks"):
            state.read[name, rooms[number].name] = seq
        return state

    def find(self, author: str, label: str) -> bytes | None:
        """The wire form of the event that this author's label has led to, if it has.

        Until `commit` the database stays open for reading: that takes four system calls, which a batch makes once.
        """
        if not self._db.in_transaction:
            self._db.execute("BEGIN")
        row: tuple[bytes] | None = self._db.execute(
            "SELECT body FROM events WHERE author = ? AND label = ?", (author, label)
        ).fetchone()
        return row[0] if row else None

    def place(self, events: Iterable[Event]) -> list[Stored]:
        """Give each event its position and wire form. They count once `commit` has taken them."""
        placed: list[Stored] = []
        for event in events:
            if isinstance(event, (Claimed, Read)):
                placed.append(Stored(event, 0, b""))
            else:
                placed.append(Stored(event, self._next, encode(event)))
                self._next += 1
        return placed

    @property
    def position(self) -> int:
        """The position of the last event placed."""
        return self._next - 1

    def commit(self, batch: list[Stored]) -> None:
        """End a batch: keep its events, all or none, on disk when this returns. Raises `StoreTrouble`."""
        if not batch:
            self._leave()
            return
        if len(self._unindexed) >= MAX_UNINDEXED:
            self.index()
        begun = time.perf_counter_ns()
        with self._transaction():
            unindexed = self._write(batch)
        self._unindexed += unindexed
        self.commits += 1
        self.events += len(batch)
        self.commit_ns += time.perf_counter_ns() - begun

    @property
    def unindexed(self) -> int:
        """Messages whose words a search wouldn't find yet."""
        return len(self._unindexed)

    def index(self) -> None:
        """Bring the index of words up to the last commit. Raises `StoreTrouble`; nothing is forgotten then."""
        if self._unindexed:
            self._leave()
            with self._transaction():
                index_words(self._db, self._unindexed)
            self._unindexed = []

    def close(self) -> None:
        with contextlib.suppress(StoreTrouble):  # the next start does it
            self.index()
        self._db.close()

    def _catch_up(self) -> None:
        """Index what was committed and then not indexed any more. Raises sqlite3's errors for a damaged database."""
        while missing := missing_words(self._db, MAX_UNINDEXED):
            self._unindexed = missing
            try:
                self.index()
            except StoreTrouble as trouble:
                if isinstance(trouble.__cause__, sqlite3.OperationalError):
                    return  # no room, or a disk that only reads: the next commit says so
                raise sqlite3.DatabaseError(str(trouble.__cause__)) from trouble

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is written within, or nothing and `StoreTrouble` if the disk is to blame."""
        try:
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if isinstance(error, _OURS):
                raise
            self._roll_back()
            raise StoreTrouble(f"The server can't store messages now ({error}); tell whoever runs it.") from error

    def _write(self, batch: list[Stored]) -> list[Words]:
        """Write the events, and all that they change; gives the words that are still to be indexed."""
        rows = []
        unindexed: list[Words] = []
        last: dict[str, int] = {}
        for stored in batch:
            match stored.event:
                case Claimed(since, name, key):
                    self._db.execute("INSERT INTO people VALUES (?, ?, ?)", (name, key, since))
                    continue
                case Read(room, seq, name):
                    self._db.execute("REPLACE INTO marks VALUES (?, ?, ?)", (self._room_id(room), name, seq))
                    continue
                case Said(room, seq, author=author, text=text):
                    last[room] = seq
                    unindexed.append(words_of(stored.position, text, self._room_id(room), author))
                case Joined(room, author=author):
                    member = (self._room_id(room), author)
                    self._db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", member)
                case Left(room, author=author):
                    member = (self._room_id(room), author)
                    self._db.execute("DELETE FROM members WHERE room = ? AND name = ?", member)
                    self._db.execute("DELETE FROM marks WHERE room = ? AND name = ?", member)
                case TopicSet(room, topic=topic):
                    self._db.execute("UPDATE rooms SET topic = ? WHERE name = ?", (topic, room))
            rows.append(self._row(stored))
        self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.executemany("UPDATE rooms SET last = ? WHERE name = ?", [(seq, room) for room, seq in last.items()])
        return unindexed

    def _row(self, stored: Stored) -> tuple[object, ...]:
        event = stored.event
        assert isinstance(event, (Said, Joined, Left, TopicSet))
        room = self._room_id(event.room)
        kind = _KIND[type(event)]
        return (
            stored.position,
            room,
            event.seq,
            kind,
            event.author,
            event.label or None,
            event.time,
            stored.body,
        )

    def _room_id(self, room: str) -> int:
        number = self._room_ids.get(room)
        if number is None:
            number = self._db.execute("INSERT INTO rooms VALUES (NULL, ?, '', 0)", (room,)).lastrowid
            assert number is not None
            self._room_ids[room] = number
        return number

    def _leave(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _roll_back(self) -> None:
        self._leave()
        self._next = self._db.execute("SELECT coalesce(max(position), 0) + 1 FROM events").fetchone()[0]
        self._room_ids = dict(self._db.execute("SELECT name, id FROM rooms"))
