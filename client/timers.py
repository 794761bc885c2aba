"""The timers: a thread with a gevent hub of its own, where each running timer is a greenlet that sleeps.

A timer is a thing that does nothing for a while, and greenlets do that best: a heartbeat, a countdown and a hundred
"is typing" lines cost a few kilobytes each and read as straight lines, `sleep` in the middle.

A hub belongs to the thread that first asked for it. Nothing of gevent may be touched from another thread, but for
one thing: `send` of an `async_` watcher, which libev makes safe to call from anywhere. So orders wait in a deque, the
watcher wakes the hub, and the hub takes them. The way back is the door into the UI's loop: what a timer does, it does
in the UI's thread. The watcher also keeps the hub alive: without anything pending, a hub ends with LoopExit.

Nothing is monkey-patched: the UI's thread and the receiver's use the real sockets and locks.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import gevent
from gevent.event import Event

from client.door import Door

Call = Callable[[], None]


@dataclass(slots=True, eq=False)
class Timer:
    """One timer, and when it is due next (monotonic)."""

    name: str
    seconds: float
    call: Call
    repeats: bool
    due: float = 0.0

    def __post_init__(self) -> None:
        self.due = time.monotonic() + self.seconds


class Timers:
    """Named timers. A name set again replaces the timer that had it. All methods are for the UI's thread."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._orders: deque[Call] = deque()
        self._sleepers: dict[str, gevent.Greenlet[..., None]] = {}  # touched in the hub's thread only
        self._timers: dict[str, Timer] = {}  # and these in the UI's
        self._stopped = False
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()
        self._started.wait()

    def once(self, name: str, seconds: float, call: Call) -> None:
        """Call `call` after `seconds`."""
        self._set(Timer(name, seconds, call, repeats=False))

    def every(self, name: str, seconds: float, call: Call) -> None:
        """Call `call` every `seconds`, the first time after as many."""
        self._set(Timer(name, seconds, call, repeats=True))

    def cancel(self, name: str) -> None:
        """Forget a timer; one that isn't there is forgotten already."""
        if self._timers.pop(name, None) is not None:
            self._order(lambda: self._kill(name))

    def pending(self) -> dict[str, float]:
        """The timers that run, with the seconds until each is due, the next first."""
        now = time.monotonic()
        due = {timer.name: max(0.0, timer.due - now) for timer in self._timers.values()}
        return dict(sorted(due.items(), key=lambda item: item[1]))

    def stop(self) -> None:
        """End the thread with all its timers; whoever sets one afterwards sets nothing."""
        if not self._stopped:
            self._stopped = True
            self._timers.clear()
            self._order(lambda: self._end.set())
            self._thread.join()

    def _set(self, timer: Timer) -> None:
        if self._stopped:
            return  # the last words of a link that is being closed
        self._timers[timer.name] = timer
        self._order(lambda: self._spawn(timer))

    def _fired(self, timer: Timer) -> None:
        if self._timers.get(timer.name) is not timer:
            return  # cancelled or replaced while it was on its way here
        if timer.repeats:
            timer.due = time.monotonic() + timer.seconds
        else:
            del self._timers[timer.name]
        timer.call()

    def _order(self, order: Call) -> None:
        self._orders.append(order)
        self._wake.send()

    # --- in the hub's thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        self._end = Event()
        self._wake = gevent.get_hub().loop.async_()
        self._wake.start(self._take_orders)
        self._started.set()
        self._end.wait()
        gevent.killall(list(self._sleepers.values()))
        self._wake.stop()
        self._wake.close()
        gevent.get_hub().destroy()

    def _take_orders(self) -> None:
        # Runs in the hub itself, which must never wait: orders only spawn, kill or set.
        while self._orders:
            self._orders.popleft()()

    def _spawn(self, timer: Timer) -> None:
        self._kill(timer.name)
        self._sleepers[timer.name] = gevent.spawn(self._sleep, timer)

    def _kill(self, name: str) -> None:
        sleeper = self._sleepers.pop(name, None)
        if sleeper is not None:
            sleeper.kill(block=False)

    def _sleep(self, timer: Timer) -> None:
        while True:
            gevent.sleep(timer.seconds)
            self._door(lambda: self._fired(timer))
            if not timer.repeats:
                return
