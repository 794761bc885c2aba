"""One connection's sending half, as a fan-out worker has it: a backlog, a cipher, a socket, and one Lock.

Two threads write: the worker's main loop adds messages and sends what the socket takes at once; the flusher sends
on what a full socket refused, when epoll says that there is room. The lock keeps the cipher's counter, the order
of the frames and the half-sent frame in one hand.

The backlog holds plaintext, and encrypts when the socket has room. A room's messages are one bytes object however
many members wait for them, so a thousand slow readers cost a thousand references, not a thousand copies; and what
is dropped from a backlog has used up no counter of the cipher, so the farewell can still be read.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from chat.ciphers import SendingHalf
from chat.codec import MAX_PLAINTEXT
from chat.frames import frame

MAX_BACKLOG = 4 * 1024 * 1024
"""Bytes of plaintext that may wait for one connection; one that has more is too slow and is dropped."""

LOW_BACKLOG = 256 * 1024
"""A replay goes on below this."""

IN_FLIGHT = 256 * 1024
"""Bytes encrypted ahead of the socket, at most, and about one frame more."""

FAREWELL_LIMIT = 5.0
"""Seconds that the last messages of a connection may take before it is shut down without them."""

SLOW_FAREWELL_LIMIT = 20.0
"""The same for one that was too slow: one that was stopped reads why when it goes on, if that is soon."""

NOTHING = memoryview(b"")


class Tally:
    """What one thread's sends came to. Each thread has its own, so that counting takes no lock."""

    __slots__ = ("bytes_sent", "full_sockets", "sends")

    def __init__(self) -> None:
        self.sends = self.bytes_sent = self.full_sockets = 0


class Delivery:
    """The way to one client. `write` never blocks and never raises; a connection that fails is shut down."""

    __slots__ = (
        "_backlog",
        "_unsent",
        "cipher",
        "closing",
        "connection",
        "fileno",
        "idle",
        "lock",
        "sock",
        "waiting",
    )

    def __init__(
        self,
        connection: int,
        sock: socket.socket,
        sending_key: bytes,
        woken: Callable[[SendingHalf], None] | None = None,
    ) -> None:
        self.connection = connection
        self.sock = sock
        self.fileno = sock.fileno()
        self.waiting = 0
        """Bytes of plaintext in the backlog."""
        self.closing = 0.0
        """When to shut down at the latest, on the monotonic clock; 0.0 while the connection lives."""
        self.lock = threading.Lock()
        """Held by whoever uses `cipher`, `idle` or the socket."""
        self.cipher = SendingHalf(sending_key, woken=woken)
        self._backlog: deque[bytes] | None = None  # an empty deque takes 760 bytes
        self._unsent = NOTHING
        self.idle = True
        """Nothing waits and nothing has ended: what comes may be sent at once."""

    def write(self, messages: Sequence[bytes], tally: Tally) -> bool:
        """Send messages, each of which fits a frame, or keep what the socket doesn't take yet.

        False if that is more than a connection may have waiting: nothing was added then.
        """
        with self.lock:
            if self.closing:
                return True  # whatever is still on its way here comes too late
            size = sum(map(len, messages))
            if not self.idle and self.waiting + size > MAX_BACKLOG:
                return False
            if self._backlog is None:
                self._backlog = deque(messages)
            else:
                self._backlog.extend(messages)
            self.waiting += size
            if self.idle:  # else the flusher has it in hand, and the edge will come
                self._send(tally)
            return True

    def flush(self, tally: Tally) -> None:
        """Send on; called when the socket has room again."""
        with self.lock:
            if not self.idle:
                self._send(tally)

    def send_rest(self, frame: bytes, tally: Tally) -> None:
        """Send what the socket didn't take of a frame; with the lock held, by one who found the connection idle."""
        self._unsent = memoryview(frame)
        self._send(tally)

    def say_farewell(self, messages: Sequence[bytes], tally: Tally, limit: float = FAREWELL_LIMIT) -> None:
        """Send these last messages instead of all that waits, then shut the connection down."""
        with self.lock:
            if not self.closing:
                self._backlog = deque(messages)
                self.waiting = sum(map(len, messages))
                self.closing = time.monotonic() + limit
                self._send(tally)

    def shut_down(self) -> None:
        """End the connection now. The reader's process notices, and everything else follows from there."""
        with self.lock:
            self._abandon()

    def close(self) -> None:
        """Close this process's copy of the descriptor, once nothing watches it any more."""
        with self.lock:
            self._abandon()
            self.sock.close()

    def _send(self, tally: Tally) -> None:
        try:
            while self._unsent or self._backlog:
                if not self._unsent:
                    self._unsent = memoryview(self._next_frames())
                sent = self.sock.send(self._unsent)
                tally.sends += 1
                tally.bytes_sent += sent
                self._unsent = self._unsent[sent:]
        except BlockingIOError:
            tally.full_sockets += 1
            self.idle = False
            return  # the socket is full: its next edge calls `flush`
        except OSError:
            self._abandon()
            return
        if self.closing:
            self._abandon()
        else:
            self._backlog = None
            self.idle = True

    def _next_frames(self) -> bytes:
        """Up to `IN_FLIGHT` bytes of the backlog, packed into as few frames as order allows, encrypted."""
        frames: list[bytes] = []
        taken = 0
        backlog = self._backlog
        while backlog and taken < IN_FLIGHT:
            batch = [backlog.popleft()]
            size = len(batch[0])
            while backlog and size + len(backlog[0]) <= MAX_PLAINTEXT:
                batch.append(backlog.popleft())
                size += len(batch[-1])
            frames.append(frame(self.cipher.encrypt(batch[0] if len(batch) == 1 else b"".join(batch))))
            taken += size
        self.waiting -= taken
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def _abandon(self) -> None:
        self._backlog = None
        self._unsent = NOTHING
        self.idle = False
        self.waiting = 0
        self.closing = self.closing or time.monotonic()
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster
