"""Reading what is stored: a read-only connection to the journal's database, paged with iterators.

A generator steps through SQLite's own cursor, so a page costs its rows and nothing more, and whoever iterates
decides when it has enough. WAL lets any number of readers work beside the one writer, each on the last commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path


class History:
    """The stored events of rooms, in their wire form."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)

    def place_of(self, room: str, seq: int) -> int:
        """The position of a room's message number `seq`, or of the last one before it; 0 if there is none."""
        row = self._db.execute(
            "SELECT position FROM events WHERE room = (SELECT id FROM rooms WHERE name = ?) AND seq <= ? "
            "AND kind = 'said' ORDER BY seq DESC LIMIT 1",
            (room, seq),
        ).fetchone()
        return row[0] if row else 0

    def between(self, room: str, after: int, until: int) -> Iterator[tuple[int, bytes]]:
        """(position, wire form) of a room's events with `after` < position <= `until`, in order."""
        return self._db.execute(
            "SELECT position, body FROM events WHERE room = (SELECT id FROM rooms WHERE name = ?) "
            "AND position > ? AND position <= ? ORDER BY position",
            (room, after, until),
        )

    def page(self, room: str, before: int, limit: int) -> list[tuple[int, bytes]]:
        """(number, wire form) of up to `limit` messages before number `before`, the oldest first."""
        rows = self._db.execute(
            "SELECT seq, body FROM events WHERE room = (SELECT id FROM rooms WHERE name = ?) AND seq < ? "
            "AND kind = 'said' ORDER BY seq DESC LIMIT ?",
            (room, before, limit),
        ).fetchall()
        return rows[::-1]

    def close(self) -> None:
        self._db.close()
