"""A crowd: many members of one room in one process, with a sender among them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chat.protocol import HEARTBEAT
from scripts.benchmark.members import MEMBERS, Member, text_of
from scripts.benchmark.receiver import Failed, Receiver

EVENTS = 64
"""Members read in one turn, before the sender sees what has arrived: with a thousand it would be late."""

PATIENCE = 20.0
"""Seconds without any progress after which a run has failed."""


class Heartbeats:
    """Has members ping who would otherwise be silent for so long that their server ends the connection."""

    def __init__(self) -> None:
        self._due: deque[tuple[float, Member]] = deque()

    def add(self, member: Member) -> None:
        self._due.append((time.perf_counter() + HEARTBEAT, member))

    def beat(self) -> None:
        """Send the pings that are due; to be called often."""
        now = time.perf_counter()
        while self._due and self._due[0][0] <= now:
            _, member = self._due.popleft()
            member.sock.sendall(member.ping())
            self.add(member)


class Crowd:
    """`size` members who receive and one more who sends; checks that each gets every message once, in order."""

    def __init__(self, server: str, port: int, size: int) -> None:
        make = MEMBERS[server]
        self._sender = make(port, 0)
        self._members: list[Member] = []
        self._receiver = Receiver()
        self._heartbeats = Heartbeats()
        enter([self._sender])
        for first in range(1, size + 1, make.side_by_side):
            members = [make(port, number) for number in range(first, min(first + make.side_by_side, size + 1))]
            enter(members)
            for member in members:
                self._watch(member)
            self._heartbeats.beat()
        self._receiver.ignore(self._sender.sock)  # its own copy isn't counted: not every server sends one
        self.size = size
        self.sent = 0
        self.received = 0
        """Deliveries so far, over all members."""
        self._timed = False

    def _watch(self, member: Member) -> None:
        self._members.append(member)
        self._receiver.add(member.sock, member.stream())
        self._heartbeats.add(member)

    def saturate(self, seconds: float, in_flight: int) -> None:
        """Keep `in_flight` messages under way: a message has arrived when the last member has it."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            behind = self.sent - (self.received // self.size)
            if behind < in_flight:
                self._send(in_flight - behind)
            self._turn(0.05)
        self.drain()

    def pace(self, seconds: float, rate: float, timed: bool = False) -> None:
        """Send `rate` messages a second, evenly; with `timed`, `take_latencies` has how long each delivery took."""
        self._timed = timed
        begun = time.perf_counter()
        for count in range(int(seconds * rate)):
            due = begun + count / rate
            while (wait := due - time.perf_counter()) > 0:
                self._turn(wait)
            self._send(1)
        self.drain()
        self._timed = False

    def drain(self) -> None:
        """Wait until everybody has everything. Raises `Failed` if that doesn't happen."""
        progress = time.perf_counter()
        while self.received < self.sent * self.size:
            before = self.received
            self._turn(0.5)
            if self.received > before:
                progress = time.perf_counter()
            elif time.perf_counter() - progress > PATIENCE:
                raise Failed(f"{self.sent * self.size - self.received} deliveries are missing")

    def take_latencies(self) -> list[int]:
        """Nanoseconds from sending to receiving, of each delivery that was timed since this was last called."""
        return self._receiver.take_latencies()

    def close(self) -> None:
        self._receiver.close()
        for member in (self._sender, *self._members):
            member.sock.close()

    def _send(self, count: int) -> None:
        data = []
        for _ in range(count):
            self.sent += 1
            data.append(self._sender.message(text_of(self.sent, time.perf_counter_ns())))
        self._sender.sock.sendall(b"".join(data))

    def idle(self, seconds: float) -> None:
        """Stay connected and say nothing but what a silent client must."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._turn(min(left, 0.02))

    def _turn(self, timeout: float) -> None:
        self._heartbeats.beat()
        self.received += self._receiver.turn(timeout, EVENTS, timed=self._timed)


def enter(members: Sequence[Member]) -> None:
    """Have them all join: each goes as far as it can, then it is the next one's turn."""
    under_way = [member.enter() for member in members]
    while under_way:
        under_way = [steps for steps in under_way if next(steps, True) is None]


@contextmanager
def crowd(server: str, port: int, size: int) -> Iterator[Crowd]:
    """A crowd that has joined, and leaves afterwards."""
    gathered = Crowd(server, port, size)
    try:
        yield gathered
    finally:
        gathered.close()
