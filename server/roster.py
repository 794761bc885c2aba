"""Who is connected, for the beacon: written by the reader's loop, read by the announcer's thread, under a Lock.

A dict that one thread changes while another iterates it raises or lies, with or without the GIL; the lock is held
for the copy alone, so neither thread ever waits for the other's network call.
"""

from __future__ import annotations

import threading

from chat.messages import AWAY, ONLINE, Person


class Roster:
    """Connections by id, each with the name it logged in with and whether it is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[int, str] = {}
        self._away: set[int] = set()

    def arrive(self, connection: int, name: str) -> None:
        with self._lock:
            self._names[connection] = name

    def depart(self, connection: int) -> None:
        with self._lock:
            self._names.pop(connection, None)
            self._away.discard(connection)

    def set_away(self, connection: int, away: bool) -> None:
        with self._lock:
            if away:
                self._away.add(connection)
            else:
                self._away.discard(connection)

    def people(self) -> tuple[Person, ...]:
        """Everybody online, by name, each once: away if all their connections are."""
        with self._lock:
            names, away = dict(self._names), set(self._away)
        online: dict[str, bool] = {}
        for connection, name in names.items():
            online[name] = online.get(name, True) and connection in away
        return tuple(Person(name, AWAY if gone else ONLINE) for name, gone in sorted(online.items()))
