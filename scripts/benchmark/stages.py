"""Where the server's time goes: the CPU of each stage for a delivery, under load and paced."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from scripts.benchmark import servers
from scripts.benchmark.crowd import Crowd, crowd
from scripts.benchmark.workloads import IN_FLIGHT, Size
from server.datafolder import gauges_of
from server.gauges import figures_of, process_ids


def stages(name: str, size: Size) -> dict[str, float]:
    """For each stage, with everything coalesced that can be and with nothing."""
    figures: dict[str, float] = {}
    loads: dict[str, Callable[[Crowd, float], None]] = {
        "saturated": lambda people, seconds: people.saturate(seconds, IN_FLIGHT),
        "paced": lambda people, seconds: people.pace(seconds, 50),
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.chat(data=Path(folder)) as server,
        crowd(name, server.port, size.members) as people,
    ):
        pids = process_ids(figures_of(gauges_of(Path(folder))))
        processes = {stage: psutil.Process(pid) for stage, pid in pids.items()}
        for title, load in loads.items():
            load(people, size.seconds / 5)
            received, before = people.received, _cpu(processes)
            load(people, size.seconds)
            deliveries = people.received - received
            for stage, seconds in _cpu(processes).items():
                figures[f"{title}: {stage}, CPU µs a delivery"] = 1e6 * (seconds - before[stage]) / deliveries
    return figures


def _cpu(processes: dict[str, psutil.Process]) -> dict[str, float]:
    times = {stage: process.cpu_times() for stage, process in processes.items()}
    return {stage: each.user + each.system for stage, each in times.items()}
