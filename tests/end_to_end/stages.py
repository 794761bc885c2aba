"""The processes of a running server by what they are, as its shared counters name them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from server.datafolder import gauges_of
from server.gauges import figures_of, process_ids
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import wait_for


def figures(server: ServerProcess) -> dict[str, int]:
    """Every counter of the server, by `process.field`."""
    return figures_of(gauges_of(server.data))


def stages(server: ServerProcess) -> dict[str, int]:
    """Process ids by name: reader, journal, manager, worker 0, worker 1 …"""
    return process_ids(figures(server))


def memory(server: ServerProcess) -> int:
    """Bytes that all its processes have for themselves."""
    total = 0
    for process in server.processes():
        try:
            total += process.memory_full_info().uss
        except psutil.Error:
            continue  # it has just ended
    return total


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process stands still in this block, as under a debugger, or in a laptop that sleeps."""
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "it stands still")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
