"""The router: who gets what. Follows the parcels of the journal and keeps the membership that they tell.

Pure bookkeeping over connection ids, without a socket: a fan-out worker drives it, and so does a test.
"""

from __future__ import annotations

from collections.abc import Collection

from server.parcels import Enter, Membership


class Router:
    """The logged-in connections of one worker: by id, by person and by room."""

    def __init__(self) -> None:
        self._name_of: dict[int, str] = {}
        self._connections_of: dict[str, dict[int, None]] = {}
        self._rooms_of: dict[str, dict[str, None]] = {}  # of the people with a connection here
        self._in_room: dict[str, dict[int, None]] = {}

    def enter(self, parcel: Enter) -> None:
        name, connection = parcel.name, parcel.connection
        self._name_of[connection] = name
        self._connections_of.setdefault(name, {})[connection] = None
        self._rooms_of[name] = dict.fromkeys(parcel.rooms)
        for room in parcel.rooms:
            self._in_room.setdefault(room, {})[connection] = None

    def change(self, parcel: Membership) -> None:
        connections = self._connections_of.get(parcel.name)
        if not connections:
            return
        if parcel.member:
            self._rooms_of[parcel.name][parcel.room] = None
            self._in_room.setdefault(parcel.room, {}).update(connections)
        else:
            self._rooms_of[parcel.name].pop(parcel.room, None)
            for connection in connections:
                self._leave(parcel.room, connection)

    def forget(self, connection: int) -> None:
        """Route nothing to this connection any more."""
        name = self._name_of.pop(connection, None)
        if name is None:
            return
        for room in self._rooms_of[name]:
            self._leave(room, connection)
        del self._connections_of[name][connection]
        if not self._connections_of[name]:
            del self._connections_of[name], self._rooms_of[name]

    def in_room(self, room: str) -> Collection[int]:
        """The connections of a room's members."""
        return self._in_room.get(room, ())

    def of_person(self, name: str) -> Collection[int]:
        """The connections of one person."""
        return self._connections_of.get(name, ())

    def name_of(self, connection: int) -> str:
        """Who is logged in on a connection; empty if nobody is."""
        return self._name_of.get(connection, "")

    def __len__(self) -> int:
        return len(self._name_of)

    def _leave(self, room: str, connection: int) -> None:
        connections = self._in_room.get(room)
        if connections is not None:
            connections.pop(connection, None)
            if not connections:
                del self._in_room[room]
