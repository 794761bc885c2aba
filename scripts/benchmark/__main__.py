"""`scripts/bench`: run the workloads over the servers, alternating, and print medians with their spread."""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from scripts.benchmark import alone, reading, servers, stages
from scripts.benchmark.receiver import Failed
from scripts.benchmark.servers import PEERS, installed_peers
from scripts.benchmark.workloads import FULL, SHORT, STARTERS, WORKLOADS, Size, Workload

COLUMNS = {
    "deliveries_per_s": "saturated: deliveries/s",
    "saturated_us": "CPU µs a delivery",
    "paced_us": "paced: CPU µs a delivery",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "idle_kb": "KB an idle connection",
    "set_up_us": "CPU µs a set-up",
}

LONG: dict[str, Workload] = {
    workload.__name__: workload
    for workload in (
        stages.stages,
        alone.growth,
        alone.rooms,
        alone.standing,
        alone.storm,
        reading.commands,
        alone.history,
    )
}
"""For the chat server alone."""

ONCE = {"history"}
"""Takes minutes."""

HERE_ALONE = {"stages", "history"}
"""Look into the server's data folder, which another checkout may arrange in another way."""

Results = dict[str, dict[str, list[float]]]
"""By server and figure: the values of all runs."""


def main() -> int:
    chosen = _arguments()
    if chosen.install_peers:
        return subprocess.run(["scripts/system-packages", *(program for program, _ in PEERS.values())]).returncode
    _raise_file_limit()
    size = SHORT if chosen.short else FULL
    names = ["relay", "chat", *(installed_peers() if chosen.against is None else chosen.against)]
    if chosen.before:
        STARTERS["before"] = functools.partial(servers.chat, checkout=Path(chosen.before))
        names = ["relay", "before", "chat"]
    try:
        results = measure(names, chosen.only or [*WORKLOADS, *(LONG if chosen.long else ())], size, chosen.runs)
    except Failed as failure:
        print(f"bench: {failure}: the figures would mean nothing", file=sys.stderr)
        return 1
    machine = _machine()
    print(f"{machine}; {size.members} members, {size.few} for latency; medians of {chosen.runs} runs (least–most)\n")
    print("\n\n".join(filter(None, (table(results), own_table(results)))))
    if chosen.json:
        Path(chosen.json).write_text(
            json.dumps({"machine": machine, "runs": chosen.runs, "results": results}, indent=1)
        )
    if chosen.plot:
        from scripts.benchmark.plot import draw

        draw(results, machine, Path(chosen.plot))
    return 0


def measure(names: Sequence[str], chosen: Sequence[str], size: Size, runs: int) -> Results:
    """Each workload on each server, `runs` times; the servers take turns, so that noise meets them alike."""
    results: Results = {name: defaultdict(list) for name in names}
    workloads = WORKLOADS | LONG
    todo = [
        (workloads[workload], name)
        for turn in range(runs)
        for workload in chosen
        for name in names
        if _wanted(workload, name, turn)
    ]
    with tqdm(todo, unit="run", disable=not sys.stderr.isatty()) as progress:
        for workload, name in progress:
            progress.set_description(f"{workload.__name__} {name}")
            for figure, value in workload(name, size).items():
                results[name][figure].append(value)
    return results


def _wanted(workload: str, name: str, turn: int) -> bool:
    """Whether this server has this workload in this turn."""
    if workload in WORKLOADS:
        return True
    if workload in ONCE and turn:
        return False
    return name == "chat" or (name == "before" and workload not in HERE_ALONE)


def table(results: Results) -> str:
    """The figures of all servers as a Markdown table; empty if none of these was asked for."""
    columns = [column for column in COLUMNS if any(column in figures for figures in results.values())]
    if not columns:
        return ""
    titles = [COLUMNS[column] for column in columns]
    lines = ["| server | " + " | ".join(titles) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, figures in results.items():
        cells = [_cell(figures[column]) for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def own_table(results: Results) -> str:
    """The figures of the workloads for the chat server alone, as a Markdown table; empty if none was run."""
    known = {*COLUMNS, "set_ups_per_s"}
    own = {name: results[name] for name in ("before", "chat") if set(results.get(name, ())) - known}
    if not own:
        return ""
    figures = [figure for figure in results["chat"] if figure not in known]
    lines = ["| | " + " | ".join(own) + " |", "|---" * (len(own) + 1) + "|"]
    for figure in figures:
        cells = [_cell(columns[figure]) if figure in columns else "–" for columns in own.values()]
        lines.append(f"| {figure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    return f"{_short(statistics.median(values))} ({_short(min(values))}–{_short(max(values))})"


def _short(value: float) -> str:
    if value >= 1e5:
        return f"{value / 1e6:.2f} M"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> str:
    about = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in about if line.startswith("model name")), "unknown CPU")
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/bench", description="Measure the server beside the kernel's floor.")
    parser.add_argument("--short", action="store_true", help="a small run, within a minute")
    parser.add_argument(
        "--only", nargs="+", choices=[*WORKLOADS, *LONG], metavar="WORKLOAD", help="some workloads, whichever they are"
    )
    parser.add_argument("--long", action="store_true", help="also growth, many rooms, idle crowds and a long history")
    parser.add_argument(
        "--before", metavar="DIR", help="measure another checkout, by its own Python, beside this one instead of others"
    )
    parser.add_argument(
        "--against", nargs="*", choices=PEERS, metavar="SERVER", help="the other servers to measure; else all installed"
    )
    parser.add_argument("--runs", type=int, help="times that each workload is run (default: 3, or 1 with --short)")
    parser.add_argument("--json", metavar="FILE", help="write every value and the machine's description")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the medians")
    parser.add_argument("--install-peers", action="store_true", help="install the other servers, and measure nothing")
    chosen = parser.parse_args()
    chosen.runs = chosen.runs or (1 if chosen.short else 3)
    return chosen


if __name__ == "__main__":
    sys.exit(main())
