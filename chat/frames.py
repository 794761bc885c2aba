"""Frames: a 2-byte big-endian length and that many bytes. What stands inside is Noise's business.

Cutting a byte stream into frames is written as a generator that reads top to bottom, as if it could block; it is
driven with `send`, and *which `yield` it stands at* is all the state there is.
"""

from __future__ import annotations

from collections.abc import Generator

MAX_FRAME = 65_535
"""Bytes in one frame, the length itself not counted: all that two bytes can say."""


def header(size: int) -> bytes:
    """What stands before a payload of `size` bytes."""
    return size.to_bytes(2, "big")


def frame(payload: bytes) -> bytes:
    """`payload` with its header in front."""
    return header(len(payload)) + payload


class Cutter:
    """Cuts a stream into frames: `feed` takes what came in and gives the frames that are complete now.

    Holds at most one incomplete frame, so at most 65,537 bytes stay behind between two calls.
    """

    __slots__ = ("_buffer", "_frames", "_steps")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._frames: list[bytes] = []
        self._steps = self._cut()
        next(self._steps)

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        next(self._steps)
        frames, self._frames = self._frames, []
        return frames

    @property
    def waiting(self) -> int:
        """Bytes of an incomplete frame."""
        return len(self._buffer)

    def _cut(self) -> Generator[None, None, None]:
        while True:
            head = yield from self._read_exactly(2)
            payload = yield from self._read_exactly(int.from_bytes(head, "big"))
            # Not in one expression: `self._frames.append(yield …)` looks the list up before it waits, and `feed`
            # has put another in its place by the time it goes on.
            self._frames.append(payload)

    def _read_exactly(self, count: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < count:
            yield
        data = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return data
