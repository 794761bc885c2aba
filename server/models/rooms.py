"""The rooms: intake in, mail out. All that a server knows and decides, without a socket, thread or process.

The clerk, the router and the replays are the pipeline's; there they work in three processes, here in one call.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat.codec import chunks, encode
from chat.messages import PageEnd, SearchEnd, Trail
from server.clerk import Clerk
from server.models.door import TICK
from server.models.memory import Memory
from server.parcels import (
    Attach,
    Detach,
    Enter,
    Expel,
    Find,
    Intake,
    Membership,
    ReadPage,
    Replay,
    ToConnection,
    ToPerson,
    ToRoom,
    Traced,
    coalesce,
)
from server.replays import Replays
from server.router import Router
from server.store import StoreTrouble
from server.trails import MAX_TRAILS, mark

REPLAY_TICK = 0.005
"""Seconds between two pages of a replay whose client had no room for more."""


@dataclass(slots=True)
class Letter:
    """Encoded messages for one connection, in order; after the `last` letter it is shut down."""

    messages: list[bytes]
    last: bool = False


Mail = dict[int, Letter]
"""By connection: what it gets."""


class Rooms:
    """One call at a time: whoever shares this among threads or processes sees to that.

    `has_room` is asked whether a connection can take more of a replay.
    """

    def __init__(self, server_name: str, has_room: Callable[[int], bool]) -> None:
        self._memory = Memory()
        self._clerk = Clerk(self._memory, server_name)
        self._history = self._memory.history()
        self._replays = Replays(self._history)
        self._router = Router()
        self._has_room = has_room
        self._presence_due = 0.0
        self._mail: Mail = {}

    def work(self, intake: list[Intake]) -> Mail:
        """The mail that `intake` leads to, and what is due. Call it with nothing after `patience` seconds."""
        parcels = coalesce(self._clerk.work(intake)) if intake else []
        now = time.monotonic()
        if self._clerk.presence_untold and now >= self._presence_due:
            parcels += self._clerk.tell_presence()
            self._presence_due = now + TICK
        for parcel in parcels:
            _SORT[type(parcel)](self, parcel)
        for connection in self._replays.connections():
            if self._has_room(connection):
                self._write(connection, self._replays.next_page(connection))
        mail, self._mail = self._mail, {}
        return mail

    @property
    def patience(self) -> float:
        """Seconds after which `work` wants to be called, even if nothing comes."""
        return REPLAY_TICK if self._replays.connections() else TICK

    def _write(self, connection: int, messages: list[bytes]) -> Letter:
        letter = self._mail.setdefault(connection, Letter([]))
        letter.messages += messages
        return letter

    def _attach(self, parcel: Attach) -> None:
        """The line has its cipher itself."""

    def _enter(self, parcel: Enter) -> None:
        self._router.enter(parcel)

    def _membership(self, parcel: Membership) -> None:
        self._router.change(parcel)

    def _to_connection(self, parcel: ToConnection) -> None:
        self._write(parcel.connection, list(parcel.messages))

    def _to_person(self, parcel: ToPerson) -> None:
        for connection in self._router.of_person(parcel.name):
            self._write(connection, list(parcel.messages))

    def _to_room(self, parcel: ToRoom) -> None:
        pieces = chunks(list(parcel.messages))  # joined once for the room, however many members it has
        for connection in self._router.in_room(parcel.room):
            if not self._replays.postpone(connection, parcel.room, parcel.position):
                self._write(connection, pieces)

    def _traced(self, parcel: Traced) -> None:
        trail = Trail(parcel.room, parcel.author, parcel.label, (*parcel.stamps, mark("rooms")))
        for connection in itertools.islice(self._router.in_room(parcel.room), MAX_TRAILS):
            self._write(connection, [encode(trail)])

    def _replay(self, parcel: Replay) -> None:
        self._replays.add(parcel)

    def _read_page(self, parcel: ReadPage) -> None:
        rows = self._history.page(parcel.room, parcel.before, parcel.limit)
        end = PageEnd(parcel.label, parcel.room, rows[0][0] if rows else 0)
        self._write(parcel.connection, [*(body for _, body in rows), encode(end)])

    def _find(self, parcel: Find) -> None:
        with contextlib.suppress(StoreTrouble):  # full: what is indexed is found
            self._memory.index()
        label, limit = parcel.search.label, parcel.search.limit
        hits = list(itertools.islice(self._history.search(parcel.rooms, parcel.search), limit + 1))
        end = SearchEnd(label, min(len(hits), limit), len(hits) > limit)
        self._write(parcel.connection, [*map(encode, hits[:limit]), encode(end)])

    def _expel(self, parcel: Expel) -> None:
        self._write(parcel.connection, list(parcel.messages)).last = True
        self._forget(parcel)

    def _forget(self, parcel: Expel | Detach) -> None:
        self._router.forget(parcel.connection)
        self._replays.forget(parcel.connection)


_SORT: dict[type, Callable[[Rooms, Any], None]] = {
    Attach: Rooms._attach,
    Enter: Rooms._enter,
    Membership: Rooms._membership,
    ToConnection: Rooms._to_connection,
    ToPerson: Rooms._to_person,
    ToRoom: Rooms._to_room,
    Traced: Rooms._traced,
    Replay: Rooms._replay,
    ReadPage: Rooms._read_page,
    Find: Rooms._find,
    Expel: Rooms._expel,
    Detach: Rooms._forget,
}
