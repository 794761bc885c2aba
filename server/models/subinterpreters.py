"""Subinterpreters: several Pythons in one process, each with a GIL of its own and nothing in common but the process.

**What it is.** An interpreter has its own modules and objects and, since Python 3.12, its own GIL: threads in different
ones run at the same time. Objects don't pass between them; a queue between interpreters copies bytes, numbers and
tuples. So it is processes' isolation at a thread's price, and descriptors, which belong to the process, are good in
all of them without being sent.

**What it costs.** Some megabytes and milliseconds for each interpreter, a copy for each piece of bytes, and a pipe
beside each queue, for a queue between interpreters can only be asked, again and again, or waited for at something that
a kernel can wait for.

**Where it ends.** At extension modules: one has to be written for several interpreters, and neither `cryptography`
nor `msgpack` is. So what could use a second core most, the ciphers, stays in the main one with the sessions and the
rooms, and the others are *porters* (porter.py), who do the system calls alone: what Redis calls its I/O threads.

Python has had this in its C API for ever, and as a module since 3.14 (`concurrent.interpreters`, PEP 734); 3.13 has
the same module among its own tests, which is good enough to look at.
"""

from __future__ import annotations

import importlib
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from server.models import Lacking
from server.models.door import TICK, Closed, Door
from server.models.exchange import Exchange
from server.models.line import Line, Terms
from server.models.porter import ring
from server.parcels import Departed, Intake

FAREWELL = 1.0
"""Seconds that the porters get for the last letters."""


class Carried(Line):
    """A line whose bytes a porter carries; `under_way` while it hasn't said that all is sent."""

    porter: Porter
    under_way = False


class Porter:
    """The main interpreter's side of one porter. `bell` is where that one rings when it has answers."""

    def __init__(self, interpreters: Any, bell: int) -> None:
        self._interpreter = interpreters.create()
        self._orders, self._answers = interpreters.create_queue(), interpreters.create_queue()
        self._inside, self._bell = os.pipe()
        os.set_blocking(self._bell, False)
        name = interpreters.__name__
        self._interpreter.exec(f"import {name}; {name}.create_queue")  # or it doesn't know what a queue is
        self._interpreter.prepare_main(orders=self._orders, answers=self._answers, inside=self._inside, bell=bell)
        code = "from server.models.porter import carry; carry(orders, answers, inside, bell)"
        self._thread = threading.Thread(target=self._interpreter.exec, args=(code,), name="porter", daemon=True)
        self._thread.start()

    def order(self, order: tuple[int, int | bytes] | None) -> None:
        self._orders.put(order)
        ring(self._bell)

    def answers(self) -> Iterator[tuple[int, bytes | None]]:
        """What has come since the last time."""
        while True:
            try:
                yield self._answers.get_nowait()
            except queue.Empty:
                return

    def close(self) -> None:
        self.order(None)
        self._thread.join()
        self._interpreter.close()
        os.close(self._inside)
        os.close(self._bell)


def serve(door: Door, terms: Terms) -> None:
    switchboard = Switchboard(check(), terms)
    door.listener.setblocking(False)
    listener = door.listener.fileno()
    try:
        while True:
            ready, _, _ = select.select([listener, switchboard.bell], [], [], switchboard.exchange.patience)
            if listener in ready and (sock := door.accept()) is not None:
                switchboard.admit(sock)
            switchboard.turn(switchboard.bell in ready)
    except Closed:
        switchboard.close()


class Switchboard:
    """Everything but the system calls: sessions, ciphers, rooms. `bell` is readable when a porter has answers."""

    def __init__(self, interpreters: Any, terms: Terms) -> None:
        self.bell, bell = os.pipe()
        os.set_blocking(bell, False)
        self.exchange = Exchange(terms, Carried)
        self._porters = [Porter(interpreters, bell) for _ in os.sched_getaffinity(0)]

    def admit(self, sock: socket.socket) -> None:
        """A new client: each porter gets its share of them."""
        sock.setblocking(False)
        line = self.exchange.connect(sock)
        line.porter = self._porters[line.number % len(self._porters)]
        line.porter.order((line.number, sock.fileno()))

    def turn(self, rung: bool) -> None:
        """See to all that the porters bring, then to all lines with something to send."""
        intake: list[Intake] = []
        touched: set[Carried] = set()
        if rung:
            os.read(self.bell, 4096)
            for porter in self._porters:
                for number, data in porter.answers():
                    line = self.exchange.lines[number]
                    intake += self._hear(line, data)
                    touched.add(line)
        for line in touched.union(self.exchange.work(intake)):
            self._see_to(line)

    def close(self) -> None:
        for line in self.exchange.close():
            self._see_to(line)
        deadline = time.monotonic() + FAREWELL
        while any(line.under_way for line in self.exchange.lines.values()) and time.monotonic() < deadline:
            self.turn(bool(select.select([self.bell], [], [], TICK)[0]))
        for porter in self._porters:
            porter.close()

    def _hear(self, line: Carried, data: bytes | None) -> list[Intake]:
        if data is None:
            line.under_way = False
            return []
        if not data:
            line.gone = True
            return [Departed(line.number)]
        intake, reply = line.receive(data)
        if reply:
            self._send(line, reply)
        return intake

    def _see_to(self, line: Carried) -> None:
        """One piece at a time is under way, so that what a slow client leaves waiting waits here, and is counted."""
        if line.gone:
            line.sock.close()
        elif line.under_way:
            pass
        elif line.waiting:
            self._send(line, line.seal(line.take()))
        elif line.finished or line.broken:
            line.shut_down()

    def _send(self, line: Carried, data: bytes) -> None:
        line.under_way = True
        line.porter.order((line.number, data))


def check() -> Any:
    """The module of interpreters, wherever this Python has it. Raises `Lacking`."""
    for name in ("concurrent.interpreters", "test.support.interpreters"):
        try:
            module = importlib.import_module(name)
            if hasattr(module, "create_queue"):
                return module
        except ImportError:
            pass
    raise Lacking("this Python has no module for subinterpreters; start the server with Python 3.13 or newer.")
