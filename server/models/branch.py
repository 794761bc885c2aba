"""A branch: lines in one process, the rooms in another. For the models with several processes.

Intake goes out through one queue and mail comes in through another; in between each line has its two threads, as in
the threads' model.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from server.models.exchange import CHECK
from server.models.line import STOPPING, Terms
from server.models.rooms import Letter, Mail
from server.models.straight import Waiting, engage, notify, wait_for_writers
from server.parcels import Departed, Intake


class Branch:
    """The lines of one process. `send` takes intake to the rooms; any thread may call it."""

    def __init__(self, terms: Terms, send: Callable[[list[Intake]], object]) -> None:
        self._terms = terms
        self._send = send
        self._lock = threading.Lock()
        self._lines: dict[int, Waiting] = {}
        self._check = 0.0

    def connect(self, number: int, sock: socket.socket) -> None:
        """A new line, with its two threads."""
        line = Waiting(self._lock, number, sock, self._terms)
        with self._lock:
            self._lines[number] = line
        engage(line, self._work)

    def deliver(self, mail: Mail) -> None:
        """Put the letters from the rooms. Also does what is due by time, so call it every second at least."""
        with self._lock:
            for number in mail.keys() & self._lines.keys():
                self._lines[number].put(mail[number])
            notify([self._lines[number] for number in mail.keys() & self._lines.keys()] + self._expire())

    def close(self) -> None:
        """Give every line its last letter, and a moment to send it."""
        with self._lock:
            lines = list(self._lines.values())
            for line in lines:
                line.put(Letter([STOPPING], last=True))
            notify(lines)
        wait_for_writers(lines)

    def _expire(self) -> list[Waiting]:
        now = time.monotonic()
        if now < self._check:
            return []
        self._check = now + CHECK
        overdue = [line for line in self._lines.values() if line.deadline <= now]
        for line in overdue:
            line.expire()
        return overdue

    def _work(self, intake: list[Intake]) -> None:
        self._send(intake)
        for item in intake:
            if isinstance(item, Departed):
                with self._lock:
                    line = self._lines.pop(item.connection)
                    notify([line])
