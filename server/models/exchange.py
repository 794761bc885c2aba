"""The exchange: the rooms and all the lines into them, for the models whose rooms and lines share a process."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from server.models.line import STOPPING, Line, Terms
from server.models.rooms import Letter, Rooms
from server.parcels import Departed, Intake

LOW_BACKLOG = 256 * 1024
"""Bytes waiting for a connection below which a replay goes on."""

CHECK = 1.0
"""Seconds between two looks at the lines' deadlines."""

L = TypeVar("L", bound=Line)


class Exchange(Generic[L]):
    """Lines as `new_line` makes them, so that a model can add what it needs.

    One call at a time: a model with threads holds a lock around each.
    """

    def __init__(self, terms: Terms, new_line: Callable[[int, socket.socket, Terms], L]) -> None:
        self.lines: dict[int, L] = {}
        self._terms = terms
        self._new_line = new_line
        self._numbers = itertools.count(1)
        self._rooms = Rooms(terms.server_name, self._has_room)
        self._check = 0.0

    def connect(self, sock: socket.socket) -> L:
        """A new line."""
        line = self._new_line(next(self._numbers), sock, self._terms)
        self.lines[line.number] = line
        return line

    def work(self, intake: list[Intake]) -> list[L]:
        """Carry out what came. Returns the lines to be seen to: with letters to be written, or gone.

        Also does what is due by time, so call it every `patience` seconds, with nothing if nothing came.
        """
        mail = self._rooms.work(intake)
        touched = [self.lines.pop(item.connection) for item in intake if isinstance(item, Departed)]
        for number, letter in mail.items():
            if number in self.lines:
                self.lines[number].put(letter)
                touched.append(self.lines[number])
        return touched + self._expire()

    @property
    def patience(self) -> float:
        return self._rooms.patience

    def close(self) -> list[L]:
        """Give every line its last letter; returns them all."""
        for line in self.lines.values():
            line.put(Letter([STOPPING], last=True))
        return list(self.lines.values())

    def _has_room(self, connection: int) -> bool:
        return connection in self.lines and self.lines[connection].waiting < LOW_BACKLOG

    def _expire(self) -> list[L]:
        now = time.monotonic()
        if now < self._check:
            return []
        self._check = now + CHECK
        overdue = [line for line in self.lines.values() if line.deadline <= now]
        for line in overdue:
            line.expire()
        return overdue
