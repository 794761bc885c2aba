"""The listening half of a crowd, as scripts/benchmark/receiver.c does it: this is the way to it from Python."""

from __future__ import annotations

import ctypes
import functools
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("receiver.c")


class Failed(Exception):
    """A member got something wrong, or nothing at all: the figures of this run mean nothing."""


@dataclass(frozen=True, slots=True)
class Stream:
    """How what a member receives is to be read: decrypted, if there is a key, and from which frame on."""

    key: bytes | None = None
    counter: int = 0


class Receiver:
    """Reads connections, decrypts what comes and checks that each gets 1, 2, 3 … without a hole or a double."""

    def __init__(self) -> None:
        self._library = _library()
        self._crowd = ctypes.c_void_p(self._library.crowd_new())

    def add(self, sock: socket.socket, stream: Stream) -> None:
        """Read this connection from now on."""
        self._add(sock, stream, ignored=False)

    def ignore(self, sock: socket.socket) -> None:
        """Read this connection, and don't look at what comes."""
        self._add(sock, Stream(), ignored=True)

    def turn(self, timeout: float, limit: int, *, timed: bool = False) -> int:
        """Wait at most `timeout` s, then read up to `limit` connections once; gives the deliveries. Raises `Failed`."""
        count: int = self._library.crowd_turn(self._crowd, int(1000 * timeout + 0.999), limit, timed)
        if count < 0:
            raise Failed(self._library.crowd_trouble(self._crowd).decode())
        return count

    def take_latencies(self) -> list[int]:
        """Nanoseconds from sending to receiving, of all that was received in timed turns since this was last called."""
        count = self._library.crowd_latency_count(self._crowd)
        latencies: list[int] = self._library.crowd_latencies(self._crowd)[:count] if count else []
        self._library.crowd_forget_latencies(self._crowd)
        return latencies

    def close(self) -> None:
        """Forget all connections; their sockets are the callers'."""
        self._library.crowd_free(self._crowd)

    def _add(self, sock: socket.socket, stream: Stream, *, ignored: bool) -> None:
        sock.setblocking(False)
        if self._library.crowd_add(self._crowd, sock.fileno(), stream.key, stream.counter, ignored):
            raise Failed("a connection can't be watched: there are too many")


@functools.cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        library = str(Path(folder) / "receiver.so")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, str(SOURCE), "-l:libcrypto.so.3"], check=True)
        loaded = ctypes.CDLL(library)
    crowd = ctypes.c_void_p
    stream = [ctypes.c_char_p, ctypes.c_uint64]
    for name, result, arguments in (
        ("crowd_new", crowd, []),
        ("crowd_add", ctypes.c_int, [crowd, ctypes.c_int, *stream, ctypes.c_int]),
        ("crowd_turn", ctypes.c_long, [crowd, ctypes.c_int, ctypes.c_int, ctypes.c_int]),
        ("crowd_trouble", ctypes.c_char_p, [crowd]),
        ("crowd_latencies", ctypes.POINTER(ctypes.c_int64), [crowd]),
        ("crowd_latency_count", ctypes.c_size_t, [crowd]),
        ("crowd_forget_latencies", None, [crowd]),
        ("crowd_free", None, [crowd]),
    ):
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded
