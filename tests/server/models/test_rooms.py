"""The models' rooms: every kind of parcel is sorted, and memory has its bound."""

from __future__ import annotations

import typing

import pytest

from chat.codec import decode
from chat.messages import Join, Login, Message, Refused, Said, Say, Unknown
from server.models import memory
from server.models.rooms import _SORT, Mail, Rooms
from server.parcels import Arrived, Asked, ForAll, ForOne, Intake


def messages(mail: Mail, connection: int) -> list[Message | Unknown]:
    return list(decode(b"".join(mail[connection].messages)))


def enter(rooms: Rooms, connection: int, name: str) -> Mail:
    intake: list[Intake] = [
        Arrived(connection, bytes([connection]) * 32, b""),
        Asked(connection, 1.0, Login(name)),
        Asked(connection, 1.0, Join("j", "lobby")),
    ]
    return rooms.work(intake)


def test_a_kind_of_parcel_that_no_model_would_know_is_noticed() -> None:
    assert set(_SORT) == {*typing.get_args(ForOne), *typing.get_args(ForAll)}


def test_two_who_share_a_room_get_one_letter_each_for_a_batch() -> None:
    rooms = Rooms("here", lambda connection: True)
    enter(rooms, 1, "ann")
    enter(rooms, 2, "ben")
    mail = rooms.work([Asked(1, 2.0, Say(f"s{number}", "lobby", "x")) for number in range(3)])
    assert [message.seq for message in messages(mail, 2) if isinstance(message, Said)] == [1, 2, 3]
    assert len(mail[2].messages) == 1  # joined once for the room
    assert mail[1].messages[0] is mail[2].messages[0]


def test_what_is_said_during_a_replay_comes_after_it_and_once() -> None:
    patient: set[int] = set()
    rooms = Rooms("here", lambda connection: connection not in patient)
    enter(rooms, 1, "ann")
    for number in range(3):
        rooms.work([Asked(1, 2.0, Say(f"old{number}", "lobby", "x"))])
    patient.add(2)
    joined = [Arrived(2, b"2" * 32, b""), Asked(2, 3.0, Login("ben")), Asked(2, 3.0, Join("j", "lobby", since=0))]
    assert not [message for message in messages(rooms.work(joined), 2) if isinstance(message, Said)]
    assert 2 not in rooms.work([Asked(1, 4.0, Say("new", "lobby", "x"))])
    patient.clear()
    said = [message for message in messages(rooms.work([]), 2) if isinstance(message, Said)]
    assert [message.label for message in said] == ["old0", "old1", "old2", "new"]


def test_full_memory_is_refused_like_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_MEMORY", 1024 * 1024)
    rooms = Rooms("here", lambda connection: True)
    enter(rooms, 1, "ann")
    for number in range(100):
        answer = messages(rooms.work([Asked(1, 2.0, Say(f"s{number}", "lobby", "x" * 16_000))]), 1)[0]
        if isinstance(answer, Refused):
            break
    assert isinstance(answer, Refused) and answer.code == "storage_full"
    assert number > 30
