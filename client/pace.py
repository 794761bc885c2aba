"""`Pace`: not more often than so, by the loop's own clock, which is monotonic.

prompt_toolkit could pace its redrawing itself (`min_redraw_interval`), but looks at the wall clock for it: when that is
set back by an hour, the screen stands still for an hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pace:
    """Calls `call` soon after each `ask`: at once if it has rested for `interval` seconds, else once when it has."""

    def __init__(self, interval: float, call: Callable[[], None]) -> None:
        self._interval, self._call = interval, call
        self._due: asyncio.TimerHandle | None = None
        self._last = 0.0

    def ask(self) -> None:
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(max(loop.time(), self._last + self._interval), self._go)

    def done(self) -> None:
        """It has happened now, whoever asked for it: the rest begins."""
        self._last = asyncio.get_running_loop().time()

    def _go(self) -> None:
        self._due = None
        self._call()
