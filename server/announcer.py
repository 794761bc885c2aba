"""The announcer: a thread with a blocking UDP socket. It says on every interface that the server is here, and answers
those who ask.

A thread is the right model for this: it spends its life in one blocking call, needs no more than a few datagrams a
second, and shares a single value with the rest, the roster, of which it takes a copy under a Lock. It runs beside the
reader in the main process and holds the GIL only for moments, because whatever could keep it busy has a bound: so
many answers and checked signatures a second for one source, so many for all (server/gossip.py).

It answers a probe only with something that is no larger, and only if the probe came from a network that this machine
is attached to. From elsewhere it must name this server's key: that is what somebody does who has met the server, and
a stranger who tries addresses can't. What it knows of other servers is server/gossip.py's business.
"""

from __future__ import annotations

import ipaddress
import random
import threading
import time
from dataclasses import dataclass, field, replace

from chat.beacon import (
    MAX_DATAGRAM,
    MAX_NAME,
    MAX_PLACES,
    Beacon,
    Place,
    Probe,
    clip,
    decode,
    encode_beacon,
    pages_of,
    place,
)
from chat.faults import PeerFault
from chat.interfaces import Interface, chosen
from chat.secure import public_key
from chat.signing import Signer
from server.beacon_socket import BeaconSocket, Came, face_of, interfaces
from server.children import log
from server.gauges import Panel
from server.gossip import Gossip
from server.hints import Address, Hints
from server.roster import Roster

INTERVAL = 3.0
"""Seconds between two announcements, a fifth more or less: servers that started together drift apart."""
SETTLING = 0.5
"""Seconds that must lie between two announcements, however much changes."""
TURN = 0.25
"""Seconds that the thread waits for a datagram before it looks whether something has changed."""
FOLLOWING = 1.0
"""Seconds between two looks at the machine's interfaces."""

PAGES_A_ROUND = 8
"""Pages of a large roster in one announcement; the next one goes on after them."""

STOP_LIMIT = 1.0


@dataclass(frozen=True, slots=True)
class Announcement:
    """What there is to announce. `host` is the address that the server is bound to, not its name; on loopback the
    beacons stay there too."""

    private_key: bytes
    name: str
    host: str
    port: int
    beacon_port: int
    passphrase: bool
    advertised: str = ""
    """HOST:PORT to tell those who can't use the machine's own addresses."""
    started: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    """What tells this instance's beacons from those of an earlier one: the higher number is the later instance."""
    hints: tuple[Address, ...] = ()
    """Servers in other networks, to learn of them and to tell of them."""

    @property
    def on_loopback(self) -> bool:
        return ipaddress.ip_address(self.host).is_loopback


