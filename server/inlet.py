"""The inlet: a thread that takes a worker's batches from its Manager queue, so that the main loop never waits for one.

The proxy of a Manager's queue has no descriptor to wait on, and each `get` is a round trip to another process. So
this thread blocks in it, and what it got waits here, under a `Condition`, until the main loop takes all of it at once.

**The bound** is in bytes, for what waits is as good as one batch however many it came in: `MAX_WAITING`, and one
batch more. When it is reached the inlet waits, then the Manager's queue fills, then the journal waits.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from server.children import log
from server.gauges import Panel

MAX_WAITING = 1024 * 1024
"""Bytes of batches that may wait for the main loop."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pickled parcels, and when they came (monotonic, in nanoseconds)."""

    blob: bytes
    taken: int


class Inlet:
    """`take` is for one thread, `wake` for any."""

    def __init__(self, parcels: Any, panel: Panel) -> None:
        self._parcels = parcels
        self._panel = panel
        self._changed = threading.Condition()
        self._waiting: list[Batch] = []
        self._size = 0
        self._woken = False
        self._ended = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="inlet", daemon=True).start()

    def take(self, *, block: bool, rest: float) -> tuple[list[Batch], bool]:
        """All that waits, and whether that was the last; with `block`, not before something came or it was woken.

        If something waits already, more is given `rest` seconds to come.
        """
        if self._waiting:
            time.sleep(rest)
        with self._changed:
            if block:
                self._changed.wait_for(lambda: self._waiting or self._woken or self._ended)
            batches, self._waiting, self._size = self._waiting, [], 0
            self._woken = False
            self._changed.notify_all()
            return batches, self._ended

    def wake(self) -> None:
        """Have `take` return, even with nothing."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _run(self) -> None:
        self._panel.set_thread()
        try:
            while (blob := self._parcels.get()) is not None:
                self._panel.add("taken")
                self._put(Batch(blob, time.monotonic_ns()))
        except (EOFError, OSError):
            log.warning("the Manager is gone")
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, batch: Batch) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._size < MAX_WAITING)
            self._waiting.append(batch)
            self._size += len(batch.blob)
            self._changed.notify_all()
