"""What a search has seen, as lines: one for each server, whatever number of interfaces its beacons came by."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chat.beacon import Beacon, Presence
from client.config import Address
from client.search import Sighting

LIFETIME = 12.0
"""Seconds without a newer beacon after which a server counts as gone; one comes every three."""
FAR_LIFETIME = 30.0
"""The same for one that others tell of: what they know is a little old itself."""
MAX_SERVERS = 128


@dataclass(slots=True)
class Line:
    """A server as its newest beacon shows it, and the pages of its roster that have come."""

    beacon: Beacon
    address: Address
    until: float
    pages: dict[int, tuple[Presence, ...]] = field(default_factory=dict)

    @property
    def people(self) -> list[Presence]:
        everybody = {person.name: person for page in self.pages.values() for person in page}
        return [everybody[name] for name in sorted(everybody)]


class Lines:
    """The servers seen so far. `now` is the clock by which they grow old, monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._by_key: dict[bytes, Line] = {}

    def take(self, sighting: Sighting, address: Address) -> int:
        """Take note of a beacon; `address` is where its server is best reached. The page to ask for next, or 0."""
        beacon = sighting.beacon
        line = self._by_key.get(beacon.key)
        if line is None:
            if len(self._by_key) >= MAX_SERVERS or beacon.leaving:
                return 0
            line = self._by_key[beacon.key] = Line(beacon, address, 0.0)
        elif beacon.rank <= line.beacon.rank:
            return 0
        line.beacon = beacon
        if not sighting.hops:
            line.address = address
        line.until = self.now() + (FAR_LIFETIME if sighting.hops else LIFETIME)
        line.pages = {number: page for number, page in line.pages.items() if number < beacon.pages}
        line.pages[beacon.page] = beacon.people
        following = beacon.page + 1
        return following if sighting.asked and following < beacon.pages else 0

    def current(self) -> list[Line]:
        """Those that are there, by name: not those that said farewell, or fell silent."""
        now = self.now()
        lines = [line for line in self._by_key.values() if not line.beacon.leaving and line.until > now]
        return sorted(lines, key=lambda line: (line.beacon.name, line.beacon.key))
