"""Bursts: a round's messages for many connections, written in one go. Here the server spends most of its time.

What a room's members get is the same piece for all, and for nearly all of them nothing waits. So it goes to them in
bursts: **first all the encryption, then all the sending**. Each of the two loops is short enough for its code to stay
in the processor's caches, where in one loop of both the kernel's network code and the cipher drive each other out; and
the frames are written into the same buffer again and again, which stays there as well.

All locks of a burst are held from the one loop to the other, so nobody sends in between. That can't end in a deadlock:
the flusher, the only other one that takes these locks, never holds more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chat.ciphers import TAG, encrypt_each
from chat.frames import MAX_FRAME, header
from server.delivery import Delivery, Tally

BURST, BURST_BYTES = 32, 80 * 1024
"""Connections in one burst, at most, and bytes of their frames. With fewer the loops are too short to pay; with more,
what was encrypted has left the nearer caches before it is sent."""

HEADER = len(header(0))


class Slots:
    """Room for the frames of a burst, all of one size."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(max(BURST_BYTES, HEADER + MAX_FRAME)))
        self.size = 0
        """Of each frame."""
        self.frames: list[memoryview] = []
        """Each whole, its header written."""
        self.payloads: list[memoryview] = []
        """The same without their headers, to be encrypted into."""

    def fit(self, size: int, count: int) -> None:
        """Make at least `count` slots for frames of `size` bytes."""
        if size != self.size:
            self.size, self.frames, self.payloads = size, [], []
        for at in range(len(self.frames) * size, count * size, size):
            slot = self._buffer[at : at + size]
            slot[:HEADER] = header(size - HEADER)
            self.frames.append(slot)
            self.payloads.append(slot[HEADER:])


class Bursts:
    """For one thread, whose sends `tally` counts."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._slots = Slots()

    def write_all(self, outgoing: Mapping[Delivery, Sequence[bytes]]) -> list[Delivery]:
        """`Delivery.write` to each its messages; gives those who have too much waiting."""
        too_slow: list[Delivery] = []
        for burst, messages in _bursts(outgoing):
            if len(messages) == 1:
                burst = self._send_at_once(burst, messages[0])
            too_slow += [delivery for delivery in burst if not delivery.write(messages, self._tally)]
        return too_slow

    def _send_at_once(self, burst: list[Delivery], message: bytes) -> list[Delivery]:
        """Send one message to those for whom nothing waits; gives the others."""
        size = HEADER + len(message) + TAG
        self._slots.fit(size, len(burst))
        for delivery in burst:
            delivery.lock.acquire()
        try:
            idle = [delivery for delivery in burst if delivery.idle]
            encrypt_each([delivery.cipher for delivery in idle], message, self._slots.payloads[: len(idle)])
            refused = 0
            for delivery, frame in zip(idle, self._slots.frames[: len(idle)], strict=True):
                try:
                    sent = delivery.sock.send(frame)
                except OSError:
                    sent = 0  # full or gone: sending on meets the same, and sees to it
                if sent < size:
                    refused += size - sent
                    delivery.send_rest(bytes(frame[sent:]), self._tally)
            self._tally.sends += len(idle)
            self._tally.bytes_sent += len(idle) * size - refused
            return [] if len(idle) == len(burst) else [delivery for delivery in burst if delivery not in idle]
        finally:
            for delivery in burst:
                delivery.lock.release()


def _bursts(outgoing: Mapping[Delivery, Sequence[bytes]]) -> Iterator[tuple[list[Delivery], Sequence[bytes]]]:
    """Those that get the very same messages one after the other, as many as make a burst."""
    burst: list[Delivery] = []
    shared: Sequence[bytes] = ()
    most = 0
    for delivery, messages in outgoing.items():
        if messages is not shared or len(burst) >= most:
            if burst:
                yield burst, shared
            burst, shared = [], messages
            most = max(1, min(BURST, BURST_BYTES // (HEADER + TAG + sum(map(len, messages)))))
        burst.append(delivery)
    if burst:
        yield burst, shared
