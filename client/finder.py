"""Finding servers: a `Hunt` asks in every way at once, and tries every address that it hears of.

Hearing a beacon isn't enough to go by. Each address that it names is tried by a `Peek`, all of them together, in the
same selector as the search: the first one that proves the beacon's key is the server's. So a forged or stale beacon
costs a connection that leads nowhere, and a server that is seen on three interfaces is one server.

A server is its key. Where it was met before is only the first place to look.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterable
from dataclasses import dataclass

from chat.beacon import Beacon
from chat.interfaces import Interface, is_attached
from client.beacon_sockets import is_ip, is_loopback
from client.config import Address, Options, parse_address
from client.home import Home
from client.peek import Peek
from client.search import Search, Sighting

LIMIT = 1.4
"""Seconds that a search may take: people are promised 1.5."""

GRACE = 0.3
"""Seconds after the first answer in which others may still come."""
LOYALTY = 0.8
"""The same, if the server used last isn't among them yet."""

MAX_PEEKS = 48
"""Addresses tried in one search, whatever the beacons name."""

NAME_ONE = "name one with --server HOST[:PORT], or start chat-server"


def follow(options: Options, home: Home, key: bytes) -> Address | None:
    """Where the server of `key` is now, wherever it was; None if it isn't found."""
    known = Known(home)
    with Search(options, known.places) as search:
        hunt = Hunt(options, known, search, only=key)
        hunt.run()
    return hunt.proved[key].address if key in hunt.proved else None


class Known:
    """The servers met before, the one used last first."""

    def __init__(self, home: Home) -> None:
        servers = sorted(home.known_servers().items(), key=lambda item: -item[1]["last_used"])
        # Names aren't looked up here: a name server that is away would hold everything else up.
        self.addresses = [
            (address, bytes.fromhex(server["key"]))
            for where, server in servers
            if is_ip((address := parse_address(where))[0])
        ]
        self.places = [(address[0], key) for address, key in self.addresses]
        self.names: dict[bytes, str] = {}
        self.last_used: dict[bytes, float] = {}
        for _, server in servers:
            self.names.setdefault(bytes.fromhex(server["key"]), server["name"])
            self.last_used.setdefault(bytes.fromhex(server["key"]), server["last_used"])


@dataclass(frozen=True, slots=True)
class Found:
    """A server that has proved its key at an address."""

    key: bytes
    name: str
    address: Address
    met_before: bool
    online: int | None
    """How many are on it, if a beacon of it was heard."""


@dataclass(frozen=True, slots=True)
class Try:
    """An address that was tried, the key that it was to prove, and what came in the way (empty: nothing)."""

    address: Address
    key: bytes
    trouble: str


class Hunt:
    """One search for servers to talk to. With `only`, for the server of that key."""

    def __init__(self, options: Options, known: Known, search: Search, only: bytes = b"") -> None:
        self._search = search
        self._known = known
        self._only = only
        self._loopback_only = options.discovery == "loopback"
        self._peeks: dict[Peek, bytes] = {}  # with the key that each is to prove
        self._begun: set[tuple[Address, bytes]] = set()
        self._names = dict(known.names)
        self.sightings: dict[bytes, list[Sighting]] = {}
        """The newest sighting of each server on each interface."""
        self.tries: list[Try] = []
        self.proved: dict[bytes, Found] = {}
        for address, key in known.addresses:
            self._try(address, key, options.passphrase_file is not None)

    def run(self, *, in_a_hurry: bool = True, limit: float = LIMIT, to_the_end: bool = False) -> None:
        """Search until a server is `proved` and nothing better is to be expected, or the time is up.

        Not in a hurry, it also waits for others besides the server used last; or, for a check, to the very end.
        """
        first = 0.0
        for sighting in self._search.sightings(limit):
            if sighting is not None:
                self._consider(sighting)
            self._look_at_peeks()
            first = first or (time.monotonic() if self.proved else 0.0)
            if self.proved and not to_the_end and time.monotonic() >= first + self._patience(in_a_hurry):
                break
        for peek, key in self._peeks.items():
            self.tries.append(Try(peek.address, key, "no answer"))
            peek.close()

    def by_last_use(self) -> list[bytes]:
        """The keys of the servers that are there, the one used last first."""
        return sorted(self.proved, key=lambda key: -self._known.last_used.get(key, 0.0))

    def _patience(self, in_a_hurry: bool) -> float:
        """Seconds to wait for more after the first answer; nothing is better than the server used last."""
        if self._only or not in_a_hurry or not self._known.last_used:
            return 0.0 if self._only else GRACE
        return 0.0 if self._known.addresses[0][1] in self.proved else LOYALTY

    def _consider(self, sighting: Sighting) -> None:
        beacon = sighting.beacon
        others = [seen for seen in self.sightings.get(beacon.key, []) if seen.way is not sighting.way]
        self.sightings[beacon.key] = [*others, sighting]
        if beacon.leaving or (self._only and beacon.key != self._only):
            return
        self._names[beacon.key] = beacon.name
        for address in addresses(sighting, [way.interface for way in self._search.ways]):
            self._try(address, beacon.key, beacon.passphrase)

    def _try(self, address: Address, key: bytes, passphrase: bool) -> None:
        if (address, key) in self._begun or key in self.proved or len(self._begun) >= MAX_PEEKS:
            return
        if (self._loopback_only and not is_loopback(address[0])) or (self._only and key != self._only):
            return
        self._begun.add((address, key))
        try:
            peek = Peek(address, passphrase=passphrase)
        except OSError:
            return  # no such address family here, or no descriptor left
        self._peeks[peek] = key
        self._watch(peek)

    def _watch(self, peek: Peek) -> None:
        if not peek.over:
            events = selectors.EVENT_WRITE if peek.wants_to_write else selectors.EVENT_READ
            self._search.watch(peek.socket, events, lambda: self._go_on(peek))

    def _go_on(self, peek: Peek) -> None:
        self._search.unwatch(peek.socket)
        peek.go_on()
        self._watch(peek)

    def _look_at_peeks(self) -> None:
        for peek, key in [item for item in self._peeks.items() if item[0].over]:
            del self._peeks[peek]
            peek.close()
            if peek.key == key:
                self.proved.setdefault(key, self._found(key, peek.address))
            self.tries.append(Try(peek.address, key, "" if peek.key == key else peek.trouble or "another key answers"))

    def _found(self, key: bytes, address: Address) -> Found:
        seen = [sighting.beacon for sighting in self.sightings.get(key, [])]
        online = max(seen, key=lambda beacon: beacon.rank).online if seen else None
        return Found(key, self._names.get(key, ""), address, key in self._known.last_used, online)


def addresses(sighting: Sighting, interfaces: Iterable[Interface]) -> list[Address]:
    """Where a beacon's server may be reached from here, the likeliest first."""
    beacon, faces = sighting.beacon, list(interfaces)
    heard_on_loopback = is_loopback(sighting.source)
    ips = [place.ip for place in beacon.places if heard_on_loopback or not is_loopback(place.ip)]
    ips.sort(key=lambda ip: (ip != sighting.source, not is_attached(ip, faces)))
    near = [ip for ip in ips if ip == sighting.source or is_attached(ip, faces)]
    far = [ip for ip in ips if ip not in near]
    found = [*((ip, beacon.port) for ip in near), *advertised(beacon), *((ip, beacon.port) for ip in far)]
    return list(dict.fromkeys(found))


def advertised(beacon: Beacon) -> list[Address]:
    """The address that a server names for those elsewhere, if it names one."""
    try:
        return [parse_address(beacon.advertised)]
    except ValueError:
        return []
