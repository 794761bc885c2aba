"""`chat-server --top`: the running server's stages and their figures, in a terminal of its own.

Reads the shared memory that the processes count in, so the server does nothing for it and doesn't know of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing

from chat.figures import Stage, stages
from server.gauges import Gauges

INTERVAL = 1.0
"""Seconds between two pictures."""

CLEAR = "\x1b[H\x1b[2J"


def run(name: str) -> int:
    """Draw until Ctrl-C; where stdout isn't a terminal, print one picture and end. 1 if no server runs."""
    try:
        gauges = Gauges.look(name)
    except FileNotFoundError:
        print("chat-server: no server runs on this data folder; name its folder with --data.", file=sys.stderr)
        return 1
    with closing(gauges):
        try:
            for picture in _pictures(gauges):
                print(f"{CLEAR if sys.stdout.isatty() else ''}{draw(picture)}", flush=True)
                if not sys.stdout.isatty():
                    break
        except KeyboardInterrupt:
            pass
    return 0


def draw(picture: list[Stage]) -> str:
    """The stages as lines of text, each with its figures under it."""
    lines: list[str] = []
    for stage in picture:
        lines.append(f"{stage.name:<10} {stage.pid:>8}  {stage.model}")
        lines.append(" " * 21 + " · ".join(f"{figure} {what}" for figure, what in stage.facts))
    return "\n".join(lines)


def _pictures(gauges: Gauges) -> Iterator[list[Stage]]:
    before, then = gauges.read(), time.monotonic()
    while True:
        time.sleep(INTERVAL)
        after, now = gauges.read(), time.monotonic()
        yield stages(before, after, now - then)
        before, then = after, now
