"""The other servers that one knows of, by their beacons: heard here, found by a hint, or told by others.

Pure: datagrams and times come in, datagrams go out. A beacon is kept as it came, signature and all, so whoever passes
it on can neither change it nor be made to vouch for it. It is kept for `LIFETIME` after the last *newer* one: an old
one that wanders about renews nothing, and after `MAX_HOPS` it goes no further. So no rumour outlives its server for
long, however servers and relays are wired.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from chat.beacon import Beacon, passed_on

LIFETIME = 45.0
"""Seconds without a newer beacon after which a server is forgotten."""
NEAR = 15.0
"""Seconds for which a network counts as one in which a server is heard: five announcements."""
MAX_NEIGHBOURS = 64


@dataclass(slots=True)
class Neighbour:
    """A server's newest beacon, its datagram, and the IP address it came from: empty if another passed it on."""

    beacon: Beacon
    datagram: bytes
    source: str
    rank: tuple[int, int]
    until: float
    near: dict[int, float] = field(default_factory=dict)
    """Interfaces on which everybody hears it, each with the time until which that holds."""


class Neighbours:
    """The newest beacon of each server but oneself (`me`, a key)."""

    def __init__(self, me: bytes = b"") -> None:
        self._me = me
        self._by_key: dict[bytes, Neighbour] = {}

    def wants(self, beacon: Beacon) -> bool:
        """Whether a beacon, if it is genuine, would tell something new: checking its signature is what costs."""
        if beacon.key == self._me:
            return False
        known = self._by_key.get(beacon.key)
        if known is None:
            return not beacon.leaving and len(self._by_key) < MAX_NEIGHBOURS
        return beacon.rank > known.rank

    def note_heard(self, beacon: Beacon, interface: int, now: float) -> None:
        """A beacon came to everybody on an interface, new or not: who is there needn't be told of its server."""
        known = self._by_key.get(beacon.key)
        if known is not None and beacon.rank >= known.rank:
            known.near[interface] = now + NEAR

    def take(self, beacon: Beacon, datagram: bytes, source: str, now: float) -> None:
        """Keep a genuine beacon that is wanted."""
        if beacon.leaving:
            self._by_key.pop(beacon.key, None)
            return
        known = self._by_key.get(beacon.key)
        if known is None:
            self._by_key[beacon.key] = Neighbour(beacon, datagram, source, beacon.rank, now + LIFETIME)
            return
        known.rank, known.until = beacon.rank, now + LIFETIME
        if beacon.page == 0:
            known.beacon, known.datagram, known.source = beacon, datagram, source

    def expire(self, now: float) -> None:
        for key in [key for key, known in self._by_key.items() if known.until <= now]:
            del self._by_key[key]

    def to_tell(self, interface: int, now: float) -> list[bytes]:
        """The datagrams that are news on an interface, each with one hop more, in a fixed order."""
        news = [known for _, known in sorted(self._by_key.items()) if known.near.get(interface, 0.0) < now]
        further = (passed_on(known.datagram) for known in news)
        return [datagram for datagram in further if datagram is not None]

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(list(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)
