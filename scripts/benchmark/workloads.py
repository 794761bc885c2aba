"""The workloads: what is asked of a server, and the figures that come of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from scripts.benchmark import servers
from scripts.benchmark.crowd import crowd
from scripts.benchmark.servers import Running

Starter = Callable[[], AbstractContextManager[Running]]

STARTERS: dict[str, Starter] = {
    "relay": servers.relay,
    "chat": servers.chat,
    **{name: start for name, (_, start) in servers.PEERS.items()},
}

IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is: members of the room, seconds of each workload, and what the long workloads go up to."""

    members: int
    few: int
    seconds: float
    growing: tuple[int, ...]
    rooms: tuple[int, ...]
    standing: int
    history: int
    commands: int


FULL = Size(1_000, 100, 5.0, (100, 1_000, 10_000), (1, 100, 1_000), 10_000, 10_000_000, 400_000)
SHORT = Size(200, 50, 1.0, (50, 200), (1, 20), 500, 20_000, 50_000)


def saturated(name: str, size: Size) -> dict[str, float]:
    """As much as goes: 64 messages of 100 bytes in flight, all members in one room."""
    with STARTERS[name]() as server, crowd(name, server.port, size.members) as people:
        people.saturate(size.seconds / 5, IN_FLIGHT)
        received, cpu, begun = people.received, server.cpu_seconds(), time.perf_counter()
        people.saturate(size.seconds, IN_FLIGHT)
        deliveries = people.received - received
        return {
            "deliveries_per_s": deliveries / (time.perf_counter() - begun),
            "saturated_us": 1e6 * (server.cpu_seconds() - cpu) / deliveries,
        }


def paced(name: str, size: Size) -> dict[str, float]:
    """50 messages a second to all members: what a delivery costs when nothing can be coalesced."""
    with STARTERS[name]() as server, crowd(name, server.port, size.members) as people:
        people.pace(size.seconds / 5, 50)
        received, cpu = people.received, server.cpu_seconds()
        people.pace(size.seconds, 50)
        return {"paced_us": 1e6 * (server.cpu_seconds() - cpu) / (people.received - received)}


def latency(name: str, size: Size) -> dict[str, float]:
    """10 messages a second to few members: from the sender's send to each member's receive."""
    with STARTERS[name]() as server, crowd(name, server.port, size.few) as people:
        people.pace(0.5, 10)
        people.pace(max(2.0, size.seconds), 10, timed=True)
        cuts = statistics.quantiles(people.take_latencies(), n=100)
        return {"p50_ms": cuts[49] / 1e6, "p99_ms": cuts[98] / 1e6}


def idle(name: str, size: Size) -> dict[str, float]:
    """What a connection that only stands costs: memory over all processes, against the server without any."""
    with STARTERS[name]() as server:
        empty = server.memory()
        with crowd(name, server.port, size.members) as people:
            people.idle(3.0)  # what was only needed to come in is given back
            return {"idle_kb": (server.memory() - empty) / size.members / 1024}


def set_up(name: str, size: Size) -> dict[str, float]:
    """Connections a second, from TCP to the room, and the server's CPU for one."""
    with STARTERS[name]() as server:
        begun, cpu = time.perf_counter(), server.cpu_seconds()
        with crowd(name, server.port, size.members):
            seconds = time.perf_counter() - begun
            return {
                "set_up_us": 1e6 * (server.cpu_seconds() - cpu) / size.members,
                "set_ups_per_s": size.members / seconds,
            }


Workload = Callable[[str, Size], dict[str, float]]
WORKLOADS: dict[str, Workload] = {workload.__name__: workload for workload in (saturated, paced, latency, idle, set_up)}
