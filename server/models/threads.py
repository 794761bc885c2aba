"""Threads: one that waits for what each client sends, one that waits for what it gets, and a Lock around the rooms.

**What it is.** A thread waits for one thing at a time, and needs do no more: the kernel runs another meanwhile. So
each connection gets two, whose code (server/models/straight.py) reads straight on, as if it were alone. They meet
at what all share, the rooms: a `Lock` lets one in at a time. `Condition`s over the same lock carry the news: whoever
brings a letter notifies the one thread that waits for it.

**What it costs.** A stack for each thread: 8 MiB of addresses, some 20 KB of memory really touched, and a switch of
context for each wait; the scheduler looks among thousands for one. And the lock: while a busy room's message is
addressed to a thousand lines, nobody else's is. Decrypting and encrypting are outside of it, but in CPython the GIL
is a lock around that, too: `cryptography` lets it go only while the cipher works on a large piece.

**Where it ends.** At the system's limit of threads (threads-max, pid_max, a cgroup's pids.max), or long before at
the wish to know what holds the lock. What isn't under the lock and is shared is the bug: `waiting` is read and
written under it only, and a socket is closed by the thread that uses it last.
"""

from __future__ import annotations

import functools
import threading

from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import Terms
from server.models.straight import Waiting, engage, notify, wait_for_writers
from server.parcels import Intake


def serve(door: Door, terms: Terms) -> None:
    lock = threading.Lock()
    exchange = Exchange(terms, functools.partial(Waiting, lock))

    def work(intake: list[Intake]) -> float:
        with lock:
            notify(exchange.work(intake))
            return exchange.patience

    try:
        while True:
            door.listener.settimeout(work([]))
            sock = door.accept()
            if sock is not None:
                with lock:
                    line = exchange.connect(sock)
                engage(line, work)
    except Closed:
        with lock:
            lines = exchange.close()
            notify(lines)
        wait_for_writers(lines)
