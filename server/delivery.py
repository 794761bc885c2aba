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
from collections.abc import Callable, Iterator, Mapping, Sequence

from chat.ciphers import TAG, SendingHalf, encrypt_each
from chat.codec import MAX_PLAINTEXT
from chat.frames import frame, header

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

BURST, BURST_BYTES = 32, 80 * 1024
"""Connections written to in one go, at most, and bytes. With fewer the two loops are too short to pay; with more, what
was encrypted has left the processor's near caches before it is sent."""

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
        "_cipher",
        "_idle",
        "_lock",
        "_unsent",
        "closing",
        "connection",
        "fileno",
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
        self._cipher = SendingHalf(sending_key, woken=woken)
        self._lock = threading.Lock()
        self._backlog: deque[bytes] | None = None  # an empty deque takes 760 bytes
        self._unsent = NOTHING
        self._idle = True
        """Nothing waits and nothing has ended: what comes may be sent at once."""

    def write(self, messages: Sequence[bytes], tally: Tally) -> bool:
        """Send messages, each of which fits a frame, or keep what the socket doesn't take yet.

        False if that is more than a connection may have waiting: nothing was added then.
        """
        with self._lock:
            if self.closing:
                return True  # whatever is still on its way here comes too late
            size = sum(map(len, messages))
            if not self._idle and self.waiting + size > MAX_BACKLOG:
                return False
            if self._backlog is None:
                self._backlog = deque(messages)
            else:
                self._backlog.extend(messages)
            self.waiting += size
            if self._idle:  # else the flusher has it in hand, and the edge will come
                self._send(tally)
            return True

    def flush(self, tally: Tally) -> None:
        """Send on; called when the socket has room again."""
        with self._lock:
            if not self._idle:
                self._send(tally)

    def say_farewell(self, messages: Sequence[bytes], tally: Tally, limit: float = FAREWELL_LIMIT) -> None:
        """Send these last messages instead of all that waits, then shut the connection down."""
        with self._lock:
            if not self.closing:
                self._backlog = deque(messages)
                self.waiting = sum(map(len, messages))
                self.closing = time.monotonic() + limit
                self._send(tally)

    def shut_down(self) -> None:
        """End the connection now. The reader's process notices, and everything else follows from there."""
        with self._lock:
            self._abandon()

    def close(self) -> None:
        """Close this process's copy of the descriptor, once nothing watches it any more."""
        with self._lock:
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
            self._idle = False
            return  # the socket is full: its next edge calls `flush`
        except OSError:
            self._abandon()
            return
        if self.closing:
            self._abandon()
        else:
            self._backlog = None
            self._idle = True

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
            frames.append(frame(self._cipher.encrypt(batch[0] if len(batch) == 1 else b"".join(batch))))
            taken += size
        self.waiting -= taken
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def _abandon(self) -> None:
        self._backlog = None
        self._unsent = NOTHING
        self._idle = False
        self.waiting = 0
        self.closing = self.closing or time.monotonic()
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster


def write_all(outgoing: Mapping[Delivery, Sequence[bytes]], tally: Tally) -> list[Delivery]:
    """`write` to each its messages; gives those who have too much waiting.

    This runs once for every member and round, which is most of what the server does. So what many get in one piece, as
    a room's members do, goes to those for whom nothing waits in *bursts*: encrypted for all of them, then sent to all.
    """
    too_slow: list[Delivery] = []
    for burst, messages in _bursts(outgoing):
        if len(messages) == 1:
            burst = _send_at_once(burst, messages[0], tally)
        too_slow += [delivery for delivery in burst if not delivery.write(messages, tally)]
    return too_slow


def _bursts(outgoing: Mapping[Delivery, Sequence[bytes]]) -> Iterator[tuple[list[Delivery], Sequence[bytes]]]:
    """Those that get the very same messages one after the other, `BURST` at most or as many as `BURST_BYTES` allow."""
    burst: list[Delivery] = []
    room = 0
    shared: Sequence[bytes] = ()
    for delivery, messages in outgoing.items():
        if messages is not shared or len(burst) >= room:
            if burst:
                yield burst, shared
            burst, shared = [], messages
            room = max(1, min(BURST, BURST_BYTES // sum(map(len, messages)))) if messages else BURST
        burst.append(delivery)
    if burst:
        yield burst, shared


def _send_at_once(burst: list[Delivery], message: bytes, tally: Tally) -> list[Delivery]:
    """Send one message to those for whom nothing waits; gives the others.

    First all the encryption, then all the sending: two short loops, each of whose code stays in the processor's caches,
    where one loop of both has the kernel's network code and the cipher drive each other out (a twelfth of the time of
    short messages). All locks of a burst are held from the one to the other, so that nobody sends in between.
    """
    for delivery in burst:
        delivery._lock.acquire()
    try:
        idle = [delivery for delivery in burst if delivery._idle]
        size = len(message) + TAG
        frames = encrypt_each([delivery._cipher for delivery in idle], message, header(size))
        size += len(header(size))
        full = 0
        for delivery, data in zip(idle, frames, strict=True):
            try:
                sent = delivery.sock.send(data)
            except OSError:
                sent = 0  # full or gone: sending on meets the same, and sees to it
            if sent < size:
                full += size - sent
                delivery._unsent = memoryview(data)[sent:]
                delivery._send(tally)
        tally.sends += len(idle)
        tally.bytes_sent += len(idle) * size - full
        return [] if len(idle) == len(burst) else [delivery for delivery in burst if delivery not in idle]
    finally:
        for delivery in burst:
            delivery._lock.release()
