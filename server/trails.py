"""Trails: the times at which a traced message passed each place, carried along with it.

Only a message that asks for it has stamps, and all that the others pay is one look at their type.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from chat.messages import Command, Say
from chat.values import Stamp
from server.parcels import Asked, Traced

T = TypeVar("T")

MAX_TRAILS = 8
"""Members of a room, on one worker, that are sent the stamps of a traced message."""

CLOCK = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:32]
"""All processes of one machine read one monotonic clock, from one boot to the next."""


def mark(place: str, ns: int = 0) -> Stamp:
    """The stamp of `place` at `ns`, or now."""
    return Stamp(place, ns or time.monotonic_ns(), CLOCK)


def first_stamps(command: Command, woken: int = 0) -> tuple[Stamp, ...]:
    """The stamps that a command starts with, none if it isn't traced. `woken` is when epoll returned, if it did."""
    if not (isinstance(command, Say) and command.trace):
        return ()
    wakeup = (mark("epoll wake-up", woken),) if woken else ()
    return (*wakeup, mark("session step"))


def stamp(items: list[T], place: str, ns: int = 0) -> list[T]:
    """`items`, the traced ones among them with one stamp more."""
    for index, item in enumerate(items):
        if isinstance(item, (Asked, Traced)) and item.stamps:
            items[index] = replace(item, stamps=(*item.stamps, mark(place, ns)))
    return items
