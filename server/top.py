"""`chat-server --top`: the running server's stages and their figures, in a terminal of its own.

Reads the shared memory that the processes count in, so the server does nothing for it and doesn't know of it.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from chat.figures import stages
from chat.pipeline import Stage, draw
from server.gauges import Gauges

INTERVAL = 1.0
"""Seconds between two pictures."""

MAX_WIDTH = 100
"""Columns that a box takes at most."""

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
                columns, rows = shutil.get_terminal_size()
                lines = draw(picture, min(MAX_WIDTH, columns))
                if not sys.stdout.isatty():
                    print("\n".join(lines))
                    break
                print(CLEAR + "\n".join(lines[: rows - 1]), flush=True)
        except KeyboardInterrupt:
            pass
    return 0


def _pictures(gauges: Gauges) -> Iterator[list[Stage]]:
    before, then = gauges.read(), time.monotonic()
    while True:
        time.sleep(INTERVAL)
        after, now = gauges.read(), time.monotonic()
        yield stages(before, after, now - then)
        before, then = after, now
