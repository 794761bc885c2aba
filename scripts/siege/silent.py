"""A crowd that connects and never says a word: `python -m scripts.siege.silent HOST PORT COUNT`, until stdin ends.

In a process of its own, because a process has only so many descriptors.
"""

from __future__ import annotations

import sys

from scripts.siege.attacker import Attacker

SOURCES = 8
"""Addresses that they come from, so that no single one has too many."""


def main() -> int:
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    crowd = [Attacker((host, port), f"127.0.0.{number % SOURCES + 2}") for number in range(count)]
    print("here", flush=True)
    sys.stdin.read()
    for peer in crowd:
        peer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
