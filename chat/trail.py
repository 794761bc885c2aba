"""A traced message's way as people read it: where it was, on which concurrency model, and how long that took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.values import Stamp

MODELS = {
    "typed": "asyncio loop of the UI",
    "outbox": "SQLite, in the UI's thread",
    "sent": "sender thread, blocking socket",
    "epoll wake-up": "epoll, edge-triggered",
    "session step": "generator coroutine, Noise",
    "journal queue": "multiprocessing.Queue",
    "rooms": "decided and sorted in one call",
    "decided": "Process, pure decide()",
    "committed": "Process, group commit, fsync",
    "outlet": "an object in a Manager, Condition",
    "encrypted and written": "Pool worker, Noise, send",
    "received": "receiver thread, blocking socket",
    "taken in": "call_soon_threadsafe, asyncio",
    "drawn": "prompt_toolkit's renderer",
}
"""What each place runs on, in the order in which a message comes by."""


@dataclass(frozen=True, slots=True)
class Step:
    """One place: nanoseconds since the place before, and since the first one.

    Where the place before is on another machine, `related` is False and `took` is 0: their clocks have nothing to
    do with each other.
    """

    place: str
    model: str
    took: int
    total: int
    related: bool = True


def steps(stamps: Sequence[Stamp]) -> list[Step]:
    """The way through `stamps`, in their order."""
    way: list[Step] = []
    total = 0
    for before, stamp in zip([*stamps[:1], *stamps], stamps, strict=False):
        related = before.clock == stamp.clock
        took = max(0, stamp.ns - before.ns) if related else 0
        total += took
        way.append(Step(stamp.place, MODELS.get(stamp.place, ""), took, total, related))
    return way


def bar(step: Step, whole: int, width: int) -> str:
    """The step as a piece of a waterfall of `width` cells: where it began and how long it was."""
    scale = width / max(1, whole)
    length = max(1, round(step.took * scale))
    start = min(int((step.total - step.took) * scale), width - length)
    return (" " * start + "█" * length).ljust(width)


def waterfall(way: Sequence[Step], width: int = 30) -> list[str]:
    """The way as lines: place, model, microseconds to get there, and the picture."""
    whole = way[-1].total if way else 0
    lines = []
    for step in way:
        took = f"{step.took / 1e3:,.0f}" if step.related else "?"
        lines.append(f"{step.place:<22}{step.model:<34}{took:>9}  {bar(step, whole, width)}".rstrip())
    lines.append(f"{'all of it':<56}{whole / 1e3:>9,.0f}  µs")
    if not all(step.related for step in way):
        lines.append("? is a way from one machine to another, whose clocks are unrelated.")
    return lines
