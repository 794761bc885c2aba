"""The database file: its schema, its version, and whether it can be used, which is found out without touching it.

WAL, so that readers work beside the one writer; `synchronous=FULL`, so that a commit is on disk when it returns.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

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

MAX_CHECKED = 64 * 1024 * 1024
"""Bytes of a database that are all checked at a start; of a larger one only the tables that the start reads."""

_HEADER = 100

Connect = Callable[..., sqlite3.Connection]
"""Opens the database, as `sqlite3.connect` does; a test passes one that loses what wasn't synced."""


TROUBLE = (sqlite3.Error, OSError)
"""What using a database raises if it is damaged, or its disk."""


class UnusableStore(Exception):
    """The database can't be used at all; it was left as it is."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(
            f"The database {path} can't be used ({error}); restore it from a backup or name another folder with --data."
        )


class NewerStore(UnusableStore):
    """The database was written by a newer server."""

    def __init__(self, path: Path, version: int) -> None:
        Exception.__init__(
            self,
            f"The database {path} is of version {version} and this server knows {SCHEMA_VERSION}; update the server.",
        )


def hold(path: Path) -> int:
    """Be the only writer of the database at `path`, for as long as this process lives.

    Waits for the journal of a server that was killed a moment ago: it may be in the middle of a commit.
    """
    lock = os.open(path.with_name("writer"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def open_database(path: Path, connect: Connect) -> sqlite3.Connection:
    """The database at `path`, made if there is none. Raises sqlite3's errors."""
    # Transactions are begun and ended by hand. The journal has one thread; who shares a store among several holds
    # a lock around each call (server/models/), so Python's check for a single one would only be in the way.
    db = connect(path, isolation_level=None, check_same_thread=False)
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        # Before WAL: so the version stands in the file's own header from the start, where `examine` looks for it.
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def examine(path: Path) -> None:
    """Raise `NewerStore`, sqlite3's errors or OSError for a file that this server must leave alone.

    Without touching it: merely opening a database in WAL mode makes two files beside it, and closing it again may
    write to it. So the header is read by hand (sqlite.org/fileformat.html, 1.3), and the rest through a connection
    that takes the file for unchangeable. If there is a log (the server was killed) the file alone is an older state,
    maybe from the middle of a checkpoint, and only its header can be judged; if there is a rollback journal (killed
    while it made the database) not even that.
    """
    header = _header(path)
    if not header or _waits(path, "-journal"):
        return  # a new one
    if header[:16] != b"SQLite format 3\0" or len(header) < _HEADER:
        raise sqlite3.DatabaseError("file is not a database")
    version = int.from_bytes(header[60:64], "big")
    if version > SCHEMA_VERSION:
        raise NewerStore(path, version)
    if _waits(path, "-wal"):
        return
    size, page_size, pages = path.stat().st_size, int.from_bytes(header[16:18], "big"), header[28:32]
    if size < int.from_bytes(pages, "big") * (65_536 if page_size == 1 else page_size):
        raise sqlite3.DatabaseError("its end is missing")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        for scope in ("people", "rooms", "members", "marks") if size > MAX_CHECKED else ("1",):
            (verdict,) = db.execute(f"PRAGMA quick_check({scope})").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict.splitlines()[-1])


def _waits(path: Path, suffix: str) -> bool:
    """Whether there is something in the file beside the database that SQLite will bring into it."""
    beside = path.with_name(path.name + suffix)
    return beside.exists() and beside.stat().st_size > 0


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER)
    except FileNotFoundError:
        return b""
