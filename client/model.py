"""What the user sees, as plain data: rooms, messages, people, the state of the link. No terminal, thread or clock.

`Model.apply` takes what the server sends and returns the commands that should go out because of it (a page to fill
a hole). The screen only draws what stands here, and a test reads it as a script: events in, contents out.
"""

from __future__ import annotations

import bisect
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chat import names
from chat.messages import (
    Command,
    Event,
    Joined,
    Left,
    Mark,
    Marked,
    Notice,
    Page,
    PageEnd,
    Presence,
    Refused,
    RoomState,
    Said,
    Say,
    Tell,
    TopicSet,
    Typist,
    Unknown,
    Welcome,
)
from chat.values import OFFLINE, ONLINE, Cursor

PAGE = 100
"""Messages fetched in one go."""

KEPT = 5_000
"""Entries of one room kept in memory; older ones are fetched again when they are looked at."""


class Link(enum.Enum):
    """The state of the connection."""

    CONNECTING = "connecting"
    ONLINE = "online"
    WAITING = "waiting"  # for the next attempt
    ENDED = "ended"  # refused for good


class Fate(enum.Enum):
    """What has become of an own message."""

    PENDING = "pending"
    REFUSED = "refused"


@dataclass(slots=True)
class Own:
    """An own message that has no number yet."""

    command: Say | Tell
    time: float
    fate: Fate = Fate.PENDING
    reason: str = ""


Entry = Said | Joined | Left | TopicSet


@dataclass(slots=True)
class RoomView:
    """One room as the user sees it. `entries` are in order; a fact stands before the message with its number."""

    name: str
    title: str
    topic: str = ""
    direct: bool = False
    last: int = 0
    """The number of the newest message that there is."""
    count: int = 0
    members: dict[str, str] = field(default_factory=dict)
    """By name: online, away or offline."""
    entries: list[Entry] = field(default_factory=list)
    own: list[Own] = field(default_factory=list)
    seen: int = 0
    """Up to here the user has read."""
    stopped: int = 0
    """Up to here the user had read when the room was opened: a line is drawn behind it."""
    mentions: int = 0
    """Messages since then that name the user, as far as they are here."""
    typing: dict[str, None] = field(default_factory=dict)
    live: int = 0
    """Up to here no message is missing since the first login: the cursor after a reconnect."""
    paging: str = ""
    """The label of the page that is on its way."""
    version: int = 0
    """Changes with everything that is drawn of this room's messages."""

    @property
    def oldest(self) -> int:
        """The number of the oldest message here; 0 if there is none."""
        return next((entry.seq for entry in self.entries if isinstance(entry, Said)), 0)

    @property
    def unread(self) -> int:
        return max(0, self.last - self.seen)

    @property
    def complete(self) -> bool:
        """Whether there is nothing older to fetch."""
        return self.last == 0 or self.oldest == 1

    def insert(self, entry: Entry) -> bool:
        """Put an entry where it belongs; False if it is here already."""
        key = _key(entry)
        if not self.entries or key > _key(self.entries[-1]):
            self.entries.append(entry)
        else:
            at = bisect.bisect_left(self.entries, key, key=_key)
            if at < len(self.entries) and _key(self.entries[at]) == key:
                return False
            self.entries.insert(at, entry)
        self.version += 1
        self._advance()
        return True

    def _advance(self) -> None:
        """Move `live` over what follows it without a hole."""
        at = bisect.bisect_left(self.entries, (self.live + 1, 1), key=_key)
        while at < len(self.entries):
            entry = self.entries[at]
            if isinstance(entry, Said):
                if entry.seq != self.live + 1:
                    return
                self.live = entry.seq
            at += 1


