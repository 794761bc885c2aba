"""`Search`: every way to hear of servers, at once: probes on each interface, by broadcast and by multicast, and the
beacons that are in the air anyway. One thread, one selector; nothing in it waits for anything else.

A socket for each interface, bound to its address, so that what comes back says by which way it came. A second kind of
socket listens on the beacons' own port, bound to the group's and the broadcast addresses: bound to 0.0.0.0 it would
take the unicast datagrams from a server on the same machine.
"""

from __future__ import annotations

import secrets
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import ifaddr

from chat.beacon import MAX_DATAGRAM, NONCE, Beacon, Probe, decode, encode_probe, is_genuine
from chat.faults import PeerFault
from chat.interfaces import GROUP, Interface, chosen
from client.config import Options

PROBES_AT = (0.0, 0.15, 0.45, 0.9)
"""Seconds after the start at which everybody is asked: a datagram may be lost."""
CHECKS_A_SECOND = 400
"""Signatures checked in a second at the most: noise must not keep the client from what is true."""

_IP_MULTICAST_ALL = 49  # <linux/in.h>: 0 keeps out what other sockets have joined for, on other interfaces


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


@dataclass(frozen=True, slots=True)
class Sighting:
    """A genuine beacon, where it came from, and how."""

    beacon: Beacon
    source: str
    way: Way
    asked: bool
    """Whether it answers this search's own probe, and so was made just now."""
    hops: int


def interfaces() -> list[Interface]:
    """This machine's IPv4 interfaces as they are now."""
    return [
        Interface(adapter.nice_name, adapter.index or 0, ip.ip, ip.network_prefix)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str)
    ]


class Search:
    """Use it in a `with`; iterate `sightings`. `ways` then tells what was done and what came of it."""

    def __init__(self, options: Options) -> None:
        self._port = options.beacon_port
        self._nonce = secrets.token_bytes(NONCE)
        self._selector = selectors.DefaultSelector()
        self._checks = 0
        self._second = 0
        self._seen: dict[bytes, tuple[int, int]] = {}
        self.ways = [Way(face) for face in chosen(interfaces(), loopback_only=options.discovery == "loopback")]
        self._askers: list[tuple[socket.socket, Way]] = []
        for way in self.ways:
            self._open(way)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def sightings(self, seconds: float) -> Iterator[Sighting | None]:
        """What is seen within `seconds`, and None at each moment of quiet, for the one who calls to act in between."""
        began = time.monotonic()
        probes = list(PROBES_AT)
        while (passed := time.monotonic() - began) < seconds:
            if probes and passed >= probes[0]:
                del probes[0]
                self._ask_everybody()
            until = min(probes[0] if probes else seconds, seconds)
            for key, _ in self._selector.select(min(0.05, max(0.0, until - passed))):
                yield from key.data()
            yield None

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
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(face.ip))
            asker.bind((face.ip, 0))
        except OSError as error:
            asker.close()
            way.failed.append(f"{face.ip}: {error.strerror}")
            return
        self._askers.append((asker, way))
        self._register(asker, way)
        for address in face.everybody:
            self._listen(address, way)

    def _listen(self, address: str, way: Way) -> None:
        """Hear what is sent to everybody. It is only one of several ways: what can't be had is done without."""
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT") and sys.platform != "linux":
                ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if sys.platform == "linux":
                ear.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            ear.bind(("" if sys.platform == "win32" else address, self._port))
            if address == GROUP:
                membership = socket.inet_aton(GROUP) + socket.inet_aton(way.interface.ip)
                ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError:
            ear.close()
            return
        self._register(ear, way)

    def _register(self, sock: socket.socket, way: Way) -> None:
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._hear(sock, way))

    def _ask_everybody(self) -> None:
        datagram = encode_probe(Probe(self._nonce))
        for asker, way in self._askers:
            for address in way.interface.everybody:
                try:
                    asker.sendto(datagram, (address, self._port))
                    way.sent.append(address)
                except OSError as error:
                    way.failed.append(f"{address}: {error.strerror}")

    def _hear(self, sock: socket.socket, way: Way) -> Iterator[Sighting]:
        for _ in range(64):  # then the others have their turn
            try:
                datagram, (source, _) = sock.recvfrom(MAX_DATAGRAM + 1)
            except OSError:
                return
            beacon = self._checked(datagram)
            if beacon is not None:
                asked = beacon.nonce == self._nonce
                way.answers += asked
                way.heard += not asked
                yield Sighting(beacon, source, way, asked, datagram[7])

    def _checked(self, datagram: bytes) -> Beacon | None:
        """The beacon in a datagram, if it is one, is new, and is signed by the key that it names."""
        try:
            beacon = decode(datagram).content
        except PeerFault:
            return None
        if not isinstance(beacon, Beacon) or (beacon.nonce and beacon.nonce != self._nonce):
            return None
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._checks = second, 0
        self._checks += 1
        return beacon if self._checks <= CHECKS_A_SECOND and is_genuine(datagram, beacon) else None
