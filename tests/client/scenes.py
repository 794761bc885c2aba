"""A model with somebody's rooms in it, and what it shows as plain text: what the pure tests of the client share."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from chat.messages import RoomState, Said, Welcome
from chat.values import Person
from client.model import Model
from client.text import Line

NOON = 1_763_899_200.0
"""A day's noon in Unix seconds; each message of `said` comes two minutes after the one before."""


def model(last: int = 0, read: int = 0, room: str = "lobby") -> Model:
    """bob's, in one room with alice that he looks at; of its messages none is here yet."""
    numbers = itertools.count(1)
    scene = Model(lambda: f"label-{next(numbers)}")
    scene.connected(Welcome("bob", "box", NOON, 1))
    enter(scene, room, last, read)
    scene.settled({room})
    scene.show(room)
    return scene


def enter(scene: Model, room: str, last: int = 0, read: int = 0, *, direct: bool = False) -> None:
    people = (Person("alice", "online"), Person("bob", "online"))
    scene.apply(RoomState("", room, direct, "", last, len(people), people, read))


def said(seq: int, text: str = "", author: str = "alice", room: str = "lobby", label: str = "") -> Said:
    """Message number `seq`; by itself it says its number."""
    return Said(room, seq, NOON + 120 * seq, author, label or f"l{seq}", text or f"message {seq}.")


def tell(scene: Model, messages: Iterable[Said]) -> None:
    for message in messages:
        scene.apply(message)


def texts(lines: Iterable[Line]) -> list[str]:
    return ["".join(piece.text for piece in line).rstrip() for line in lines]
