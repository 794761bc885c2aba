"""How long to wait before the next attempt to connect. Pure: the caller waits in whatever way is its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

FIRST = 0.1
LONGEST = 5.0


def delays(draw: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """Seconds before each attempt, doubling up to `LONGEST`.

    Each is drawn between half and all of its bound: when a server comes back, its clients come one by one.
    """
    bound = FIRST
    while True:
        yield draw(bound / 2, bound)
        bound = min(LONGEST, bound * 2)
