"""What the stages hand to each other, one direction each: reader → journal (intake), journal → workers (parcels).

All of it is plain frozen values, so it means the same in every process. A connection is named by its id, a number
never used again, not by a descriptor: those are numbered anew in each process and reused at once.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass

from chat.kinds import KINDS
from chat.messages import Command, Notice, Search
from chat.values import Cursor, Figure, Listing, Person, Stamp
from server.pickles import by_constructor

# --- intake: reader → journal -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived:
    """A handshake is done: the peer's public key, and the key that everything sent to it is encrypted with.

    The connection's descriptor is on the Unix socket of its worker already.
    """

    connection: int
    peer: bytes
    sending_key: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A command, checked for form and rate, with the time at which it came (Unix seconds).

    `stamps` are there for a traced message only.
    """

    connection: int
    time: float
    command: Command
    stamps: tuple[Stamp, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A notice of the reader's own for a client: it leaves through the client's worker like everything else."""

    connection: int
    notice: Notice


@dataclass(frozen=True, slots=True)
class Expelled:
    """The reader ends a connection: tell the client why, then shut it down."""

    connection: int
    notice: Notice


@dataclass(frozen=True, slots=True)
class Departed:
    """A connection is gone; the reader has closed its descriptor."""

    connection: int


Intake = Arrived | Asked | Answered | Expelled | Departed


# --- parcels: journal → fan-out workers ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attach:
    """Take the connection's descriptor from the Unix socket; from now on you alone write to it."""

    connection: int
    sending_key: bytes


@dataclass(frozen=True, slots=True)
class Enter:
    """The connection is logged in as `name`, who is a member of `rooms`."""

    connection: int
    name: str
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """`name` is a member of `room` from here on, or no longer."""

    name: str
    room: str
    member: bool


@dataclass(frozen=True, slots=True)
class ToConnection:
    """Encoded messages for one connection."""

    connection: int
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ToPerson:
    """Encoded messages for every connection of one person."""

    name: str
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ToRoom:
    """Encoded messages for every member of a room.

    `position` is the journal's number of the last event in them, or 0 if they are notices.
    """

    room: str
    messages: tuple[bytes, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Traced:
    """The message before this one is traced: send its stamps behind it, to a few of the room's members."""

    room: str
    author: str
    label: str
    stamps: tuple[Stamp, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """Send the room's events after message number `since`, up to the journal's `position`; then go on live."""

    connection: int
    room: str
    since: int
    position: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Send up to `limit` messages before number `before`, then a `PageEnd`."""

    connection: int
    label: str
    room: str
    before: int
    limit: int


@dataclass(frozen=True, slots=True)
class Find:
    """Send the hits of a search in `rooms`, then a `SearchEnd`."""

    connection: int
    rooms: tuple[str, ...]
    search: Search


@dataclass(frozen=True, slots=True)
class Expel:
    """Send these last messages, then shut the connection down."""

    connection: int
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Detach:
    """The connection is gone: forget it, and close your copy of its descriptor."""

    connection: int


ForOne = Attach | Enter | ToConnection | Replay | ReadPage | Find | Expel | Detach
"""Parcels for the one worker that has the connection."""

ForAll = Membership | ToPerson | ToRoom | Traced
"""Parcels for every worker."""

Parcel = ForOne | ForAll

by_constructor(*typing.get_args(Intake), *typing.get_args(Parcel), *KINDS.values())
by_constructor(Stamp, Cursor, Person, Listing, Figure)


def worker_of(connection: int, workers: int) -> int:
    """Which worker has a connection: known to every stage without asking."""
    return connection % workers


def share(parcels: list[Parcel], worker: int, workers: int) -> list[Parcel]:
    """The parcels that concern one worker, in order."""
    return [
        parcel for parcel in parcels if isinstance(parcel, ForAll) or worker_of(parcel.connection, workers) == worker
    ]


def coalesce(parcels: list[Parcel]) -> list[Parcel]:
    """Join what goes to the same room into one parcel each, so that a worker visits each member once.

    Only as far as order allows: a parcel of any other kind may change who is in a room, so it closes what was
    gathered before it. Different rooms have no order among them.
    """
    result: list[Parcel] = []
    gathered: dict[str, list[ToRoom]] = {}
    for parcel in parcels:
        if isinstance(parcel, ToRoom):
            gathered.setdefault(parcel.room, []).append(parcel)
        else:
            result.extend(_joined(gathered))
            gathered.clear()
            result.append(parcel)
    result.extend(_joined(gathered))
    return result


def _joined(gathered: dict[str, list[ToRoom]]) -> list[ToRoom]:
    return [
        ToRoom(
            room,
            tuple(message for parcel in parcels for message in parcel.messages),
            max(parcel.position for parcel in parcels),
        )
        for room, parcels in gathered.items()
    ]
