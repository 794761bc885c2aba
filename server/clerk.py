"""The clerk: turns a batch of intake into parcels, deciding with `chat.rooms` and keeping with the store.

No process, thread, queue or clock in here: the journal runs a clerk in its process, and a test runs one on a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat import names
from chat.codec import encode
from chat.faults import PeerFault
from chat.messages import (
    QUIET_ROOM,
    Goodbye,
    Join,
    Joined,
    Leave,
    Left,
    Login,
    Mark,
    Marked,
    Message,
    Page,
    Ping,
    Pong,
    Refused,
    Report,
    Reported,
    Rooms,
    Said,
    Say,
    Search,
    Statistics,
    Stats,
    Status,
    Tell,
    Topic,
    TopicSet,
    Typing,
    Typist,
    Welcome,
    Who,
)
from chat.messages import Presence as PresenceNotice
from chat.rooms import Order, Read, Room, apply, canonical, decide, room_of
from chat.values import Figure, Person
from server.parcels import (
    Answered,
    Arrived,
    Asked,
    Attach,
    Departed,
    Detach,
    Enter,
    Expel,
    Expelled,
    Find,
    Intake,
    Membership,
    Parcel,
    ReadPage,
    Replay,
    ToConnection,
    ToPerson,
    ToRoom,
    Traced,
)
from server.presence import Presence
from server.store import Store, Stored, StoreTrouble
from server.trails import mark
from server.views import room_list, room_state


@dataclass(slots=True)
class Peer:
    """A connection as the clerk knows it; `name` stays empty until its login is accepted."""

    key: bytes
    name: str = ""


class Clerk:
    """Everything that the server knows, and what it makes of what is asked."""

    def __init__(self, store: Store, server_name: str, figures: Callable[[], dict[str, int]] = dict) -> None:
        self._store = store
        self._figures = figures
        self._server_name = server_name
        self._state = store.load()
        names.skeleton("")  # makes its table: 12 ms and some megabytes, and not under the first login
        self._peers: dict[int, Peer] = {}
        self._presence = Presence()
        self._parcels: list[Parcel] = []
        self._uncommitted: list[Stored] = []
        self._labels: dict[tuple[str, str], bytes] = {}  # of this batch: not in the store yet
        self._trouble = ""

    def work(self, batch: list[Intake]) -> list[Parcel]:
        """Decide, keep and answer a batch. What is returned may be sent: it is on disk.

        If the disk refuses, whoever asked for something that must be kept is refused and the rest goes on.
        """
        try:
            return self._attempt(batch)
        except StoreTrouble as trouble:
            self._state = self._store.load()
            self._trouble = str(trouble)
            try:
                return self._attempt(batch)
            finally:
                self._trouble = ""

    @property
    def presence_untold(self) -> bool:
        return self._presence.untold

    def tell_presence(self) -> list[Parcel]:
        """Parcels that tell each room how its members' presence has changed since the last call."""
        by_room: dict[str, list[Person]] = {}
        for person in self._presence.take_changes():
            for room in self._state.rooms_of.get(person.name, ()):
                if not self._quiet(self._state.rooms[room]):
                    by_room.setdefault(room, []).append(person)
        return [ToRoom(room, (encode(PresenceNotice(tuple(who))),), 0) for room, who in by_room.items()]

    def _attempt(self, batch: list[Intake]) -> list[Parcel]:
        self._parcels, self._uncommitted, self._labels = [], [], {}
        for item in batch:
            _INTAKE[type(item)](self, item)
        self._store.commit(self._uncommitted)
        return self._parcels

    # --- intake -----------------------------------------------------------------------------------------------

    def _arrived(self, item: Arrived) -> None:
        self._peers[item.connection] = Peer(item.peer)
        self._parcels.append(Attach(item.connection, item.sending_key))

    def _departed(self, item: Departed) -> None:
        peer = self._peers.pop(item.connection, None)
        if peer is not None:
            self._forget_login(item.connection, peer)
        self._parcels.append(Detach(item.connection))

    def _forget_login(self, connection: int, peer: Peer) -> None:
        """The peer is nobody from here on: it has left, or the disk refused the name that its login had given it."""
        if peer.name:
            self._presence.depart(peer.name, connection)
            peer.name = ""

    def _answered(self, item: Answered) -> None:
        self._tell(item.connection, item.notice)

    def _expelled(self, item: Expelled) -> None:
        self._parcels.append(Expel(item.connection, (encode(item.notice),)))

    def _asked(self, item: Asked) -> None:
        peer = self._peers.get(item.connection)
        if peer is None or not (peer.name or isinstance(item.command, Login)):
            return  # its login was refused, and what it sent before it learned of that is void
        try:
            _COMMANDS[type(item.command)](self, item, peer, item.command)
        except PeerFault as fault:
            if isinstance(item.command, Login):
                self._forget_login(item.connection, peer)
                self._expelled(Expelled(item.connection, Goodbye(fault.code, fault.sentence)))
            else:
                label = getattr(item.command, "label", "")
                self._tell(item.connection, Refused(label, fault.code, fault.sentence))

    # --- commands ---------------------------------------------------------------------------------------------

    def _login(self, item: Asked, peer: Peer, command: Login) -> None:
        self._decide(item, peer)
        peer.name = names.person(command.name)
        rooms = tuple(self._state.rooms_of.get(peer.name, ()))
        self._presence.arrive(peer.name, item.connection)
        self._parcels.append(Enter(item.connection, peer.name, rooms))
        self._tell(item.connection, Welcome(peer.name, self._server_name, item.time, len(rooms)))
        for room in rooms:
            self._tell(item.connection, room_state(self._state, self._state.rooms[room], self._presence, peer.name))
        for cursor in command.cursors:
            name = canonical(cursor.room)
            if name in rooms:
                self._replay(item.connection, name, cursor.seq)

    def _ordered(self, item: Asked, peer: Peer, command: Say | Tell | Leave | Topic) -> None:
        stored = self._stored(peer.name, command.label)
        if stored is None:
            self._decide(item, peer)
        else:
            self._parcels.append(ToConnection(item.connection, (stored,)))

    def _join(self, item: Asked, peer: Peer, command: Join) -> None:
        if self._stored(peer.name, command.label) is None:
            self._decide(item, peer)
        room = room_of(self._state, peer.name, command.room)
        self._tell(item.connection, room_state(self._state, room, self._presence, peer.name, command.label))
        if command.since is not None:
            self._replay(item.connection, room.name, command.since)

    def _page(self, item: Asked, peer: Peer, command: Page) -> None:
        room = room_of(self._state, peer.name, command.room)
        page = ReadPage(item.connection, command.label, room.name, command.before, command.limit)
        self._parcels.append(page)

    def _mark(self, item: Asked, peer: Peer, command: Mark) -> None:
        self._decide(item, peer)

    def _search(self, item: Asked, peer: Peer, command: Search) -> None:
        if command.room:
            rooms: tuple[str, ...] = (room_of(self._state, peer.name, command.room).name,)
        else:
            rooms = tuple(self._state.rooms_of.get(peer.name, ()))
        self._parcels.append(Find(item.connection, rooms, command))

    def _who(self, item: Asked, peer: Peer, command: Who) -> None:
        room = room_of(self._state, peer.name, command.room)
        answer = room_state(self._state, room, self._presence, peer.name, command.label, everybody=True)
        self._tell(item.connection, answer)

    def _rooms(self, item: Asked, peer: Peer, command: Rooms) -> None:
        self._tell(item.connection, room_list(self._state, command.label))

    def _status(self, item: Asked, peer: Peer, command: Status) -> None:
        self._presence.set_away(peer.name, item.connection, command.away)

    def _typing(self, item: Asked, peer: Peer, command: Typing) -> None:
        room = room_of(self._state, peer.name, command.room)
        if not self._quiet(room):
            self._parcels.append(ToRoom(room.name, (encode(Typist(room.name, peer.name)),), 0))

    def _report(self, item: Asked, peer: Peer, command: Report) -> None:
        room = room_of(self._state, peer.name, command.room)
        if command.author in room.members:
            reported = Reported(command.label, peer.name, command.stamps)
            self._parcels.append(ToPerson(command.author, (encode(reported),)))

    def _stats(self, item: Asked, peer: Peer, command: Stats) -> None:
        figures = tuple(Figure(name, value) for name, value in self._figures().items())
        self._tell(item.connection, Statistics(command.label, item.time, figures[:1024]))

    def _ping(self, item: Asked, peer: Peer, command: Ping) -> None:
        self._tell(item.connection, Pong(command.label))

    # --- events -----------------------------------------------------------------------------------------------

    def _decide(self, item: Asked, peer: Peer) -> None:
        """Take the events that the command leads to: applied, placed for the commit, and addressed."""
        events = decide(self._state, Order(peer.name, peer.key, item.time, item.command))  # type: ignore[arg-type]
        if events and self._trouble:
            raise PeerFault("storage_full", self._trouble)
        newcomers = [event.author for event in events if isinstance(event, Joined)]
        for stored in self._store.place(events):
            apply(self._state, stored.event)
            self._uncommitted.append(stored)
            self._address(stored, newcomers if isinstance(item.command, Tell) else [])
            if item.stamps and isinstance(stored.event, Said):
                said = stored.event
                self._parcels.append(Traced(said.room, said.author, said.label, (*item.stamps, mark("decided"))))

    def _address(self, stored: Stored, told: list[str]) -> None:
        """Say who gets an event. Those in `told` don't know the room yet and get it as it is now."""
        event = stored.event
        if isinstance(event, Read):
            self._parcels.append(ToPerson(event.name, (encode(Marked(event.room, event.seq)),)))
        if not isinstance(event, (Said, Joined, Left, TopicSet)):
            return
        if event.label:
            self._labels[event.author, event.label] = stored.body
        room = self._state.rooms[event.room]
        if isinstance(event, Joined):
            self._parcels.append(Membership(event.author, event.room, True))
            if event.author in told:
                known = room_state(self._state, room, self._presence, event.author)
                self._parcels.append(ToPerson(event.author, (encode(known),)))
        if isinstance(event, (Joined, Left)) and self._quiet(room):
            self._parcels.append(ToPerson(event.author, (stored.body,)))
        else:
            self._parcels.append(ToRoom(event.room, (stored.body,), stored.position))
        if isinstance(event, Left):
            self._parcels.append(Membership(event.author, event.room, False))

    def _stored(self, author: str, label: str) -> bytes | None:
        return self._labels.get((author, label)) or self._store.find(author, label)

    def _replay(self, connection: int, room: str, since: int) -> None:
        self._parcels.append(Replay(connection, room, since, self._store.position))

    def _tell(self, connection: int, message: Message) -> None:
        self._parcels.append(ToConnection(connection, (encode(message),)))

    @staticmethod
    def _quiet(room: Room) -> bool:
        return len(room.members) > QUIET_ROOM


_INTAKE: dict[type, Callable[[Clerk, Any], None]] = {
    Arrived: Clerk._arrived,
    Asked: Clerk._asked,
    Answered: Clerk._answered,
    Expelled: Clerk._expelled,
    Departed: Clerk._departed,
}

_COMMANDS: dict[type, Callable[[Clerk, Asked, Peer, Any], None]] = {
    Login: Clerk._login,
    Say: Clerk._ordered,
    Tell: Clerk._ordered,
    Leave: Clerk._ordered,
    Topic: Clerk._ordered,
    Join: Clerk._join,
    Page: Clerk._page,
    Who: Clerk._who,
    Rooms: Clerk._rooms,
    Status: Clerk._status,
    Typing: Clerk._typing,
    Ping: Clerk._ping,
    Stats: Clerk._stats,
    Report: Clerk._report,
    Mark: Clerk._mark,
    Search: Clerk._search,
}
