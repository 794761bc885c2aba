"""Admission: how many connections one address may have, and how many may be without a login at a time."""

from __future__ import annotations

from collections import Counter

from server.connection import Connection

MAX_NAMELESS = 2_000
"""Connections that haven't logged in; one more, and the oldest of them is ended."""


class Admission:
    """Counts connections. `per_address` bounds those of one address; 0 doesn't."""

    def __init__(self, per_address: int) -> None:
        self._per_address = per_address
        self._by_address: Counter[str] = Counter()
        self._nameless: dict[int, Connection] = {}  # the oldest first

    def enter(self, connection: Connection) -> bool:
        """Count a new connection; False if its address has too many already."""
        if self._per_address and self._by_address[connection.address] >= self._per_address:
            return False
        self._by_address[connection.address] += 1
        self._nameless[connection.id] = connection
        return True

    def surplus(self) -> Connection | None:
        """The connection to end, if there are too many without a login."""
        return next(iter(self._nameless.values())) if len(self._nameless) > MAX_NAMELESS else None

    def prove(self, connection: Connection) -> None:
        """It has logged in."""
        self._nameless.pop(connection.id, None)

    def leave(self, connection: Connection) -> None:
        self._nameless.pop(connection.id, None)
        self._by_address[connection.address] -= 1
        if not self._by_address[connection.address]:
            del self._by_address[connection.address]
