"""Finding the server: `locate` asks in every way at once and returns the first address that proves its key.

Hearing a beacon isn't enough to go by. Each address that it names is tried by a `Peek`, all of them together, in the
same selector as the search: the first one that proves the beacon's key is the server's. So a forged or stale beacon
costs a connection that leads nowhere, and a server that is seen on three interfaces is one server.
"""

from __future__ import annotations

import ipaddress
import selectors
import time
from collections.abc import Iterable

from chat.interfaces import Interface, is_attached
from chat.text import safe_text
from client.config import Address, Options, parse_address
from client.failures import Unreachable
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


def locate(options: Options, home: Home) -> Address:
    """The server that `--server` names, else the one that is found. Raises `Unreachable`."""
    if options.server is not None:
        return options.server
    with Search(options) as search:
        hunt = Hunt(options, home, search)
        found = hunt.run()
        if found is not None:
            return found
        raise Unreachable(f"{hunt.why_nothing()}; {NAME_ONE}.")


class Hunt:
    """One search for a server to talk to."""

    def __init__(self, options: Options, home: Home, search: Search) -> None:
        self._search = search
        self._loopback_only = options.discovery == "loopback"
        known = home.known_servers()
        self._last_used: dict[bytes, float] = {}
        self._peeks: dict[Peek, bytes] = {}  # with the key that each is to prove
        self._tried: set[tuple[Address, bytes]] = set()
        self._names: dict[bytes, str] = {}
        self._proved: dict[bytes, Address] = {}
        self._troubles: list[str] = []
        for where, server in sorted(known.items(), key=lambda item: -item[1]["last_used"]):
            key = bytes.fromhex(server["key"])
            self._last_used.setdefault(key, server["last_used"])
            self._try(parse_address(where), key, options.passphrase_file is not None)

    def run(self) -> Address | None:
        """The address to use, or None once the time is up."""
        first = 0.0
        try:
            for sighting in self._search.sightings(LIMIT):
                if sighting is not None:
                    self._consider(sighting)
                self._look_at_peeks()
                first = first or (time.monotonic() if self._proved else 0.0)
                if self._proved and time.monotonic() >= first + self._patience():
                    break
        finally:
            for peek in self._peeks:
                peek.close()
        return self._proved[self._best()] if self._proved else None

    def why_nothing(self) -> str:
        """A sentence's beginning that says how far the search has come."""
        if self._troubles:
            return f"No server answers ({safe_text(self._troubles[0])})"
        where = "on this machine" if self._loopback_only else "on the network"
        return f"No server was found {where}"

    def _patience(self) -> float:
        """Seconds to wait for more after the first answer; nothing is better than the server used last."""
        if not self._last_used:
            return GRACE
        return 0.0 if max(self._last_used, key=self._last_used.__getitem__) in self._proved else LOYALTY

    def _best(self) -> bytes:
        return max(self._proved, key=lambda key: self._last_used.get(key, 0.0))

    def _consider(self, sighting: Sighting) -> None:
        beacon = sighting.beacon
        if beacon.leaving:
            return
        self._names[beacon.key] = beacon.name
        for address in addresses(sighting, [way.interface for way in self._search.ways]):
            self._try(address, beacon.key, beacon.passphrase)

    def _try(self, address: Address, key: bytes, passphrase: bool) -> None:
        if (address, key) in self._tried or key in self._proved or len(self._tried) >= MAX_PEEKS:
            return
        if self._loopback_only and not _is_loopback(address[0]):
            return
        self._tried.add((address, key))
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
                self._proved.setdefault(key, peek.address)
            else:
                host, port = peek.address
                self._troubles.append(f"{host}:{port}: {peek.trouble or 'another key than announced'}")


def addresses(sighting: Sighting, interfaces: Iterable[Interface]) -> list[Address]:
    """Where a beacon's server may be reached from here, the likeliest first."""
    beacon, faces = sighting.beacon, list(interfaces)
    heard_on_loopback = _is_loopback(sighting.source)
    ips = [place.ip for place in beacon.places if heard_on_loopback or not _is_loopback(place.ip)]
    ips.sort(key=lambda ip: (ip != sighting.source, not is_attached(ip, faces)))
    found = [(ip, beacon.port) for ip in ips]
    try:
        advertised = [parse_address(beacon.advertised)]
    except ValueError:
        advertised = []
    reachable = [address for address in found if address[0] == sighting.source or is_attached(address[0], faces)]
    return [*reachable, *advertised, *(address for address in found if address not in reachable)]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