class Model:
    """Everything that the screen shows."""

    def __init__(self, new_label: Callable[[], str]) -> None:
        self.me = ""
        self.server = ""
        self.link = Link.CONNECTING
        self.retry_in = 0
        """Seconds until the next attempt, while waiting."""
        self.trouble = ""
        """Why the link is down."""
        self.round_trip: float | None = None
        """Seconds that the last ping took."""
        self.rooms: dict[str, RoomView] = {}
        self.current = ""
        self.toast = ""
        self.notices: list[str] = []
        """Lines that commands have printed; shown until the next key that sends."""
        self._new_label = new_label

    # --- what the user looks at -------------------------------------------------------------------------------

    @property
    def room(self) -> RoomView | None:
        return self.rooms.get(self.current)

    @property
    def pending(self) -> int:
        """Own messages that are on their way."""
        return sum(own.fate is Fate.PENDING for room in self.rooms.values() for own in room.own)

    def order(self) -> list[RoomView]:
        """The rooms as they are listed: rooms first, then people."""
        return sorted(self.rooms.values(), key=lambda room: (room.direct, room.title))

    def show(self, name: str) -> list[Command]:
        """Look at a room; gives what must be fetched for it."""
        self.current = name
        room = self.rooms[name]
        room.stopped = room.seen if room.unread else 0
        room.version += 1
        commands: list[Command] = []
        if not room.entries and room.last:
            commands += self.fetch_older(room)
        return commands + self.mark(room)

    def mark(self, room: RoomView) -> list[Command]:
        """Note that the user has read the room to its end; gives the command that tells the server."""
        room.mentions = 0
        if room.seen >= room.last:
            return []
        room.seen = room.last
        return [Mark(room.name, room.last)]

    def fetch_older(self, room: RoomView) -> list[Command]:
        """The command that fetches the page before the oldest message, unless it is on its way or there is none."""
        if room.paging or room.complete:
            return []
        room.paging = self._new_label()
        return [Page(room.paging, room.name, room.oldest or room.last + 1, PAGE)]

    # --- own messages -----------------------------------------------------------------------------------------

    def sending(self, command: Say | Tell, time: float) -> None:
        """An own message is on its way. Called again for the same one (after a reconnect), it changes nothing."""
        room = self.rooms.get(self._room_of(command))
        if room is not None and all(own.command.label != command.label for own in room.own):
            room.own.append(Own(command, time))
            room.version += 1

    def drop_own(self, label: str) -> Own | None:
        """Take an own message away: it is stored, or the user edits it."""
        for room in self.rooms.values():
            for own in room.own:
                if own.command.label == label:
                    room.own.remove(own)
                    room.version += 1
                    return own
        return None

    def _room_of(self, command: Say | Tell) -> str:
        return command.room if isinstance(command, Say) else names.direct(self.me, command.name)

    # --- the link ---------------------------------------------------------------------------------------------

    def cursors(self) -> tuple[Cursor, ...]:
        """What is here already, for the login: what came after it is replayed."""
        return tuple(Cursor(room.name, room.live) for room in self.rooms.values() if room.live)

    def connected(self, welcome: Welcome) -> None:
        self.me, self.server = welcome.name, welcome.server
        self.link, self.trouble, self.retry_in = Link.ONLINE, "", 0
        for room in self.rooms.values():
            room.paging = ""
            room.typing.clear()

    def waiting(self, seconds: int, trouble: str) -> None:
        """The link is down; the next attempt is `seconds` away."""
        self.link, self.retry_in, self.trouble, self.round_trip = Link.WAITING, seconds, trouble, None

    # --- what the server says ---------------------------------------------------------------------------------

    def apply(self, message: Event | Notice | Unknown) -> list[Command]:
        """Take in a message; gives the commands that follow from it."""
        handle = _APPLY.get(type(message))
        return handle(self, message) if handle is not None else []

    def _room_state(self, state: RoomState) -> list[Command]:
        title = names.partner(state.room, self.me) if state.direct else state.room
        if state.room not in self.rooms:
            self.rooms[state.room] = RoomView(state.room, title, live=state.last)
        room = self.rooms[state.room]
        room.topic, room.direct, room.count = state.topic, state.direct, state.count
        room.last = max(room.last, state.last)
        room.seen = max(room.seen, state.read)
        if state.members or not state.count:
            room.members = {person.name: person.status for person in state.members}
        room.version += 1
        return []

    def _said(self, said: Said) -> list[Command]:
        room = self.rooms.get(said.room)
        if room is None or not room.insert(said):
            return []
        commands: list[Command] = []
        room.typing.pop(said.author, None)
        if said.seq > room.live and not room.paging:  # a hole: it is shown, and fetched
            room.paging = self._new_label()
            commands.append(Page(room.paging, room.name, said.seq, min(200, said.seq - room.live - 1)))
        if said.author == self.me:
            self.drop_own(said.label)
            if room.seen == room.last == said.seq - 1:
                room.seen = said.seq
        elif said.seq > room.seen:
            room.mentions += mentions(said.text, self.me) or room.direct
        room.last = max(room.last, said.seq)
        return commands

    def _joined(self, event: Joined) -> list[Command]:
        room = self.rooms.get(event.room)
        if room is not None and room.insert(event) and event.author not in room.members:
            room.members[event.author] = ONLINE
            room.count += 1
        return []

    def _left(self, event: Left) -> list[Command]:
        if event.author == self.me:
            self.rooms.pop(event.room, None)
            if self.current == event.room:
                self.current = next((room.name for room in self.order()), "")
            return []
        room = self.rooms.get(event.room)
        if room is not None and room.insert(event) and room.members.pop(event.author, None) is not None:
            room.count -= 1
        return []

    def _topic_set(self, event: TopicSet) -> list[Command]:
        room = self.rooms.get(event.room)
        if room is not None and room.insert(event):
            room.topic = event.topic
        return []

    def _presence(self, notice: Presence) -> list[Command]:
        for room in self.rooms.values():
            for person in notice.people:
                if person.name in room.members:
                    room.members[person.name] = person.status
                    if person.status == OFFLINE:
                        room.typing.pop(person.name, None)
        return []

    def _typist(self, notice: Typist) -> list[Command]:
        room = self.rooms.get(notice.room)
        if room is not None and notice.name != self.me:
            room.typing[notice.name] = None
        return []

    def _refused(self, notice: Refused) -> list[Command]:
        for room in self.rooms.values():
            for own in room.own:
                if own.command.label == notice.label:
                    own.fate, own.reason = Fate.REFUSED, notice.sentence
                    room.version += 1
        return []

    def _page_end(self, notice: PageEnd) -> list[Command]:
        room = self.rooms.get(notice.room)
        if room is not None and room.paging == notice.label:
            room.paging = ""
            room.version += 1
        return []

    def _marked(self, notice: Marked) -> list[Command]:
        room = self.rooms.get(notice.room)
        if room is not None and notice.seq > room.seen:
            room.seen = notice.seq
            if room.seen >= room.last:
                room.mentions = 0
        return []


def mentions(text: str, name: str) -> bool:
    """Whether a text names somebody: as a word of its own, in any case."""
    words = "".join(char if char.isalnum() or char in names.PUNCTUATION else " " for char in text.casefold()).split()
    return any(word.strip(names.PUNCTUATION) == name for word in words)


def _key(entry: Entry) -> tuple[Any, ...]:
    """Where an entry stands: by number, a fact before its message, facts among themselves by time."""
    match entry:
        case Said(seq=seq):
            return seq, 1, 0.0, ""
        case Joined(seq=seq, time=time, author=author) | Left(seq=seq, time=time, author=author):
            return seq, 0, time, author
        case TopicSet(seq=seq, time=time, author=author):
            return seq, 0, time, author
    raise TypeError(entry)


_APPLY: dict[type, Callable[[Model, Any], list[Command]]] = {
    RoomState: Model._room_state,
    Said: Model._said,
    Joined: Model._joined,
    Left: Model._left,
    TopicSet: Model._topic_set,
    Presence: Model._presence,
    Typist: Model._typist,
    Refused: Model._refused,
    PageEnd: Model._page_end,
    Marked: Model._marked,
}
