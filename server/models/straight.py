"""Reading and writing a line straight on, blocking wherever it must: for models in which each line has somebody
who may wait for it, be it a thread, a process or a greenlet that takes itself for one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from server.children import log
from server.models.line import READ_SIZE, Line, Terms
from server.parcels import Departed, Intake

FAREWELL = 1.0
"""Seconds that all lines together get to send their last letters."""


class Waiting(Line):
    """A line with a thread waiting at `ready` for its letters; the lock is held by whoever brings them, too."""

    writer: threading.Thread

    def __init__(self, lock: threading.Lock, number: int, sock: socket.socket, terms: Terms) -> None:
        super().__init__(number, sock, terms)
        self.ready = threading.Condition(lock)


def engage(line: Waiting, work: Callable[[list[Intake]], object]) -> None:
    """Give a line its two threads; if the system has none left, the client is sent away."""
    line.writer = threading.Thread(target=write, args=(line,), daemon=True)
    reader = threading.Thread(target=read, args=(line, work), daemon=True)
    try:
        line.writer.start()
        reader.start()
    except RuntimeError as error:
        log.warning("turning a client away: %s", error)
        line.gone = True
        work([Departed(line.number)])
        line.sock.close()


def notify(lines: list[Waiting]) -> None:
    """Wake the threads that wait for letters to these lines. The lock is held."""
    for line in lines:
        line.ready.notify()


def wait_for_writers(lines: list[Waiting]) -> None:
    """At the end: wait until the last letters are sent, `FAREWELL` seconds at most."""
    deadline = time.monotonic() + FAREWELL
    for line in lines:
        line.writer.join(max(0.0, deadline - time.monotonic()))


def read(line: Line, work: Callable[[list[Intake]], object]) -> None:
    """Hand everything that the client sends to `work`, up to its end."""
    try:
        while not line.broken and (data := line.sock.recv(READ_SIZE)):
            intake, reply = line.receive(data)
            if reply:
                line.sock.sendall(reply)
            if intake:
                work(intake)
    except OSError:
        pass  # reset, timed out: an end like another
    line.gone = True
    line.shut_down()  # wakes a `write` that waits for a client who doesn't read
    work([Departed(line.number)])


def write(line: Waiting) -> None:
    """Send every letter that the line gets, up to its end, and close the socket.

    Closing is this side's, for it is the last to use the socket: a descriptor that is closed under a thread in
    `send` may have become another client's before the kernel looks at it.
    """
    while True:
        with line.ready:
            line.ready.wait_for(lambda: line.waiting or line.gone)
            if line.gone:
                break
            messages = line.take()
        try:
            line.sock.sendall(line.seal(messages))
        except OSError:
            line.shut_down()
        if line.finished:
            line.shut_down()
    line.shut_down()
    line.sock.close()
