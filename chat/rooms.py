"""The rules of the rooms: `decide` says which events a command leads to, `apply` makes them true.

Deterministic: time, identity and labels come in with the order, so the same orders give the same events on every
machine and after every restart. `decide` changes nothing; `apply` is the only way in which a state changes, so a
state is also what its events make of an empty one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chat import names
from chat.faults import PeerFault
from chat.messages import MAX_ROOMS, Event, Join, Joined, Leave, Left, Login, Mark, Said, Say, Tell, Topic, TopicSet


@dataclass(frozen=True, slots=True)
class Order:
    """A command with all that its decision needs: who (name and public key), and when it reached the server."""

    author: str
    key: bytes
    time: float
    command: Login | Say | Tell | Join | Leave | Topic | Mark


@dataclass(frozen=True, slots=True)
class Claimed(Event):
    """A name now belongs to a key. Stored for the server alone: no client sees it."""

    time: float
    name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Read(Event):
    """Somebody has read a room up to number `seq`. Stored for their own terminals alone."""

    room: str
    seq: int
    name: str


@dataclass(slots=True)
class Room:
    """A room as its events have made it; `last` is the number of its newest message."""

    name: str
    topic: str = ""
    last: int = 0
    members: dict[str, None] = field(default_factory=dict)  # an ordered set

    @property
    def direct(self) -> bool:
        return names.is_direct(self.name)


@dataclass(slots=True)
class State:
    """All that decisions depend on."""

    keys: dict[str, bytes] = field(default_factory=dict)
    """By name: the public key that owns it."""
    shapes: dict[str, str] = field(default_factory=dict)
    """By skeleton: the name that took it."""
    rooms: dict[str, Room] = field(default_factory=dict)
    rooms_of: dict[str, dict[str, None]] = field(default_factory=dict)
    """By name: the rooms that this person is a member of."""
    read: dict[tuple[str, str], int] = field(default_factory=dict)
    """By name and room: the number up to which this person has read."""


def decide(state: State, order: Order) -> list[Event]:
    """The events that `order` leads to, in order; none if it changes nothing. Raises `PeerFault` to refuse it."""
    return _DECIDE[type(order.command)](state, order, order.command)


def apply(state: State, event: Event) -> None:
    """Make `event` true in `state`."""
    _APPLY[type(event)](state, event)


def room_of(state: State, person: str, name: str) -> Room:
    """The room called `name`, of which `person` is a member. Raises `PeerFault` if there is no such room."""
    room = state.rooms.get(name) or state.rooms.get(canonical(name))
    if room is None or person not in room.members:
        raise PeerFault("not_a_member", f"You aren't in {name}; join it first with /join {name}.")
    return room


def canonical(room: str) -> str:
    """The room's name as the server keeps it, for one as a person typed it. Raises `PeerFault` for a bad one."""
    return room if names.is_direct(room) else names.room(room)


# --- decisions ------------------------------------------------------------------------------------------------


def _login(state: State, order: Order, command: Login) -> list[Event]:
    name = names.person(command.name)
    owner = state.keys.get(name)
    if owner == order.key:
        return []
    if owner is not None:
        raise PeerFault(
            "name_taken",
            f"The name {name} belongs to another key; take another name, or use the key it was first used with.",
        )
    alike = state.shapes.get(names.skeleton(name))
    if alike is not None:
        raise PeerFault("name_alike", f"The name {name} looks like {alike}, which is taken; take another name.")
    return [Claimed(order.time, name, order.key)]


def _say(state: State, order: Order, command: Say) -> list[Event]:
    room = room_of(state, order.author, command.room)
    return [_said(order, command, room.name, room.last + 1)]


def _tell(state: State, order: Order, command: Tell) -> list[Event]:
    other = names.person(command.name)
    if other not in state.keys:
        raise PeerFault("no_such_person", f"Nobody called {other} has been here; check the name with /who.")
    if other == order.author:
        raise PeerFault("not_yourself", "That is you; name somebody else.")
    room = state.rooms.get(names.direct(order.author, other)) or Room(names.direct(order.author, other))
    seq = room.last + 1
    missing = [person for person in (order.author, other) if person not in room.members]
    for person in missing:
        _check_room_count(state, person, "You are" if person == order.author else f"{person} is")
    joins: list[Event] = [Joined(room.name, seq, order.time, person, "") for person in missing]
    return [*joins, _said(order, command, room.name, seq)]


def _mark(state: State, order: Order, command: Mark) -> list[Event]:
    room = room_of(state, order.author, command.room)
    if not state.read.get((order.author, room.name), 0) < command.seq <= room.last:
        return []
    return [Read(room.name, command.seq, order.author)]


def _said(order: Order, command: Say | Tell, room: str, seq: int) -> Said:
    return Said(room, seq, order.time, order.author, command.label, command.text, command.action)


def _join(state: State, order: Order, command: Join) -> list[Event]:
    if names.is_direct(command.room):
        room = room_of(state, order.author, command.room)
    else:
        name = names.room(command.room)
        room = state.rooms.get(name) or Room(name)
    if order.author in room.members:
        return []
    _check_room_count(state, order.author, "You are")
    return [Joined(room.name, room.last + 1, order.time, order.author, command.label)]


def _check_room_count(state: State, person: str, who: str) -> None:
    # Rooms of two count too: a login gives a cursor for each, and the number of those is bounded.
    if len(state.rooms_of.get(person, ())) >= MAX_ROOMS:
        raise PeerFault("too_many_rooms", f"{who} in {MAX_ROOMS} rooms, which is the most; one has to be left first.")


def _leave(state: State, order: Order, command: Leave) -> list[Event]:
    room = room_of(state, order.author, command.room)
    return [Left(room.name, room.last + 1, order.time, order.author, command.label)]


def _topic(state: State, order: Order, command: Topic) -> list[Event]:
    room = room_of(state, order.author, command.room)
    return [TopicSet(room.name, room.last + 1, order.time, order.author, command.label, command.topic)]


_DECIDE: dict[type, Callable[[State, Order, Any], list[Event]]] = {
    Login: _login,
    Say: _say,
    Tell: _tell,
    Join: _join,
    Leave: _leave,
    Topic: _topic,
    Mark: _mark,
}


# --- consequences ---------------------------------------------------------------------------------------------


def _claimed(state: State, event: Claimed) -> None:
    state.keys[event.name] = event.key
    state.shapes[names.skeleton(event.name)] = event.name


def _message(state: State, event: Said) -> None:
    state.rooms[event.room].last = event.seq


def _joined(state: State, event: Joined) -> None:
    room = state.rooms.setdefault(event.room, Room(event.room))
    room.members[event.author] = None
    state.rooms_of.setdefault(event.author, {})[event.room] = None


def _left(state: State, event: Left) -> None:
    state.rooms[event.room].members.pop(event.author, None)
    state.rooms_of[event.author].pop(event.room, None)
    state.read.pop((event.author, event.room), None)


def _read(state: State, event: Read) -> None:
    state.read[event.name, event.room] = event.seq


def _topic_set(state: State, event: TopicSet) -> None:
    state.rooms[event.room].topic = event.topic


_APPLY: dict[type, Callable[[State, Any], None]] = {
    Claimed: _claimed,
    Said: _message,
    Joined: _joined,
    Left: _left,
    TopicSet: _topic_set,
    Read: _read,
}
