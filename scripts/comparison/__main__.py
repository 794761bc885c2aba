"""`scripts/compare`: every model under the same load, with 10, 100, 1,000 and 5,000 connections as far as each goes.

The models take turns, round by round, so that what else happens on the machine meets all of them alike; what is told
is the median of the rounds, and of the throughput the least and the most as well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
from dataclasses import asdict
from pathlib import Path

import psutil
from tqdm import tqdm

from scripts.benchmark.receiver import Failed
from scripts.comparison.candidates import Lacking
from scripts.comparison.measuring import Figures, measure, median
from server import models
from server.cli import PIPELINE

SIZES = (10, 100, 1_000, 5_000)

MEMORY_SHARE = 0.5
"""Of the memory that is free, at most this much for one server: a comparison isn't to bring the machine down."""

COLUMNS = {
    "deliveries_per_s": "deliveries/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "cpu_us": "CPU µs a delivery",
    "switches": "switches a delivery",
    "system_calls": "system calls a delivery",
    "memory_kb": "KB a connection",
}

Results = dict[str, dict[int, list[Figures]]]
"""By model and number of connections: one measurement for each round."""

Ends = dict[str, tuple[int, str]]
"""By model: the number of connections to which it didn't go, and why."""


def main() -> int:
    chosen = _arguments()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sizes, seconds, rounds = ((5,), 0.3, 1) if chosen.quick else (chosen.sizes, chosen.seconds, chosen.rounds)
    results, ends = compare(chosen.models, sizes, seconds, rounds)
    machine = _machine()
    print(f"{machine}\n{rounds} rounds: 64 messages in flight for {seconds:g} s, then 10 a second for the latency\n")
    print(tables(results, sizes))
    print(endings(ends))
    if chosen.json:
        plain = {model: {size: list(map(asdict, runs)) for size, runs in row.items()} for model, row in results.items()}
        Path(chosen.json).write_text(json.dumps({"machine": machine, "results": plain, "ends": ends}, indent=1))
    if chosen.plot:
        from scripts.comparison.plot import draw

        draw(results, machine, Path(chosen.plot))
    return 0


def compare(names: list[str], sizes: tuple[int, ...], seconds: float, rounds: int) -> tuple[Results, Ends]:
    """Each model with each number of connections, the least first, until it ends."""
    results: Results = {name: {} for name in names}
    ends: Ends = {}
    todo = [(size, name) for size in sizes for _ in range(rounds) for name in names]
    with tqdm(todo, unit="run", disable=not sys.stderr.isatty()) as progress:
        for size, name in progress:
            progress.set_description(f"{name} {size:,}")
            if name in ends:
                continue
            try:
                _check_memory(size, [run for runs in results[name].values() for run in runs])
                results[name].setdefault(size, []).append(measure(name, size, seconds))
            except (Failed, Lacking) as failure:
                ends[name] = size, str(failure)
                results[name].pop(size, None)  # one that goes so far only sometimes doesn't
    return results, ends


def _check_memory(size: int, before: list[Figures]) -> None:
    needed = size * 1024 * (before[-1].memory_kb or 0) if before else 0
    if needed > MEMORY_SHARE * psutil.virtual_memory().available:
        raise Failed(f"would need {needed / 2**30:.0f} GiB of memory")


def tables(results: Results, sizes: tuple[int, ...]) -> str:
    """A Markdown table for each number of connections."""
    lines: list[str] = []
    for size in sizes:
        lines += [f"| {size:,} connections | " + " | ".join(COLUMNS.values()) + " |"]
        lines += ["|---" + "|---:" * len(COLUMNS) + "|"]
        for model, row in results.items():
            if size in row:
                lines.append(f"| {model} | " + " | ".join(_cells(row[size])) + " |")
        lines.append("")
    return "\n".join(lines)


def _cells(runs: list[Figures]) -> list[str]:
    cells = [_short(median(runs, column)) for column in COLUMNS]
    if len(runs) > 1:
        speeds = [run.deliveries_per_s for run in runs]
        cells[0] += f" ({_short(min(speeds))}–{_short(max(speeds))})"
    return cells


def endings(ends: Ends) -> str:
    """Where each model ends, as a Markdown table."""
    lines = ["| model | ends before | because |", "|---|---:|---|"]
    lines += [f"| {model} | {size:,} | {reason} |" for model, (size, reason) in ends.items()]
    return "\n".join(lines)


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> str:
    about = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in about if line.startswith("model name")), "unknown CPU")
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"


def _arguments() -> argparse.Namespace:
    every = [PIPELINE, *models.NAMES]
    parser = argparse.ArgumentParser("scripts/compare", description="The same load on every concurrency model.")
    parser.add_argument("--quick", action="store_true", help="five connections and a moment each: does it work?")
    parser.add_argument("--sizes", type=_sizes, default=SIZES, metavar="N,N…", help="numbers of connections")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each load lasts (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each is measured (default: 3)")
    parser.add_argument("--models", nargs="+", choices=every, default=every, metavar="NAME", help="only these")
    parser.add_argument("--json", metavar="FILE", help="write every value and the machine's description")
    parser.add_argument("--plot", metavar="FILE.png", help="draw deliveries, latency and memory by connections")
    return parser.parse_args()


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
