"""The values that messages are made of, where one is more than a number or a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from chat.fields import AtMost, Chars, PersonName, RoomName, Seq, TopicText

ONLINE, AWAY, OFFLINE = "online", "away", "offline"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The client has this room's messages up to and with number `seq`."""

    room: RoomName
    seq: Seq


@dataclass(frozen=True, slots=True)
class Person:
    """A person and how they are: online, away or offline."""

    name: PersonName
    status: Annotated[str, Chars(1, 16)]


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of the list of rooms."""

    room: RoomName
    members: int
    topic: TopicText


@dataclass(frozen=True, slots=True)
class Figure:
    """One counter of the server, such as `reader.wakeups`."""

    name: Annotated[str, Chars(1, 64)]
    value: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """A traced message has passed a place; `ns` is the monotonic clock of the machine that `clock` names."""

    place: Annotated[str, Chars(1, 32)]
    ns: int
    clock: Annotated[str, Chars(0, 32)] = ""


Stamps = Annotated[tuple[Stamp, ...], AtMost(32)]
