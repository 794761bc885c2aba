"""`chat-server --relay`: a tiny process that repeats beacons between the networks that its machine is in, or that its
hints reach. It serves nobody, keeps nothing on disk and has no key: what it repeats is signed by others.

One thread, one blocking socket, as the announcer's. Each beacon is repeated once on every interface but the one it
came by, with one hop more and at most `MAX_HOPS` of them; an old one is no news, so two relays between the same
networks don't play ping-pong.
"""

from __future__ import annotations

import signal
import time
from types import FrameType

from chat.beacon import Beacon, decode, passed_on
from chat.faults import PeerFault
from chat.interfaces import Interface, chosen
from server.beacon_socket import BeaconSocket, Came, face_of, interfaces
from server.children import log, start_logging
from server.gossip import Gossip
from server.hints import Address, Hints

TURN = 0.25
FOLLOWING = 1.0
"""Seconds between two looks at the machine's interfaces."""


class Relay:
    """`run` repeats beacons until `stop`, which may be called in a signal's handler. Raises OSError if the port is
    taken."""

    def __init__(self, beacon_port: int, hints: tuple[Address, ...], *, loopback_only: bool) -> None:
        self._loopback_only = loopback_only
        self._hints = Hints(hints)
        self._socket = BeaconSocket(beacon_port, loopback_only=loopback_only)
        self._gossip = Gossip(self._socket, self._hints)
        self._interfaces: tuple[Interface, ...] = ()
        self._running = True

    def run(self) -> None:
        self._hints.start()
        follow_due = 0.0
        while self._running:
            now = time.monotonic()
            if now >= follow_due:
                follow_due = now + FOLLOWING
                self._follow_interfaces()
            self._gossip.ask_around()
            self._receive()
        self._hints.stop()
        self._socket.close()

    def stop(self) -> None:
        self._running = False

    def _follow_interfaces(self) -> None:
        current = chosen(interfaces(), loopback_only=self._loopback_only)
        if current != self._interfaces:
            self._interfaces = current
            self._socket.follow(current)
            for face in current:
                self._gossip.ask_everybody(face)

    def _receive(self) -> None:
        try:
            came = self._socket.receive(TURN)
            if came is None:
                return
            received = decode(came.data)
        except (PeerFault, OSError):
            return
        face = face_of(came, self._interfaces)
        if face is None:
            return
        if isinstance(received.content, Beacon):
            if self._gossip.hear(received.content, received.hops, came, self._interfaces):
                self._repeat(came)
        elif received.content.wanted and self._gossip.may_answer(received.content, came, self._interfaces):
            self._gossip.tell(received.content, came, face)

    def _repeat(self, came: Came) -> None:
        datagram = passed_on(came.data)
        if datagram is None:
            return
        # A hint's answer was sent to this machine alone: the network it came through hasn't heard it either.
        alone = not came.to_everybody
        for face in self._interfaces:
            if not face.is_loopback and (alone or face.index != came.interface):
                self._socket.send_to_everybody(datagram, face)


def run(beacon_port: int, hints: tuple[Address, ...], *, loopback_only: bool = False) -> None:
    """Be a relay until SIGTERM or SIGINT. Raises OSError if the port is taken."""
    start_logging()
    relay = Relay(beacon_port, hints, loopback_only=loopback_only)

    def stop(number: int, frame: FrameType | None) -> None:
        relay.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info("relaying beacons on UDP port %d", beacon_port)
    print(f"relaying beacons on UDP port {beacon_port}", flush=True)
    relay.run()
