"""`Search`: every way to hear of servers, at once: probes on each interface, by broadcast and by multicast, questions
to servers met before, and the beacons that are in the air anyway. One thread, one selector; nothing in it waits for
anything else.
"""

from __future__ import annotations

import itertools
import secrets
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from chat.beacon import MAX_DATAGRAM, NONCE, Beacon, Probe, decode, encode_probe, is_genuine
from chat.faults import PeerFault
from chat.interfaces import Interface, chosen
from client.beacon_sockets import asker, ear, interfaces, is_loopback
from client.config import Options

PROBES_AT = (0.0, 0.15, 0.45, 0.9)
"""Seconds after the start at which everybody is asked: a datagram may be lost."""
AGAIN = 2.0
"""Seconds between two questions afterwards, in a search that goes on."""
QUIET = 0.05
"""Seconds after which the one who calls gets a turn although nothing came."""

CHECKS_A_SECOND = 400
"""Signatures checked in a second at the most: noise must not keep the client from what is true."""
READS_A_TURN = 64
MAX_TARGETS = 8
"""Servers met before that are asked at their address: the ones used last."""
MAX_WANTED = 16
"""Servers that one source is asked to tell of; the number of such sources has the same bound."""
MAX_SERVERS = 256
"""Servers of which the newest beacon's rank is remembered."""


@dataclass(slots=True)
class Way:
    """One interface in a search, and what happened on it."""

    interface: Interface
    sent: list[str] = field(default_factory=list)
    """Addresses that something was sent to."""
    failed: list[str] = field(default_factory=list)
    answers: int = 0
    heard: int = 0
    """Beacons that came unasked."""
    noise: int = 0
    """Datagrams that were no genuine beacons."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A genuine beacon, where it came from, and how."""

    beacon: Beacon
    source: str
    way: Way
    asked: bool
    """Whether it answers this search's own probe, and so was made just now."""
    hops: int


class Search:
    """Use it in a `with`; iterate `sightings`. `ways` then tells what was done and what came of it."""

    def __init__(self, options: Options, known: Sequence[tuple[str, bytes]] = ()) -> None:
        """`known` are servers met before, by IP address and key: they are asked wherever they are."""
        on_loopback = options.discovery == "loopback"
        self._port = options.beacon_port
        self._nonce = secrets.token_bytes(NONCE)
        self._selector = selectors.DefaultSelector()
        self._checks = self._second = 0
        self._newest: dict[bytes, tuple[int, int]] = {}  # rank of the newest beacon, by key
        self._told: dict[str, int] = {}  # how many servers each source has told of
        self._known = [(ip, key) for ip, key in known if "." in ip and (is_loopback(ip) or not on_loopback)]
        self._known = self._known[:MAX_TARGETS]
        self._askers: list[tuple[socket.socket, Way]] = []
        self.ways = [Way(face) for face in chosen(interfaces(), loopback_only=on_loopback)]
        self.elsewhere = Way(Interface("elsewhere", 0, "0.0.0.0", 32))
        """What was asked of servers met before, by the routing table."""
        for way in self.ways:
            self._open(way)
        if self._known:
            self._open(self.elsewhere)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def sightings(self, seconds: float) -> Iterator[Sighting | None]:
        """What is seen within `seconds`, and None at each moment of quiet, for the one who calls to act in between."""
        began = time.monotonic()
        probes = itertools.chain(PROBES_AT, itertools.count(AGAIN, AGAIN))
        due = next(probes)
        while (passed := time.monotonic() - began) < seconds:
            if passed >= due:
                due = next(probes)
                self._ask_everybody()
            for key, _ in self._selector.select(min(QUIET, max(0.0, min(due, seconds) - passed))):
                yield from key.data()
            yield None

    def ask_page(self, sighting: Sighting, page: int) -> None:
        """Ask a server for another part of its roster."""
        self._ask(sighting.way, sighting.source, Probe(self._nonce, page=page, key=sighting.beacon.key))

    def watch(self, sock: socket.socket, events: int, call: Callable[[], None]) -> None:
        """Call `call` during the search when a socket of one's own is ready (selectors.EVENT_READ or EVENT_WRITE)."""

        def ready() -> Iterator[Sighting]:
            call()
            return iter(())

        self._selector.register(sock, events, ready)

    def unwatch(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)

    def _open(self, way: Way) -> None:
        face = way.interface
        try:
            sock = asker(face.ip)
        except OSError as error:
            way.failed.append(f"{face.ip}: {error.strerror}")
            return
        self._askers.append((sock, way))
        self._register(sock, way)
        for address in () if way is self.elsewhere else face.everybody:
            try:
                self._register(ear(address, face.ip, self._port), way)
            except OSError:
                pass  # one way of several: what can't be had is done without

    def _register(self, sock: socket.socket, way: Way) -> None:
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._hear(sock, way))

    def _ask_everybody(self) -> None:
        for _, way in self._askers:
            for address in () if way is self.elsewhere else way.interface.everybody:
                self._ask(way, address, Probe(self._nonce))
                self._ask(way, address, Probe(self._nonce, wanted=1))
        for ip, key in self._known:
            self._ask(self.elsewhere, ip, Probe(self._nonce, key=key))
            self._ask(self.elsewhere, ip, Probe(self._nonce, wanted=1, key=key))

    def _ask(self, way: Way, address: str, probe: Probe) -> None:
        sock = next((sock for sock, of in self._askers if of is way), None)
        if sock is None:
            return
        try:
            sock.sendto(encode_probe(probe), (address, self._port))
            way.sent.append(address)
        except OSError as error:
            way.failed.append(f"{address}: {error.strerror}")

    def _ask_further(self, way: Way, source: str) -> None:
        """Somebody has told of another server: ask them for the next one that they know of."""
        told = self._told.get(source, 1) + 1
        if told <= MAX_WANTED and (source in self._told or len(self._told) < MAX_WANTED):
            self._told[source] = told
            self._ask(way, source, Probe(self._nonce, wanted=told, key=dict(self._known).get(source, b"")))

    def _hear(self, sock: socket.socket, way: Way) -> Iterator[Sighting]:
        for _ in range(READS_A_TURN):
            try:
                datagram, (source, _port) = sock.recvfrom(MAX_DATAGRAM + 1)
            except OSError:
                return
            try:
                received = decode(datagram)
            except PeerFault:
                way.noise += 1
                continue
            if isinstance(received.content, Beacon):
                yield from self._meet(received.content, received.hops, datagram, source, way)

    def _meet(self, beacon: Beacon, hops: int, datagram: bytes, source: str, way: Way) -> Iterator[Sighting]:
        asked = beacon.nonce == self._nonce
        if beacon.nonce and not asked and not hops:
            return  # the answer to somebody else
        if self._newest.get(beacon.key, (0, 0)) > beacon.rank:
            return
        if not self._may_check() or not is_genuine(datagram, beacon):
            way.noise += 1
            return
        if beacon.key in self._newest or len(self._newest) < MAX_SERVERS:
            self._newest[beacon.key] = beacon.rank
        way.answers += asked
        way.heard += not asked
        if hops:
            self._ask_further(way, source)
        yield Sighting(beacon, source, way, asked, hops)

    def _may_check(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._checks = second, 0
        self._checks += 1
        return self._checks <= CHECKS_A_SECOND
