"""Who is connected, for the beacon: written by the reader's loop, read by the announcer's thread, under a Lock.

A dict that one thread changes while another iterates it raises or lies, with or without the GIL; the lock is held
for the copy alone, so neither thread ever waits for the other's network call.
"""

from __future__ import annotations

import threading
import time

from chat.beacon import Presence


class Roster:
    """Connections by id, each with the name it logged in with and whether it is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[int, str] = {}
        self._away: dict[int, float] = {}  # since when, by the monotonic clock

    def arrive(self, connection: int, name: str) -> None:
        with self._lock:
            self._names[connection] = name

    def depart(self, connection: int) -> None:
        with self._lock:
            self._names.pop(connection, None)
            self._away.pop(connection, None)

    def set_away(self, connection: int, away: bool) -> None:
        with self._lock:
            if away:
                self._away.setdefault(connection, time.monotonic())
            else:
                self._away.pop(connection, None)

    def presences(self) -> tuple[Presence, ...]:
        """Everybody online, by name, each once: away if all their connections are, and since the last went."""
        now = time.monotonic()
        with self._lock:
            names, away = dict(self._names), dict(self._away)
        idle: dict[str, int] = {}
        for connection, name in names.items():
            seconds = max(1, int(now - away[connection])) if connection in away else 0
            idle[name] = min(idle.get(name, seconds), seconds)
        return tuple(Presence(name, seconds) for name, seconds in sorted(idle.items()))
