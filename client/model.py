"""What the user sees, as plain data: rooms, messages, people, the state of the link. No terminal, thread or clock.

`Model.apply` takes what the server sends; the screen only draws what stands here, and a test reads it as a script:
events in, contents out. Methods that ask for something of the server return the commands that do so.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
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
from client.roomview import Fate, Own, RoomView

PAGE = 100
"""Messages fetched in one go."""


class Link(enum.Enum):
    """The state of the connection."""

    CONNECTING = "connecting"
    ONLINE = "online"
    WAITING = "waiting"  # for the next attempt
    ENDED = "ended"  # refused for good


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
        self.notices: list[str] = []
        """Lines that commands have printed; shown until the user goes on."""
        self.ignored: set[str] = set()
        """People whose messages aren't shown and don't count."""
        self.notify = "mentions"
        """What calls for attention: mentions and direct messages, all messages, or none."""
        self.muted: set[str] = set()
        """Rooms that call for nobody's attention."""
        self.calls: list[Said] = []
        """What is new and calls for the user; whoever notifies takes them away."""
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

    def next_with_news(self) -> RoomView | None:
        """The room to look at next: mentions and direct messages first."""
        waiting = [room for room in self.order() if room.unread and room.name != self.current]
        waiting = [room for room in waiting if room.name not in self.muted] or waiting
        return max(waiting, key=lambda room: bool(room.mentions), default=None)

    def people(self) -> set[str]:
        """Everyone who shares a room with the user."""
        return {person for room in self.rooms.values() for person in room.members} - {self.me}

    def show(self, name: str) -> None:
        """Look at a room."""
        self.current = name
        room = self.rooms[name]
        room.stopped = room.seen if room.unread and room.seen else None

    def mark(self, room: RoomView) -> list[Command]:
        """The user has read the room to its end; gives the command that tells the server."""
        room.mentions = 0
        if room.seen >= room.last:
            return []
        room.seen = room.last
        return [Mark(room.name, room.last)]

    def fetch(self, room: RoomView, before: int, limit: int = PAGE) -> list[Command]:
        """The command that fetches messages before number `before`, unless another page is on its way."""
        if room.paging or before <= 1 or self.link is not Link.ONLINE:
            return []
        room.paging = self._new_label()
        return [Page(room.paging, room.name, before, min(limit, PAGE, before - 1))]

    # --- own messages -----------------------------------------------------------------------------------------

    def sending(self, command: Say | Tell, time: float) -> None:
        """An own message is on its way. Called again for the same one (after a reconnect), it changes nothing."""
        room = self.rooms.get(self._room_of(command))
        if room is not None and all(own.command.label != command.label for own in room.own):
            room.own.append(Own(command, time))

    def drop_own(self, label: str) -> Own | None:
        """Take an own message away: it is stored, or the user edits it."""
        for room in self.rooms.values():
            for own in room.own:
                if own.command.label == label:
                    room.own.remove(own)
                    return own
        return None

    def refused(self) -> Own | None:
        """The newest message of the current room that was refused."""
        own = self.room.own if self.room is not None else []
        return next((each for each in reversed(own) if each.fate is Fate.REFUSED), None)

    def _room_of(self, command: Say | Tell) -> str:
        return command.room if isinstance(command, Say) else names.direct(self.me, command.name)

    # --- the link ---------------------------------------------------------------------------------------------

    def cursors(self) -> tuple[Cursor, ...]:
        """What is here already, for the login: what came after it is replayed."""
        return tuple(Cursor(room.name, room.live) for room in self.rooms.values())

    def connected(self, welcome: Welcome) -> None:
        self.me, self.server = welcome.name, welcome.server
        self.link, self.trouble, self.retry_in = Link.ONLINE, "", 0
        for room in self.rooms.values():
            room.paging = ""
            room.typing.clear()

    def settled(self, rooms: set[str]) -> None:
        """The login is complete; of other rooms than these one isn't a member any more."""
        for name in self.rooms.keys() - rooms:
            self._forget(name)

    def waiting(self, seconds: int, trouble: str) -> None:
        """The link is down; the next attempt is `seconds` away."""
        self.link, self.retry_in, self.trouble, self.round_trip = Link.WAITING, seconds, trouble, None

    # --- what the server says ---------------------------------------------------------------------------------

    def apply(self, message: Event | Notice | Unknown) -> None:
        """Take in a message."""
        handle = _APPLY.get(type(message))
        if handle is not None:
            handle(self, message)

    def _room_state(self, state: RoomState) -> None:
        if state.room not in self.rooms:
            title = names.partner(state.room, self.me) if state.direct else state.room
            self.rooms[state.room] = RoomView(state.room, title, live=state.last)
        room = self.rooms[state.room]
        room.topic, room.direct, room.count = state.topic, state.direct, state.count
        room.last = max(room.last, state.last)
        room.seen = max(room.seen, state.read)
        if state.members or not state.count:
            room.members = {person.name: person.status for person in state.members}

    def _said(self, said: Said) -> None:
        room = self.rooms.get(said.room)
        if room is None or not room.insert(said):
            return
        room.typing.pop(said.author, None)
        if said.author == self.me:
            self.drop_own(said.label)
            if room.seen == room.last == said.seq - 1:
                room.seen = said.seq
        elif said.seq > room.seen and said.author not in self.ignored:
            self._count(room, said)
        room.last = max(room.last, said.seq)

    def _count(self, room: RoomView, said: Said) -> None:
        """Something unread by somebody else: does it name the user, does it call for them?"""
        named = room.direct or mentions(said.text, self.me)
        room.mentions += named
        replayed = said.seq <= room.last
        if not replayed and room.name not in self.muted and (self.notify == "all" or (named and self.notify != "none")):
            self.calls.append(said)

    def _joined(self, event: Joined) -> None:
        room = self.rooms.get(event.room)
        if room is not None and room.insert(event) and event.author not in room.members:
            room.members[event.author] = ONLINE
            room.count += 1

    def _left(self, event: Left) -> None:
        if event.author == self.me:
            self._forget(event.room)
            return
        room = self.rooms.get(event.room)
        if room is not None and room.insert(event) and room.members.pop(event.author, None) is not None:
            room.count -= 1
            room.typing.pop(event.author, None)

    def _forget(self, name: str) -> None:
        self.rooms.pop(name, None)
        if self.current == name:
            self.current = next((room.name for room in self.order()), "")

    def _topic_set(self, event: TopicSet) -> None:
        room = self.rooms.get(event.room)
        if room is not None and room.insert(event):
            room.topic = event.topic

    def _presence(self, notice: Presence) -> None:
        for room in self.rooms.values():
            for person in notice.people:
                if person.name in room.members:
                    room.members[person.name] = person.status
                    if person.status == OFFLINE:
                        room.typing.pop(person.name, None)

    def _typist(self, notice: Typist) -> None:
        room = self.rooms.get(notice.room)
        if room is not None and notice.name not in self.ignored | {self.me}:
            room.typing[notice.name] = None

    def _refused(self, notice: Refused) -> None:
        for room in self.rooms.values():
            if notice.label and notice.label == room.paging:
                room.paging = ""
            for own in room.own:
                if own.command.label == notice.label:
                    own.fate, own.reason = Fate.REFUSED, notice.sentence

    def _page_end(self, notice: PageEnd) -> None:
        room = self.rooms.get(notice.room)
        if room is not None and room.paging == notice.label:
            room.paging = ""

    def _marked(self, notice: Marked) -> None:
        room = self.rooms.get(notice.room)
        if room is not None and notice.seq > room.seen:
            room.seen = notice.seq
            if room.seen >= room.last:
                room.mentions = 0


def mentions(text: str, name: str) -> bool:
    """Whether a text names somebody: as a word of its own, in any case."""
    folded = text.casefold()
    if name not in folded:
        return False
    words = "".join(char if char.isalnum() or char in names.PUNCTUATION else " " for char in folded).split()
    return any(word.strip(names.PUNCTUATION) == name or word == name for word in words)


_APPLY: dict[type, Callable[[Model, Any], None]] = {
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
