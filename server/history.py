"""Reading what is stored: a read-only connection to the journal's database, paged with iterators.

A generator steps through SQLite's own cursor, so a page costs its rows and nothing more, and whoever iterates
decides when it has enough. WAL lets any number of readers work beside the one writer, each on the last commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from chat.codec import decode
from chat.fields import MAX_NUMBER
from chat.messages import Hit, Said, Search
from server.words import author_word, room_word


class History:
    """The stored events of rooms, in their wire form."""

    def __init__(self, database: Path | sqlite3.Connection) -> None:
        """Of a database's path, or over a connection that is open already: one to a database in memory."""
        if isinstance(database, sqlite3.Connection):
            self._db = database
        else:
            self._db = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, isolation_level=None)

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

    def search(self, rooms: Iterable[str], search: Search) -> Iterator[Hit]:
        """The messages in `rooms` that `search` describes, the newest first; stop iterating when it is enough."""
        wanted = set(rooms)
        numbers = [number for number, name in self._db.execute("SELECT id, name FROM rooms") if name in wanted]
        first = self._position_at(search.after) if search.after else 0
        end = self._position_at(search.before) if search.before else MAX_NUMBER
        if not numbers:
            return
        found = self._db.execute(
            "SELECT events.body FROM words JOIN events ON events.position = words.rowid "
            "WHERE words MATCH ? AND words.rowid >= ? AND words.rowid < ? ORDER BY words.rowid DESC",
            (_query(search, numbers), first, end),
        )
        for (body,) in found:
            for said in decode(body):
                assert isinstance(said, Said)
                yield Hit(search.label, said.room, said.seq, said.time, said.author, said.text)

    def _position_at(self, moment: float) -> int:
        """The position of the first event at or after `moment`: a binary search, for time grows with position."""
        low, high = 0, self._db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0] + 1
        while low < high:
            middle = (low + high) // 2
            row = self._db.execute("SELECT time FROM events WHERE position >= ? LIMIT 1", (middle,)).fetchone()
            if row is not None and row[0] < moment:
                low = middle + 1
            else:
                high = middle
        return low

    def close(self) -> None:
        self._db.close()


def _query(search: Search, rooms: list[int]) -> str:
    """The search in FTS5's language (sqlite.org/fts5.html, section 3); what people type stands in quotes there."""
    words = [word.replace('"', '""') for word in search.words.replace("\0", " ").split()]
    terms = [f'text : "{word}"' for word in words[:-1]] + [f'text : "{word}" *' for word in words[-1:]]
    terms.append("room : (" + " OR ".join(map(room_word, rooms)) + ")")
    if search.author:
        terms.append(f"author : {author_word(search.author)}")
    return " AND ".join(terms)
