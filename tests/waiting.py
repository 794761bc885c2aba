"""Waiting for a condition with a deadline. All times in tests are in one unit, so a slow machine scales it once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

UNIT = float(os.environ.get("CHAT_TEST_UNIT", "1"))
"""Seconds in a unit."""


def wait_for(condition: Callable[[], T], what: str, units: float = 10) -> T:
    """The first true value that `condition` returns; fails with `what` if there is none within `units`."""
    deadline = time.monotonic() + units * UNIT
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {units * UNIT:g} s still not: {what} (last seen: {value!r})")
        time.sleep(0.01)
