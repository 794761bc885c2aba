"""Searching the store: what is found, in which order, and that what people type is never FTS5's language."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chat.messages import Join, Login, Mark, Say, Search
from server import store as store_module
from server.clerk import Clerk
from server.database import UnusableStore
from server.history import History
from server.parcels import Arrived, Asked
from server.store import Store

TEXTS = [
    ("alice", "ops", "the printer is on fire"),
    ("bob", "ops", "which printer"),
    ("alice", "dev", "printers are a mistake"),
    ("bob", "dev", "Größe matters, naïve café"),
]


@pytest.fixture
def history(tmp_path: Path) -> History:
    store = Store(tmp_path / "chat.db")
    clerk = Clerk(store, "here")
    for connection, name in enumerate(("alice", "bob")):
        clerk.work([Arrived(connection, name.encode(), b""), Asked(connection, 0.0, Login(name))])
        clerk.work([Asked(connection, 0.0, Join(f"j{room}", room)) for room in ("ops", "dev")])
    for moment, (author, room, text) in enumerate(TEXTS, start=1):
        clerk.work([Asked(author == "bob", float(moment), Say(f"m{moment}", room, text))])
    store.index()
    return History(tmp_path / "chat.db")


def found(history: History, words: str, rooms: tuple[str, ...] = ("ops", "dev"), **narrowed: object) -> list[str]:
    return [hit.text for hit in history.search(rooms, Search("s", words, **narrowed))]  # type: ignore[arg-type]


def test_newest_first_and_the_last_word_may_be_a_beginning(history: History) -> None:
    assert found(history, "printer") == [TEXTS[2][2], TEXTS[1][2], TEXTS[0][2]]
    assert found(history, "printer fire") == [TEXTS[0][2]]
    assert found(history, "print fire") == []


def test_case_and_accents_dont_matter(history: History) -> None:
    assert found(history, "grosse") == [] and found(history, "GRÖSSE") == []
    assert found(history, "grö") == found(history, "CAFE") == [TEXTS[3][2]]


def test_narrowed_by_author_room_and_time(history: History) -> None:
    assert found(history, "printer", author="bob") == [TEXTS[1][2]]
    assert found(history, "printer", ("dev",)) == [TEXTS[2][2]]
    assert found(history, "printer", after=2.0, before=3.0) == [TEXTS[1][2]]
    assert found(history, "", author="alice") == [TEXTS[2][2], TEXTS[0][2]]
    assert found(history, "printer", ()) == []


@pytest.mark.parametrize(
    "words", ['"', 'a" OR "b', "text : fire", "NEAR(a b)", "-fire", "*", "^", "(", "fire*", "fire\x00"]
)
def test_nothing_typed_is_a_query_language(history: History, words: str) -> None:
    assert found(history, words) in ([], [TEXTS[0][2]])


def test_many_rooms_and_many_words(history: History, tmp_path: Path) -> None:
    rooms = tuple(f"room{number}" for number in range(500))
    clerk = Clerk(Store(tmp_path / "chat.db"), "here")
    clerk.work([Arrived(9, b"carol", b""), Asked(9, 9.0, Login("carol"))])
    clerk.work([Asked(9, 9.0, Join(f"c{room}", room)) for room in rooms])
    assert found(history, "printer", (*rooms, "dev")) == [TEXTS[2][2]]
    assert found(history, " ".join("b" * 128)) == []


def test_marks_only_go_forward_and_not_past_the_end(tmp_path: Path) -> None:
    clerk = Clerk(Store(tmp_path / "chat.db"), "here")
    clerk.work([Arrived(1, b"k", b""), Asked(1, 0.0, Login("bob")), Asked(1, 0.0, Join("j", "ops"))])
    clerk.work([Asked(1, 0.0, Say(f"m{n}", "ops", "x")) for n in range(5)])
    assert [bool(clerk.work([Asked(1, 0.0, Mark("ops", seq))])) for seq in (3, 2, 6, 5)] == [True, False, False, True]
    assert Store(tmp_path / "chat.db").load().read == {("bob", "ops"): 5}


def test_the_index_is_never_far_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_UNINDEXED", 3)
    store = Store(tmp_path / "chat.db")
    clerk = Clerk(store, "here")
    clerk.work([Arrived(1, b"alice", b""), Asked(1, 0.0, Login("alice")), Asked(1, 0.0, Join("j", "ops"))])
    behind = []
    for number in range(8):
        clerk.work([Asked(1, 1.0, Say(f"m{number}", "ops", "fire"))])
        behind.append(store.unindexed)
    assert behind == [1, 2, 3, 1, 2, 3, 1, 2]


@pytest.fixture
def behind(tmp_path: Path) -> Path:
    """A database whose server was killed with a message that isn't indexed."""
    store = Store(tmp_path / "chat.db")
    clerk = Clerk(store, "here")
    clerk.work([Arrived(1, b"alice", b""), Asked(1, 0.0, Login("alice")), Asked(1, 0.0, Join("j", "ops"))])
    clerk.work([Asked(1, 1.0, Say("m", "ops", "fire"))])
    store._db.close()
    return tmp_path / "chat.db"


def test_what_a_kill_left_out_of_the_index_is_indexed_by_the_next_start(behind: Path) -> None:
    assert found(History(behind), "fire", ("ops",)) == []
    assert Store(behind).unindexed == 0
    assert found(History(behind), "fire", ("ops",)) == ["fire"]


def test_a_disk_that_is_full_at_the_start_keeps_nobody_out(behind: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(db: sqlite3.Connection, words: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store_module, "index_words", fill)
    store = Store(behind)
    assert store.unindexed == 1
    monkeypatch.undo()
    store.index()
    assert found(History(behind), "fire", ("ops",)) == ["fire"]


def test_an_index_that_is_damaged_is_found_at_the_start(behind: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(db: sqlite3.Connection, words: object) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(store_module, "index_words", stumble)
    with pytest.raises(UnusableStore, match="malformed"):
        Store(behind)


def test_a_message_that_is_damaged_behind_the_index_is_a_damaged_database(behind: Path) -> None:
    with closing(sqlite3.connect(behind)) as db, db:
        db.execute("UPDATE events SET body = x'93' WHERE kind = 'said'")
    with pytest.raises(UnusableStore, match="damaged"):
        Store(behind)