class Announcer:
    """`start` it once the server listens, `stop` it when it goes. A port that is taken costs the beacons alone."""

    def __init__(self, announcement: Announcement, roster: Roster, panel: Panel) -> None:
        self._say = announcement
        self._roster = roster
        self._panel = panel
        self._key = public_key(announcement.private_key)
        self._signer = Signer(announcement.private_key)
        self._serial = 0
        self._interfaces: tuple[Interface, ...] = ()
        self._pages: list[Beacon] = []
        self._next_page = 0
        self._hints = Hints(announcement.hints)
        self._socket: BeaconSocket
        self._gossip: Gossip
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    def start(self) -> None:
        """Begin. A port that can't be had is logged, and the server goes on without beacons."""
        try:
            self._socket = BeaconSocket(self._say.beacon_port, loopback_only=self._say.on_loopback)
        except OSError as error:
            log.warning("no beacons: UDP port %d: %s", self._say.beacon_port, error.strerror)
            return
        self._gossip = Gossip(self._socket, self._hints, self._key)
        self._thread.start()
        self._hints.start()

    def stop(self) -> None:
        """Say farewell, and end the thread; nothing happens if it never ran."""
        self._stopping.set()
        self._hints.stop()
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT)

    # --- in the announcer's thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        self._panel.set_thread()
        due = follow_due = last = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            changed = self._look_at_roster()
            if now >= follow_due:
                follow_due = now + FOLLOWING
                changed |= self._follow_interfaces()
            if now >= due or (changed and now >= last + SETTLING):
                self._announce()
                last, due = now, now + INTERVAL * random.uniform(0.8, 1.2)
            elif changed:
                due = min(due, last + SETTLING)
            self._gossip.ask_around()
            self._receive(min(TURN, max(0.0, due - now)))
            self._panel.set("sent", self._socket.sent)
            self._panel.set("came", self._socket.came)
        self._announce(leaving=True)
        self._socket.close()

    def _follow_interfaces(self) -> bool:
        current = chosen(interfaces(), loopback_only=self._say.on_loopback)
        if current == self._interfaces:
            return False
        self._interfaces = current
        self._socket.follow(current)
        self._look_at_roster()
        for face in current:
            self._gossip.ask_everybody(face)
        return True

    def _look_at_roster(self) -> bool:
        """Bring the pages up to date; whether people came, went or changed."""
        people = self._roster.presences()
        pages = pages_of(self._beacon(len(people)), () if self._say.passphrase else people)
        before, self._pages = self._pages, pages
        return [_told(page) for page in before] != [_told(page) for page in pages]

    def _beacon(self, online: int) -> Beacon:
        return Beacon(
            key=self._key,
            started=self._say.started,
            serial=0,
            nonce=b"",
            name=clip(self._say.name, MAX_NAME),
            port=self._say.port,
            places=self._places(),
            advertised=self._say.advertised,
            passphrase=self._say.passphrase,
            leaving=False,
            known=min(255, len(self._gossip.neighbours)),
            online=online,
        )

    def _places(self) -> tuple[Place, ...]:
        """Where the server can be reached: loopback last, and only for want of room not at all."""
        bound = ipaddress.ip_address(self._say.host)
        faces = sorted(self._interfaces, key=lambda face: face.is_loopback)
        if bound.is_unspecified:
            return tuple(place(face.ip, face.prefix) for face in faces)[:MAX_PLACES]
        prefix = next((face.prefix for face in faces if face.ip == str(bound)), bound.max_prefixlen)
        return (place(str(bound), prefix),)

    def _announce(self, *, leaving: bool = False) -> None:
        for _ in range(min(PAGES_A_ROUND, len(self._pages))):
            self._next_page %= len(self._pages)
            datagram = self._encode(replace(self._pages[self._next_page], leaving=leaving))
            self._next_page += 1
            for face in self._interfaces:
                self._socket.send_to_everybody(datagram, face)

    def _encode(self, beacon: Beacon) -> bytes:
        self._serial += 1
        return encode_beacon(replace(beacon, serial=self._serial), self._signer)

    def _receive(self, timeout: float) -> None:
        try:
            came = self._socket.receive(timeout)
            if came is None:
                return
            received = decode(came.data)
        except PeerFault:
            self._panel.add("noise")
            return
        except OSError:  # an ICMP error that came back for something sent
            return
        if isinstance(received.content, Beacon):
            self._gossip.hear(received.content, received.hops, came, self._interfaces)
        else:
            self._meet_probe(received.content, came)

    def _meet_probe(self, probe: Probe, came: Came) -> None:
        face = face_of(came, self._interfaces)
        if face is None or not self._gossip.may_answer(probe, came, self._interfaces):
            return
        self._panel.add("answered")
        if probe.wanted:
            self._gossip.tell(probe, came, face)
        elif probe.page < len(self._pages):
            datagram = self._encode(replace(self._pages[probe.page], nonce=probe.nonce))
            assert len(datagram) <= MAX_DATAGRAM == len(came.data)
            try:
                self._socket.answer(datagram, came, face)
            except OSError as error:
                log.debug("can't answer %s: %s", came.source[0], error)


def _told(page: Beacon) -> tuple[object, ...]:
    """What makes a page worth announcing at once; how long somebody has been away grows by itself."""
    return page.places, page.online, [(person.name, person.status) for person in page.people]
