"""`scripts/costs`: what it costs to hand a value over, and to start and keep one more, by concurrency model.

The comparison (`scripts/compare`) has whole servers; here is what they are made of, one primitive a line. A figure is
the median of several rounds.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time

import psutil

from scripts.costing.handing_over import HANDING_OVER, Exchange
from scripts.costing.starting import STARTING, Keep

ROUNDS = 5


def main() -> int:
    parser = argparse.ArgumentParser("scripts/costs", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a hundredth of the work: does it work?")
    quick = parser.parse_args().quick
    rounds, share = (1, 100) if quick else (ROUNDS, 1)
    print(f"Python {platform.python_version()}; median of {rounds} rounds\n")
    print("| one value there and one back | µs |\n|---|---:|")
    for name, (prepare, times) in HANDING_OVER.items():
        with prepare() as exchange:
            print(f"| {name} | {_short(_per_time(exchange, max(10, times // share), rounds))} |", flush=True)
    print("\n| one more | µs to start | KB to keep |\n|---|---:|---:|")
    for name, (keep, count) in STARTING.items():
        took, kilobytes = _one_more(keep, max(1, count // share), rounds)
        print(f"| {name} | {_short(took)} | {_short(kilobytes)} |", flush=True)
    return 0


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _per_time(exchange: Exchange, times: int, rounds: int) -> float:
    taken = []
    for _ in range(rounds + 1):  # the first one is for warming up
        began = time.perf_counter()
        exchange(times)
        taken.append(1e6 * (time.perf_counter() - began) / times)
    return statistics.median(taken[1:])


def _one_more(keep: Keep, count: int, rounds: int) -> tuple[float, float]:
    """Microseconds and kilobytes for each. The first round's memory counts: later ones find it there already."""
    this = psutil.Process()
    taken, kilobytes = [], 0.0
    for turn in range(rounds):
        before, began = this.memory_info().rss, time.perf_counter()
        with keep(count) as children:
            taken.append(1e6 * (time.perf_counter() - began) / count)
            own = sum(child.memory_full_info().uss for child in children) or this.memory_info().rss - before
            if not turn:
                kilobytes = own / count / 1024
    return statistics.median(taken), kilobytes


if __name__ == "__main__":
    sys.exit(main())
