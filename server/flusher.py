"""The flusher: a thread with an epoll of its own, edge-triggered for writing, that sends on what didn't fit.

Why edge-triggered here: a socket is writable nearly always. Level-triggered, EPOLLOUT would have to be switched on
when a send is refused and off when the backlog is gone, two system calls for each stumble, or the loop would spin.
With EPOLLET it is registered once, when the connection comes, and never touched again: the kernel reports the one
moment that matters, when a full socket gets room (epoll(7), "Level-triggered and edge-triggered").

No edge is lost between a refused send and the flusher: epoll compares nothing with the past, it notes that the
socket's state *changed*. The change to "has room" can only come after the refusal, so it is reported after it; and
`Delivery` holds its lock from the refused send to the end of its bookkeeping, so the flusher sees the backlog.
The first edge comes at registration, when there is nothing to send: a call that finds an empty backlog is free.

In Python a GIL lets one thread run at a time, and still this thread earns its place: `send` and `epoll.poll` let
the GIL go, and the main loop never has to think of anything but the next parcel.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

from chat.ciphers import SendingHalf
from server.delivery import LOW_BACKLOG, Delivery, Tally
from server.gauges import Panel

REST_INTERVAL = 2.0
"""Seconds between two times at which the ciphers let go of their expanded keys."""


class Flusher:
    """Watches connections for room to write. `drained` is called, in this thread, when one has little waiting."""

    def __init__(self, drained: Callable[[Delivery], None], panel: Panel) -> None:
        self._drained = drained
        self._panel = panel
        self._tally = Tally()
        self._epoll = select.epoll()
        self._lock = threading.Lock()
        self._deliveries: dict[int, Delivery] = {}
        self._farewells: dict[int, Delivery] = {}
        self._wake_reader, self._wake_writer = os.pipe()
        self._epoll.register(self._wake_reader, select.EPOLLIN)
        self.awake: list[SendingHalf] = []
        """The ciphers that hold an expanded key."""
        self._rest_due = 0.0
        self._running = True
        self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._running = False
        os.write(self._wake_writer, b"x")
        self._thread.join()
        self._epoll.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def add(self, delivery: Delivery) -> None:
        with self._lock:
            self._deliveries[delivery.fileno] = delivery
        self._epoll.register(delivery.fileno, select.EPOLLOUT | select.EPOLLET)

    def remove(self, delivery: Delivery) -> None:
        """Stop watching, before the descriptor is closed: it is a duplicate, so closing it would not end the
        watch, and events would go on coming under a number that soon is another connection's."""
        self._epoll.unregister(delivery.fileno)
        with self._lock:
            self._deliveries.pop(delivery.fileno, None)
            self._farewells.pop(delivery.connection, None)

    def expect_end(self, delivery: Delivery) -> None:
        """Shut this connection down once its farewell has had its time."""
        with self._lock:
            self._farewells[delivery.connection] = delivery

    def _run(self) -> None:
        self._panel.set_thread()
        while self._running:
            events = self._epoll.poll(1.0)
            for fileno, _ in events:
                # An event fetched before its connection was removed may carry a number that is another's by
                # now: that one is flushed for nothing, which does no harm.
                with self._lock:
                    delivery = self._deliveries.get(fileno)
                if delivery is not None:
                    delivery.flush(self._tally)
                    if delivery.waiting < LOW_BACKLOG:
                        self._drained(delivery)
            self._end_farewells()
            self._let_rest()
            self._panel.add("edges", len(events))
            self._panel.show(self._tally)

    def _let_rest(self) -> None:
        """Have the ciphers let go of their expanded keys, now and then: who is busy makes it anew within 1 µs.

        Of 10,000 idle connections, which are sent a `Pong` from time to time, each would keep 2.4 KB otherwise.
        """
        now = time.monotonic()
        if now >= self._rest_due:
            self._rest_due = now + REST_INTERVAL
            while self.awake:
                self.awake.pop().rest()

    def _end_farewells(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [delivery for delivery in self._farewells.values() if delivery.closing <= now]
            for delivery in due:
                del self._farewells[delivery.connection]
        for delivery in due:
            delivery.shut_down()
