"""One measurement: a crowd of some size on a server under some model, and what that cost."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from chat.faults import PeerFault
from scripts.benchmark.crowd import Crowd
from scripts.benchmark.members import ChatMember, Member
from scripts.benchmark.receiver import Failed
from scripts.comparison.candidates import Candidate, SystemCalls, candidate

IN_FLIGHT = 64
"""Messages under way while saturated."""

PINGS = 8.0
"""Seconds between two signs of life of every member, as the real client gives them."""

ENOUGH = 50
"""Connections from which on the memory for one can be told."""

EARLIER = 1_000_000
"""The number of a member who has come and gone."""

CONNECT_LIMIT = 120.0
"""Seconds in which everybody must have joined."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model did with one number of connections."""

    deliveries_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    switches: float
    system_calls: float | None
    """Of CPU, switches of context and system calls: those of one delivery. None where perf can't count."""
    memory_kb: float | None
    """Of one connection; None for so few of them that it can't be told from the noise."""


def median(runs: list[Figures], column: str) -> float | None:
    """The median of one figure over the rounds; None where no round could tell it."""
    values = [getattr(run, column) for run in runs if getattr(run, column) is not None]
    return statistics.median(values) if values else None


class LastingCrowd(Crowd):
    """A crowd that gives signs of life while it gathers and while it stands."""

    def __init__(self, port: int, size: int) -> None:
        self._deadline = time.monotonic() + CONNECT_LIMIT
        self._pinged = time.monotonic()
        super().__init__("chat", port, size)

    def _watch(self, member: Member) -> None:
        super()._watch(member)
        if time.monotonic() > self._deadline:
            raise Failed(f"only {len(self._members):,} have joined within {CONNECT_LIMIT:.0f} s")
        self._ping()

    def _turn(self, timeout: float) -> None:
        super()._turn(timeout)
        self._ping()

    def _ping(self) -> None:
        if time.monotonic() - self._pinged > PINGS:
            self._pinged = time.monotonic()
            for member in (self._sender, *self._members):
                assert isinstance(member, ChatMember)
                member.sock.send(member.ping())


def measure(model: str, connections: int, seconds: float) -> Figures:
    """Raises `Failed` if the model doesn't go that far, with its own reason where it gives one, or `Lacking`."""
    with candidate(model) as server:
        ChatMember(server.port, EARLIER).sock.close()  # what the first client costs once isn't each one's cost
        empty = server.memory()
        try:
            crowd = LastingCrowd(server.port, connections - 1)  # and the sender
            try:
                memory_kb = (server.memory() - empty) / connections / 1024 if connections >= ENOUGH else None
                return _measure(server, crowd, memory_kb, seconds)
            finally:
                crowd.close()
        except (Failed, OSError, PeerFault) as failure:
            raise Failed(server.last_warning() or str(failure)) from failure


def _measure(server: Candidate, crowd: Crowd, memory_kb: float | None, seconds: float) -> Figures:
    crowd.saturate(seconds / 5, IN_FLIGHT)
    calls = SystemCalls(server.pids())
    switches, cpu, received, begun = server.switches(), server.cpu_seconds(), crowd.received, time.perf_counter()
    crowd.saturate(seconds, IN_FLIGHT)
    elapsed, deliveries = time.perf_counter() - begun, crowd.received - received
    cpu, switches, counted = server.cpu_seconds() - cpu, server.switches() - switches, calls.count()
    crowd.pace(seconds, 10, timed=True)
    cuts = statistics.quantiles(crowd.take_latencies(), n=100)
    return Figures(
        deliveries_per_s=deliveries / elapsed,
        p50_ms=cuts[49] / 1e6,
        p99_ms=cuts[98] / 1e6,
        cpu_us=1e6 * cpu / deliveries,
        switches=switches / deliveries,
        system_calls=None if counted is None else counted / deliveries,
        memory_kb=memory_kb,
    )
