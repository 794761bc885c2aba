"""Everything that client and server say to each other, as frozen dataclasses in three families.

- **Commands** (client to server) ask. Those with a `label` are answered by something that carries it back.
- **Events** (server to client) are stored facts of a room. `Said` takes the room's next number; the others carry
  the number that the next message will have, so "everything after number n" is one well-defined set.
- **Notices** (server to client) aren't stored.

The order of a class's fields is its order on the wire; add fields only at the end, with a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from chat.fields import (
    AtMost,
    Chars,
    Label,
    LabelOrNone,
    MessageText,
    PersonName,
    RoomName,
    Sentence,
    Seq,
    TopicText,
    Within,
)
from chat.values import Cursor, Figure, Listing, Person, Stamps

QUIET_ROOM = 200
"""Rooms with more members than this announce no joins and no presence, and list no members unasked: with n
people coming and going that traffic would grow as n². `Who` still answers for them."""

MAX_ROOMS = 512
"""Rooms that one person may be a member of."""


class Command:
    """Asks the server for something."""

    __slots__ = ()


class Event:
    """A stored fact of a room."""

    __slots__ = ()


class Notice:
    """Told, not stored."""

    __slots__ = ()


# --- commands -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Login(Command):
    """The first message after the handshake. For each room with a cursor, what came after it is replayed."""

    name: PersonName
    cursors: Annotated[tuple[Cursor, ...], AtMost(MAX_ROOMS)] = ()


@dataclass(frozen=True, slots=True)
class Say(Command):
    """Say `text` in a room that one is a member of. An action is what /me sends.

    With `trace`, members are sent a `Trail` behind it: the times at which it was where.
    """

    label: Label
    room: RoomName
    text: MessageText
    action: bool = False
    trace: bool = False


@dataclass(frozen=True, slots=True)
class Tell(Command):
    """Say `text` to one person; the direct room of the two is made when there is none yet."""

    label: Label
    name: PersonName
    text: MessageText
    action: bool = False


@dataclass(frozen=True, slots=True)
class Join(Command):
    """Become a member, making the room if need be. With `since`, messages after that number are replayed."""

    label: Label
    room: RoomName
    since: Seq | None = None


@dataclass(frozen=True, slots=True)
class Leave(Command):
    label: Label
    room: RoomName


@dataclass(frozen=True, slots=True)
class Topic(Command):
    """Set a room's topic; an empty one removes it."""

    label: Label
    room: RoomName
    topic: TopicText


@dataclass(frozen=True, slots=True)
class Page(Command):
    """Ask for up to `limit` messages before number `before`; they come as events, then a `PageEnd`."""

    label: Label
    room: RoomName
    before: Seq
    limit: Annotated[int, Within(1, 200)] = 50


@dataclass(frozen=True, slots=True)
class Who(Command):
    """Ask who is in a room; the answer is a `RoomState`."""

    label: Label
    room: RoomName


@dataclass(frozen=True, slots=True)
class Rooms(Command):
    """Ask which rooms there are; the answer is a `RoomList`."""

    label: Label


@dataclass(frozen=True, slots=True)
class Status(Command):
    """Say that one is away, or back."""

    away: bool


@dataclass(frozen=True, slots=True)
class Typing(Command):
    """Say that one is typing in a room."""

    room: RoomName


@dataclass(frozen=True, slots=True)
class Mark(Command):
    """Say that one has read a room up to and with number `seq`; kept by the server for all of one's terminals."""

    room: RoomName
    seq: Seq


@dataclass(frozen=True, slots=True)
class Search(Command):
    """Look for messages with all of `words` in the rooms that one is in; the last word may be a beginning.

    `author` and `room` narrow it unless empty, `after` and `before` (Unix seconds) unless 0. The newest hits come
    first, as `Hit`s, then a `SearchEnd`.
    """

    label: Label
    words: Annotated[str, Chars(0, 256)]
    author: Annotated[str, Chars(0, 32)] = ""
    room: Annotated[str, Chars(0, 66)] = ""
    after: float = 0.0
    before: float = 0.0
    limit: Annotated[int, Within(1, 100)] = 50


@dataclass(frozen=True, slots=True)
class Report(Command):
    """Give a `Trail`, with one's own stamps added, back to the author of the message; both are in `room`."""

    room: RoomName
    author: PersonName
    label: Label
    stamps: Stamps


