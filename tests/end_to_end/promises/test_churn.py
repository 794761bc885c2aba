"""Ten thousand come and go within a minute, and leave nothing behind in any process."""

from __future__ import annotations

import time

import psutil

from scripts.siege.attacker import Attacker
from tests.end_to_end.conftest import Report
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.stages import figures, memory
from tests.waiting import UNIT, wait_for

COMING = 10_000
WITHIN = 60 * UNIT
"""Seconds."""

GROWTH = 10 * 2**20
"""Bytes that the whole server may have grown by."""


def test_ten_thousand_connections_in_a_minute_leave_nothing(server: ServerProcess, report: Report) -> None:
    come_and_go(server, 500)  # what is made once, at the first connections, isn't left by the others
    settled(server)
    descriptors, size = open_files(server), memory(server)
    begun = time.monotonic()
    come_and_go(server, COMING)
    took = time.monotonic() - begun
    settled(server)
    grown = memory(server) - size
    report(f"{COMING:,} connections in {took:.1f} s: {grown / 2**20:.1f} MiB left, and no descriptor")
    assert open_files(server) == descriptors
    assert took < WITHIN and grown < GROWTH


def come_and_go(server: ServerProcess, count: int) -> None:
    """Of each five connections three log in; one breaks off in the handshake; one is reset, in or after it."""
    for number in range(count):
        peer = Attacker(server.address, f"127.0.0.{number % 200 + 2}")
        match number % 5:
            case 0:
                peer.write(b"\0\x20half a hello")
                peer.close()
            case 1 if number % 2:
                peer.shake_hands().reset()
            case 1:
                peer.log_in("eve").reset()
            case _:
                peer.log_in("eve").close()


def settled(server: ServerProcess) -> None:
    """Wait until every process has noticed that all have gone."""
    phases = [f"reader.{phase}" for phase in ("opened", "answered", "proved", "named")]
    of_workers = ["worker 0.connections", "worker 1.connections"]
    wait_for(lambda: not any(map(figures(server).get, phases + of_workers)), "nobody is left", units=30)


def open_files(server: ServerProcess) -> dict[int, int]:
    """How many descriptors each process has open."""
    return {process.pid: process.num_fds() for process in server.processes() if is_ours(process)}


def is_ours(process: psutil.Process) -> bool:
    return "resource_tracker" not in " ".join(process.cmdline())
