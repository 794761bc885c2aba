"""Which database files a server refuses, and that it doesn't touch those."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chat.messages import Join, Login, Say
from server.clerk import Clerk
from server.database import SCHEMA_VERSION, UnusableStore
from server.parcels import Arrived, Asked
from server.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a hundred messages, closed."""
    path = tmp_path / "data" / "chat.db"
    path.parent.mkdir()
    store = Store(path)
    clerk = Clerk(store, "here")
    clerk.work([Arrived(1, b"k", b""), Asked(1, 0.0, Login("bob")), Asked(1, 0.0, Join("j", "r"))])
    clerk.work([Asked(1, 0.0, Say(f"m{n}", "r", f"message {n} " + "x" * 500)) for n in range(100)])
    store.close()
    return path


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def cut_short(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def cut_to_the_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def not_a_database(path: Path) -> None:
    path.write_bytes(b"These are my notes. " * 1000)


def garbage_at_the_front(path: Path) -> None:
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])


def garbage_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (newer, "update the server"),
        (cut_short, "restore it from a backup"),
        (cut_to_the_header, "restore it from a backup"),
        (not_a_database, "restore it from a backup"),
        (garbage_at_the_front, "restore it from a backup"),
        (garbage_in_the_middle, "restore it from a backup"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_left_as_it_is(harm: object, sentence: str, path: Path) -> None:
    harm(path)  # type: ignore[operator]
    before = contents(path.parent)
    with pytest.raises(UnusableStore, match=sentence) as refusal:
        Store(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)
    assert contents(path.parent) == before


def test_a_killed_servers_database_is_taken_up_with_its_log(path: Path, tmp_path: Path) -> None:
    store = Store(path)
    clerk = Clerk(store, "here")
    clerk.work([Arrived(1, b"k", b""), Asked(1, 0.0, Login("bob")), Asked(1, 0.0, Say("late", "r", "in the log"))])
    copy = tmp_path / "copy"  # what a kill leaves: nothing is closed
    copy.mkdir()
    for file in path.parent.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    store.close()
    assert (copy / "chat.db-wal").stat().st_size > 0
    assert Store(copy / "chat.db").find("bob", "late") is not None


def test_the_version_stands_in_the_file_itself_from_the_start(tmp_path: Path) -> None:
    store = Store(tmp_path / "chat.db")  # still open: nothing of its log is in the file yet
    with (tmp_path / "chat.db").open("rb") as file:
        assert int.from_bytes(file.read(100)[60:64], "big") == SCHEMA_VERSION
    store.close()
