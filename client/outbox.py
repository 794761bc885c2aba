"""The outbox: what was typed and isn't stored yet, on disk, so that it outlives the link and the client.

A SQLite database in the client's home. A message is put in before it is sent and taken out when its event or its
refusal comes back. Whoever connects under a name sends again all that waits for it, oldest first; the server stores
a label once, so two clients of one name that both send the same waiting message do no harm, and nobody has to know
whose it was. `synchronous=NORMAL` in WAL mode survives a killed client without an fsync for each key press; what a
power cut may take back is only what the user still sees as pending.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from chat.messages import Say, Tell
from client.home import Home

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY,  -- the order in which they were typed
    label TEXT NOT NULL UNIQUE,
    server TEXT NOT NULL,        -- the server's public key, in hexadecimal
    name TEXT NOT NULL,          -- who sends
    room TEXT NOT NULL,          -- to this room, or
    person TEXT NOT NULL,        -- to this person
    text TEXT NOT NULL,
    action INTEGER NOT NULL,
    time REAL NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that isn't stored yet, and when it was typed (Unix seconds)."""

    command: Say | Tell
    time: float


class Outbox:
    """What one person has waiting for one server. Used by one thread; other processes may use the same file."""

    def __init__(self, home: Home, server_key: bytes, name: str) -> None:
        self._db = sqlite3.connect(home.folder / "outbox.db", isolation_level=None, timeout=5)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(_SCHEMA)
        self._whose = (server_key.hex(), name)

    def add(self, command: Say | Tell) -> Waiting:
        """Keep a message before it is sent."""
        room, person = (command.room, "") if isinstance(command, Say) else ("", command.name)
        now = time.time()
        self._db.execute(
            "INSERT OR IGNORE INTO outbox (label, server, name, room, person, text, action, time) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (command.label, *self._whose, room, person, command.text, command.action, now),
        )
        return Waiting(command, now)

    def remove(self, label: str) -> None:
        """It is stored, or refused for good."""
        self._db.execute("DELETE FROM outbox WHERE label = ?", (label,))

    def waiting(self) -> list[Waiting]:
        """All that waits, oldest first."""
        rows = self._db.execute(
            "SELECT label, room, person, text, action, time FROM outbox WHERE server = ? AND name = ? ORDER BY number",
            self._whose,
        )
        return [
            Waiting(
                Tell(label, person, text, bool(action)) if person else Say(label, room, text, bool(action)),
                typed,
            )
            for label, room, person, text, action, typed in rows
        ]

    def close(self) -> None:
        self._db.close()
