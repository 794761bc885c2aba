"""Gossip: what servers and relays do with each other's beacons. They listen, ask, and tell those who ask.

Runs in the thread of the one who owns the socket (server/announcer.py, server/relay.py). Nothing is told that wasn't
asked for, one datagram is answered with one at the most, and nothing is believed that isn't signed. What comes from
a network that isn't attached counts only as the answer to a question of our own.
"""

from __future__ import annotations

import secrets
import time

from chat.beacon import NONCE, Beacon, Probe, encode_probe, is_genuine
from chat.interfaces import Interface, is_attached
from server.beacon_socket import BeaconSocket, Came
from server.hints import Hints
from server.neighbours import Neighbours
from server.sources import Sources

ASKING = 5.0
"""Seconds between two rounds of questions."""
MAX_WANTED = 16
"""Servers that one neighbour is asked about."""

CHECKS = 20.0
CHECK_BURST = 60.0
ALL_CHECKS = 300.0
"""Signatures checked in a second: for one source, in a burst of one source, for all."""
ANSWERS = 10.0
ANSWER_BURST = 30.0
ALL_ANSWERS = 200.0
"""Answers given in a second, in the same way."""


class Gossip:
    """`me` is one's own key, empty for a relay."""

    def __init__(self, sock: BeaconSocket, hints: Hints, me: bytes = b"") -> None:
        now = time.monotonic()
        self.neighbours = Neighbours(me)
        self._socket = sock
        self._hints = hints
        self._me = me
        self._nonce = secrets.token_bytes(NONCE)
        self._checks = Sources(CHECKS, CHECK_BURST, ALL_CHECKS, now)
        self._answers = Sources(ANSWERS, ANSWER_BURST, ALL_ANSWERS, now)
        self._ask_due = now
        self._hinted: dict[str, bytes] = {}

    def may_answer(self, probe: Probe, came: Came, interfaces: tuple[Interface, ...]) -> bool:
        """Whether a probe is to be answered: it comes from an attached network or names our key, and not too often."""
        if probe.key and probe.key != self._me:
            return False
        here = came.to_everybody or is_attached(came.source[0], interfaces)
        return (here or bool(probe.key)) and self._answers.allow(came.source[0], time.monotonic())

    def tell(self, probe: Probe, came: Came, face: Interface) -> None:
        """Answer a probe that asks about another server."""
        known = self.neighbours.to_tell(came.interface if is_attached(came.source[0], [face]) else 0, time.monotonic())
        if 0 < probe.wanted <= len(known):
            try:
                self._socket.answer(known[probe.wanted - 1], came, face)
            except OSError:
                pass  # who asked is gone

    def hear(self, beacon: Beacon, hops: int, came: Came, interfaces: tuple[Interface, ...]) -> bool:
        """Take note of a beacon; whether it is genuine and told something new."""
        now, source = time.monotonic(), came.source[0]
        everybody = came.to_everybody
        asked = beacon.nonce == self._nonce or source in self._hinted
        if not (everybody or asked or is_attached(source, interfaces)):
            return False
        wanted = self.neighbours.wants(beacon)
        if wanted and not (self._checks.allow(source, now) and is_genuine(came.data, beacon)):
            return False
        if wanted:
            self.neighbours.take(beacon, came.data, "" if hops else source, now)
        if everybody:
            self.neighbours.note_heard(beacon, came.interface, now)
        return wanted

    def ask_around(self) -> None:
        """Ask hinted servers who they are, and all neighbours whom they know, if it is time."""
        now = time.monotonic()
        if now < self._ask_due:
            return
        self._ask_due = now + ASKING
        self.neighbours.expire(now)
        self._hinted = self._hints.found()
        for host, key in self._hinted.items():
            self._ask(host, Probe(self._nonce, key=key))
        for known in self.neighbours:
            if not known.source:
                continue  # told by another, who is asked anyway
            for wanted in range(1, 1 + min(known.beacon.known, MAX_WANTED)):
                self._ask(known.source, Probe(self._nonce, wanted, key=known.beacon.key))

    def ask_everybody(self, face: Interface) -> None:
        """Ask who is on an interface's link."""
        self._socket.send_to_everybody(encode_probe(Probe(self._nonce)), face)

    def _ask(self, host: str, probe: Probe) -> None:
        try:
            self._socket.send(encode_probe(probe), host)
        except OSError:
            pass  # no way there at present
