"""The clerk when the disk refuses: who asked for something to be kept is told, the others don't notice."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from chat.codec import decode
from chat.messages import Goodbye, Join, Login, Message, Ping, Pong, Refused, Said, Say, Status, Unknown
from chat.values import AWAY, OFFLINE
from server.clerk import Clerk
from server.parcels import Arrived, Asked, Expel, Intake, Parcel, ToConnection, ToRoom
from server.store import Store


class Moody(sqlite3.Connection):
    """A connection whose commits fail while `full` is set."""

    full = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if self.full and sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *parameters)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> type[Moody]:
    monkeypatch.setattr(Moody, "full", False)
    return Moody


@pytest.fixture
def clerk(tmp_path: Path, disk: type[Moody]) -> Clerk:
    def connect(path: Path, **options: Any) -> sqlite3.Connection:
        return sqlite3.connect(path, factory=disk, **options)

    clerk = Clerk(Store(tmp_path / "chat.db", connect), "here")
    clerk.work([Arrived(1, b"bob's", b""), Asked(1, 0.0, Login("bob")), Asked(1, 0.0, Join("j", "r"))])
    return clerk


def told(parcels: list[Parcel], connection: int) -> list[Message | Unknown]:
    """What the parcels tell one connection, and the rooms."""
    messages: list[Message | Unknown] = []
    for parcel in parcels:
        if isinstance(parcel, ToRoom) or (
            isinstance(parcel, (ToConnection, Expel)) and parcel.connection == connection
        ):
            messages += [message for blob in parcel.messages for message in decode(blob)]
    return messages


def test_who_wants_something_kept_is_refused_and_the_rest_goes_on(clerk: Clerk, disk: type[Moody]) -> None:
    disk.full = True
    batch: list[Intake] = [Asked(1, 1.0, Ping("p")), Asked(1, 1.0, Say("a", "r", "hi")), Asked(1, 1.0, Ping("q"))]
    first, refusal, last = told(clerk.work(batch), 1)
    assert (first, last) == (Pong("p"), Pong("q"))
    assert isinstance(refusal, Refused) and (refusal.label, refusal.code) == ("a", "storage_full")
    assert "full" in refusal.sentence


def test_when_there_is_room_again_the_next_message_takes_the_next_number(clerk: Clerk, disk: type[Moody]) -> None:
    clerk.work([Asked(1, 1.0, Say("a", "r", "one"))])
    disk.full = True
    clerk.work([Asked(1, 2.0, Say(f"b{n}", "r", "lost")) for n in range(3)])
    disk.full = False
    (said,) = told(clerk.work([Asked(1, 3.0, Say("b0", "r", "two"))]), 1)
    assert isinstance(said, Said) and (said.seq, said.text) == (2, "two")


def test_a_name_that_could_not_be_kept_is_nobodys(clerk: Clerk, disk: type[Moody]) -> None:
    clerk.work([Arrived(2, b"eve's", b"")])
    disk.full = True
    parcels = clerk.work([Asked(2, 1.0, Login("eve"))])
    (goodbye,) = told(parcels, 2)
    assert isinstance(goodbye, Goodbye) and goodbye.code == "storage_full"
    disk.full = False
    assert told(clerk.work([Asked(2, 2.0, Join("j", "r")), Asked(2, 2.0, Say("s", "r", "I am eve"))]), 2) == []
    assert "eve" not in str(clerk.tell_presence())
    clerk.work([Arrived(3, b"another's", b""), Asked(3, 3.0, Login("eve")), Asked(3, 3.0, Join("j", "r"))])
    (said,) = told(clerk.work([Asked(3, 3.0, Say("s", "r", "so am I"))]), 3)
    assert isinstance(said, Said) and said.author == "eve"


def test_presence_survives_a_refusal(clerk: Clerk, disk: type[Moody]) -> None:
    disk.full = True
    clerk.work([Asked(1, 1.0, Status(True)), Asked(1, 1.0, Say("a", "r", "x"))])
    assert clerk._presence.status("bob") == AWAY
    assert clerk._presence.status("eve") == OFFLINE
