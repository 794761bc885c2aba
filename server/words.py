"""The index of words: what it gets of each message, and what it hasn't got yet.

FTS5 finds a search's words; the room and the author of a message are words too, so that a search narrowed by them meets
short lists (see the schema in server/database.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.codec import decode
from chat.faults import PeerFault
from chat.messages import Said

Words = tuple[int, str, str, str]
"""A message's position, its text, and its room and author as words."""


def room_word(number: int) -> str:
    """A room as one word."""
    return f"r{number}"


def author_word(name: str) -> str:
    """An author as one word: a name as it is would be cut at its dots and dashes."""
    return "a" + name.encode().hex()


def words_of(position: int, text: str, room: int, author: str) -> Words:
    return position, text, room_word(room), author_word(author)


def index_words(db: sqlite3.Connection, words: Sequence[Words]) -> None:
    """Index messages, within the caller's transaction."""
    db.executemany("INSERT INTO words (rowid, text, room, author) VALUES (?, ?, ?, ?)", words)


def missing_words(db: sqlite3.Connection, most: int) -> list[Words]:
    """The first of the messages behind the last one indexed. Raises `sqlite3.DatabaseError` for a damaged one."""
    rows = db.execute(
        "SELECT position, room, author, body FROM events "
        "WHERE position > coalesce((SELECT rowid FROM words ORDER BY rowid DESC LIMIT 1), 0) "
        "AND kind = 'said' ORDER BY position LIMIT ?",
        (most,),
    )
    words: list[Words] = []
    for position, room, author, body in rows:
        try:
            (said,) = decode(body)
        except (PeerFault, ValueError) as error:
            raise sqlite3.DatabaseError(f"message {position} is damaged") from error
        assert isinstance(said, Said)
        words.append(words_of(position, said.text, room, author))
    return words
