"""The outlet: one worker's queue of batches, an object in the Manager's process, of which others hold a proxy.

`Manager().Queue()` is a `queue.Queue` there: it gives one thing for each round trip, counts things and not bytes, and
nothing but a thing wakes who waits in it. A Manager serves any class as well, with a thread for each connection to it,
so this one is made for its job: `take` gives all that waits at once, the bound is in bytes (for what waits is as good
as one batch, however many it came in), and `wake` ends a wait with nothing.

**A Condition** is what its threads meet at. Whoever waits here waits for something to be true ("there is room",
"something waits"), and looks again each time another thread has changed something.

The proxy pickles each call, so a batch is bytes: it passes through here unopened.
"""

from __future__ import annotations

import threading
import time

MAX_WAITING = 1024 * 1024
"""Bytes of batches that may wait, and one batch more; then whoever puts waits."""


class Outlet:
    """Each call runs in the Manager's process, in the thread that serves the caller."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[bytes | None] = []
        self._size = 0
        self._woken = False

    def put(self, batch: bytes | None) -> None:
        """Add a batch, or the end; waits while the outlet is full."""
        with self._changed:
            self._changed.wait_for(lambda: self._size < MAX_WAITING)
            self._waiting.append(batch)
            self._size += len(batch or b"")
            self._changed.notify_all()

    def take(self, block: bool, earliest: float = 0.0) -> list[bytes | None]:
        """All that waits. With `block`, not before something came or somebody called `wake`, nor before `earliest`.

        That is a time of the monotonic clock, which all processes of a machine share.
        """
        with self._changed:
            if block:
                self._changed.wait_for(lambda: self._waiting or self._woken)
        if block and (rest := earliest - time.monotonic()) > 0:
            time.sleep(rest)  # here, so that the worker is woken once, and with more
        with self._changed:
            batches, self._waiting, self._size, self._woken = self._waiting, [], 0, False
            self._changed.notify_all()
            return batches

    def wake(self) -> None:
        """Have `take` return, even with nothing."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()
