"""Who waits for which socket: for models whose tasks are set aside until one is ready. An epoll underneath."""

from __future__ import annotations

import select
import socket
from typing import Generic, TypeVar

T = TypeVar("T")

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_ENDED = select.EPOLLHUP | select.EPOLLERR


class Waits(Generic[T]):
    """For each socket at most one that waits to read and one that waits to write; each wait is for once.

    EPOLLONESHOT fits: the kernel reports a socket and leaves it alone until it is armed again, one call for a wait.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._waiting: dict[int, dict[int, T]] = {}

    def add(self, sock: socket.socket, event: int, who: T) -> None:
        """`who` waits for `event`, READ or WRITE, on a socket."""
        self._waiting.setdefault(sock.fileno(), {})[event] = who
        self._arm(sock.fileno())

    def poll(self, timeout: float) -> list[T]:
        """Those whose wait is over; a socket's end is for whoever waits for anything on it."""
        ready: list[T] = []
        for fileno, event in self._epoll.poll(timeout):
            waiting = self._waiting[fileno]
            for wanted in (READ, WRITE):
                if wanted in waiting and event & (wanted | _ENDED):
                    ready.append(waiting.pop(wanted))
            if waiting:
                self._arm(fileno)
            else:
                del self._waiting[fileno]
        return ready

    def _arm(self, fileno: int) -> None:
        mask = select.EPOLLONESHOT
        for event in self._waiting[fileno]:
            mask |= event
        try:
            self._epoll.modify(fileno, mask)
        except FileNotFoundError:  # new, or new again: closing a socket has taken it out
            self._epoll.register(fileno, mask)
