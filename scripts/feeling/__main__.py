"""`scripts/feel`: milliseconds between a key and the screen, in trouble and over a long history; as a table."""

from __future__ import annotations

import argparse
import statistics
import sys

from scripts.feeling import keys, past

HEAD = "| from … to the screen | p50 ms | p99 ms | worst ms | times |\n|---|---:|---:|---:|---:|"


def main() -> int:
    parser = argparse.ArgumentParser("scripts/feel", description=__doc__)
    parser.add_argument("--presses", type=int, default=200, help="key presses in each situation (default: 200)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the history (default: a million)")
    parser.add_argument("--searches", type=int, default=500, help="how many (default: 500)")
    chosen = parser.parse_args()
    print(HEAD)
    for what, seconds in keys.measure(chosen.presses):
        print(row(what, seconds), flush=True)
    for what, seconds in past.measure(chosen.messages, chosen.searches):
        print(row(what, seconds), flush=True)
    return 0


def row(what: str, seconds: list[float]) -> str:
    """A line of the table."""
    ordered = sorted(1e3 * each for each in seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"| {what} | {statistics.median(ordered):.1f} | {p99:.1f} | {ordered[-1]:.1f} | {len(ordered)} |"


if __name__ == "__main__":
    sys.exit(main())
