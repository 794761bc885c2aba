"""The journal's side of the database: the only place that writes, one transaction a batch.

SQLite in WAL mode with `synchronous=FULL`: a commit returns after the fsync of the log, so what was committed
survives a power cut (NORMAL syncs at checkpoints only, and may lose the last commits; sqlite.org/pragma.html).
The tables people, rooms and members are what the events have made of them, kept in the same transaction, so that
a start reads the state and not ten million events.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chat.codec import encode
from chat.messages import Event, Joined, Left, Said, TopicSet
from chat.rooms import Claimed, Read, Room, State, apply

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE people (name TEXT PRIMARY KEY, key BLOB NOT NULL, since REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, last INTEGER NOT NULL);
CREATE TABLE members (room INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (room, name)) WITHOUT ROWID;
CREATE TABLE marks (  -- how far each member has read
    room INTEGER NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (room, name)
) WITHOUT ROWID;
CREATE TABLE events (
    position INTEGER PRIMARY KEY,  -- one order over all rooms
    room INTEGER NOT NULL REFERENCES rooms (id),
    seq INTEGER NOT NULL,          -- a message's own number; for other events the next message's
    kind TEXT NOT NULL,
    author TEXT NOT NULL,
    label TEXT,                    -- NULL where the author didn't ask for it
    time REAL NOT NULL,
    body BLOB NOT NULL             -- as it goes over the wire
);
CREATE UNIQUE INDEX once ON events (author, label);
CREATE UNIQUE INDEX numbered ON events (room, seq) WHERE kind = 'said';
CREATE INDEX in_order ON events (room, position);
-- The words of the messages, by position. Room and author are indexed as words too, so that a search narrowed by
-- them meets short lists instead of joining a million rows; the text itself isn't kept twice (content='').
CREATE VIRTUAL TABLE words USING fts5 (text, room, author, content='', tokenize='unicode61', prefix='2 3');
"""


def room_word(number: int) -> str:
    """A room as one word of the index."""
    return f"r{number}"


def author_word(name: str) -> str:
    """An author as one word of the index: a name as it is would be cut at its dots and dashes."""
    return "a" + name.encode().hex()


_KIND = {Said: "said", Joined: "joined", Left: "left", TopicSet: "topic_set"}


class StoreTrouble(Exception):
    """The disk doesn't take what it should: nothing of the batch was kept. The sentence says what to do."""


class UnusableStore(Exception):
    """The database can't be used at all; it was left as it is."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event with its place in the journal, and as it goes over the wire; for the server's own, 0 and nothing."""

    event: Event
    position: int
    body: bytes


class Store:
    """The open database. `commits`, `events` and `commit_ns` count what its commits came to."""

    def __init__(self, path: Path) -> None:
        self.commits = self.events = self.commit_ns = 0
        try:
            self._db = _open(path)
            self._next: int = self._db.execute("SELECT coalesce(max(position), 0) + 1 FROM events").fetchone()[0]
            self._room_ids = dict(self._db.execute("SELECT name, id FROM rooms"))
        except sqlite3.Error as error:
            raise UnusableStore(
                f"The database {path} can't be used ({error}); restore it from a backup or name another folder."
            ) from error

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
        """The wire form of the event that this author's label has led to, if it has."""
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
        """Keep the events of a batch, all or none, on disk when this returns. Raises `StoreTrouble`."""
        begun = time.perf_counter_ns()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._write(batch)
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._roll_back()
            raise StoreTrouble(f"The server can't store messages now ({error}); tell whoever runs it.") from error
        self.commits += 1
        self.events += len(batch)
        self.commit_ns += time.perf_counter_ns() - begun

    def close(self) -> None:
        self._db.close()

    def _write(self, batch: list[Stored]) -> None:
        rows = []
        words = []
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
                    words.append((stored.position, text, room_word(self._room_id(room)), author_word(author)))
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
        self._db.executemany("INSERT INTO words (rowid, text, room, author) VALUES (?, ?, ?, ?)", words)
        self._db.executemany("UPDATE rooms SET last = ? WHERE name = ?", [(seq, room) for room, seq in last.items()])

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

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._next = self._db.execute("SELECT coalesce(max(position), 0) + 1 FROM events").fetchone()[0]
        self._room_ids = dict(self._db.execute("SELECT name, id FROM rooms"))


def _open(path: Path) -> sqlite3.Connection:
    # Transactions are begun and ended by hand. The journal has one thread; who shares a store among several holds
    # a lock around each call (server/models/), so Python's check for a single one would only be in the way.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        db.close()
        raise UnusableStore(
            f"The database {path} is of version {version} and this server knows {SCHEMA_VERSION}; update the server."
        )
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    if version == 0:
        db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    return db
