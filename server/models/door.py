"""The door: the listening socket, and the news that the server is to end.

To end a server, its listener is shut down: whoever waits for clients learns it by the one call that it makes
anyway, in whatever thread or process it waits, for `shutdown` acts on the socket and not on a descriptor of it.
A poll reports it as readable, and `accept` fails with EINVAL (Linux).
"""

from __future__ import annotations

import errno
import os
import signal
import socket
from types import FrameType
from typing import Self

TICK = 0.25
"""Seconds that a model may wait at most. What is due by time is looked at then; and should a signal come in the
instant before a wait begins, which no handler can prevent, the server ends so much later."""


class Closed(Exception):
    """The server is to end."""


class Door:
    """Accepts clients. Whether `accept` waits is the listener's own business: see `socket.settimeout`."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.closed = False
        self._spare = os.open(os.devnull, os.O_RDONLY)

    def accept(self) -> socket.socket | None:
        """The next client's socket, blocking; None if there is none (now). Raises `Closed`."""
        try:
            sock, _ = self.listener.accept()
        except (BlockingIOError, TimeoutError, ConnectionAbortedError):
            return None
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._turn_away()
                return None
            raise Closed from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def close_at_signals(self) -> None:
        """Close the door for everybody at SIGTERM and SIGINT. Call it in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._shut)

    def _shut(self, number: int, frame: FrameType | None) -> None:
        self.closed = True
        self.listener.shutdown(socket.SHUT_RDWR)

    def _turn_away(self) -> None:
        """Out of descriptors: let one client in on the spare one and out again, or it would knock for ever."""
        os.close(self._spare)
        try:
            self.listener.accept()[0].close()
        except OSError:
            pass  # another process or thread took the spare one's place; the client knocks again
        self._spare = os.open(os.devnull, os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        os.close(self._spare)
