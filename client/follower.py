"""`--tail`'s way through a room: one place kept over any number of connections. One thread, one plain loop."""

from __future__ import annotations

import time
from collections.abc import Iterator

from chat import names
from chat.messages import Join, Page, PageEnd, Refused, RoomState, Said
from client import failures
from client.connection import Connection, new_label
from client.failures import Failure
from client.place import Place


class Follower:
    """Iterate `messages` of one connection after the other: each of the room's messages comes once, in order."""

    def __init__(self, room: str, since: int | None) -> None:
        self._typed = room
        self._room = ""  # as the server calls it
        self._place = Place(since)
        self._join = ""  # label of the join under way

    def messages(self, connection: Connection) -> Iterator[Said]:
        """The next messages until the connection ends. Raises `Failure` if there is no going on."""
        self._place.lost()
        self._join = ""
        if not is_person(self._typed):
            self._enter(connection, self._typed)
        for message in connection:
            match message:
                case RoomState():
                    self._know(connection, message)
                case Said(room=self._room):
                    shown = self._place.take(message)
                    if shown is not None:
                        yield shown
                case PageEnd():
                    if not self._place.page_ended(message):
                        raise Failure(f"The server doesn't have every message of {self._room}; look at its log.")
                case Refused():
                    self._face(connection, message)
            page = self._place.ask(self._room, new_label())
            if page is not None:
                _try_to_send(connection, page)

    def _know(self, connection: Connection, state: RoomState) -> None:
        if state.label and state.label == self._join:
            self._room = state.room
            self._place.begin(state.last)
        elif not self._join and state.direct and is_person(self._typed):
            # A direct room is known by who is in it. It may be made only later: its state comes unasked then.
            partner = names.partner(state.room, connection.welcome.name)
            if partner.casefold() == self._typed[1:].casefold():
                self._room = state.room
                self._place.begin(state.last)
                self._enter(connection, state.room)

    def _enter(self, connection: Connection, room: str) -> None:
        """Join the room; a member just has replayed what comes after the place."""
        self._join = new_label()
        _try_to_send(connection, Join(self._join, room, self._place.shown))

    def _face(self, connection: Connection, refusal: Refused) -> None:
        page = self._place.refused(refusal.label)
        if not page and refusal.label != self._join:
            return  # an older request's
        if refusal.code != "too_fast":
            raise failures.Refused(refusal.code, refusal.sentence)
        time.sleep(refusal.wait)
        if not page:
            self._enter(connection, self._room or self._typed)


def is_person(room: str) -> bool:
    """Whether a room as typed means a person: `@alice`. (A direct room's own name is `@alice@bob`.)"""
    return room.startswith("@") and "@" not in room[1:]


def _try_to_send(connection: Connection, command: Join | Page) -> None:
    try:
        connection.send(command)
    except OSError:
        pass  # the iteration is about to end, and says why
