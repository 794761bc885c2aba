"""What the state looks like from outside: the notices that describe rooms, cut to what fits one frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chat.messages import QUIET_ROOM, RoomList, RoomState
from chat.rooms import Room, State
from chat.values import OFFLINE, Listing, Person
from server.presence import Presence

MAX_LISTED = 48 * 1024
"""Bytes of names and topics in one answer, at the most."""

MAX_ENTRIES = 1024
"""Entries in one answer, at the most."""

T = TypeVar("T")


def room_state(
    state: State, room: Room, presence: Presence, reader: str, label: str = "", *, everybody: bool = False
) -> RoomState:
    """The room as it is for `reader`. A quiet room lists nobody unless asked for everybody, those online first."""
    people: Iterable[Person] = ()
    if everybody or len(room.members) <= QUIET_ROOM:
        people = [Person(name, presence.status(name)) for name in room.members]
        people.sort(key=lambda person: person.status == OFFLINE)
    listed = tuple(_fitting(people, lambda person: 4 * len(person.name) + 10))
    read = state.read.get((reader, room.name), 0)
    return RoomState(label, room.name, room.direct, room.topic, room.last, len(room.members), listed, read)


def room_list(state: State, label: str) -> RoomList:
    """The rooms that people can join, the fullest first."""
    rooms = sorted(
        (room for room in state.rooms.values() if not room.direct and room.members),
        key=lambda room: (-len(room.members), room.name),
    )
    listings = (Listing(room.name, len(room.members), room.topic) for room in rooms)
    return RoomList(label, tuple(_fitting(listings, lambda each: 4 * len(each.room + each.topic) + 12)))


def _fitting(entries: Iterable[T], size: Callable[[T], int]) -> Iterator[T]:
    total = 0
    for count, entry in enumerate(entries):
        total += size(entry)
        if total > MAX_LISTED or count == MAX_ENTRIES:
            return
        yield entry