@dataclass(frozen=True, slots=True)
class Stats(Command):
    """Ask for the server's counters; the answer is `Statistics`."""

    label: Label


@dataclass(frozen=True, slots=True)
class Ping(Command):
    """Ask the whole pipeline for a sign of life; it comes back as `Pong` through every stage."""

    label: Label


# --- events ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said(Event):
    """A message. `seq` counts a room's messages 1, 2, 3 …; `time` is the server's, in Unix seconds."""

    room: RoomName
    seq: Seq
    time: float
    author: PersonName
    label: Label
    text: MessageText
    action: bool = False


@dataclass(frozen=True, slots=True)
class Joined(Event):
    """`label` is empty for one who was made a member by another's `Tell`."""

    room: RoomName
    seq: Seq
    time: float
    author: PersonName
    label: LabelOrNone


@dataclass(frozen=True, slots=True)
class Left(Event):
    room: RoomName
    seq: Seq
    time: float
    author: PersonName
    label: Label


@dataclass(frozen=True, slots=True)
class TopicSet(Event):
    room: RoomName
    seq: Seq
    time: float
    author: PersonName
    label: Label
    topic: TopicText


# --- notices --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome(Notice):
    """Logged in, under the name as the server writes it. One `RoomState` for each of `rooms` rooms follows."""

    name: PersonName
    server: Annotated[str, Chars(1, 64)]
    time: float
    rooms: int


@dataclass(frozen=True, slots=True)
class RoomState(Notice):
    """A room as it is: sent for each room at login, after a join, and as the answer to `Who`.

    `last` is the number of the newest message: an event with a higher number is live, one with this or a lower
    number is history. `members` is empty in a quiet room unless asked for; `count` always counts them. `read` is
    the number up to which the one who gets this has read, on whatever terminal.
    """

    label: LabelOrNone
    room: RoomName
    direct: bool
    topic: TopicText
    last: Seq
    count: int
    members: tuple[Person, ...] = ()
    read: Seq = 0


@dataclass(frozen=True, slots=True)
class Presence(Notice):
    """How people who share a room with one are now."""

    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Typist(Notice):
    """Somebody is typing."""

    room: RoomName
    name: PersonName


@dataclass(frozen=True, slots=True)
class Refused(Notice):
    """A command wasn't carried out. `label` is the command's, or empty if it had none that could be read.

    `wait` is the number of seconds after which the same command may pass, where only time is missing.
    """

    label: LabelOrNone
    code: Annotated[str, Chars(1, 32)]
    sentence: Sentence
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Pong(Notice):
    label: Label


@dataclass(frozen=True, slots=True)
class RoomList(Notice):
    label: Label
    rooms: tuple[Listing, ...]


@dataclass(frozen=True, slots=True)
class PageEnd(Notice):
    """The page asked for is complete. `oldest` is its first number, or 0 if there was nothing before."""

    label: Label
    room: RoomName
    oldest: Seq


@dataclass(frozen=True, slots=True)
class Marked(Notice):
    """One has read a room up to and with number `seq`, on another of one's terminals or this one."""

    room: RoomName
    seq: Seq


@dataclass(frozen=True, slots=True)
class Hit(Notice):
    """A message that a search has found."""

    label: Label
    room: RoomName
    seq: Seq
    time: float
    author: PersonName
    text: MessageText


@dataclass(frozen=True, slots=True)
class SearchEnd(Notice):
    """All hits of a search have been sent; `more` says whether the limit left some out."""

    label: Label
    hits: int
    more: bool


@dataclass(frozen=True, slots=True)
class Statistics(Notice):
    """The server's counters at `time`, since its processes started: rates are differences of two of these."""

    label: Label
    time: float
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Trail(Notice):
    """Where a traced message has been on its way here; whoever gets it may `Report` it to the author."""

    room: RoomName
    author: PersonName
    label: Label
    stamps: Stamps


@dataclass(frozen=True, slots=True)
class Reported(Notice):
    """The whole way of one's own traced message to `name`, one of its readers."""

    label: Label
    name: PersonName
    stamps: Stamps


@dataclass(frozen=True, slots=True)
class Goodbye(Notice):
    """The server ends this connection, and why."""

    code: Annotated[str, Chars(1, 32)]
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a kind that this program doesn't know: a newer peer's. Shown as such, never an error."""

    kind: str
    fields: tuple[object, ...]


Message = Command | Event | Notice
