"""Hints: servers that the operator names, because no beacon of theirs comes this far.

A server elsewhere answers only those who name its key. So a thread of its own, which may wait for slow networks,
begins a handshake with each hinted address to learn which key answers there, and breaks it off; the announcer then asks
by beacon. One hint in a subnet serves everybody in it: what the announcer learns, it tells whoever asks.
"""

from __future__ import annotations

import socket
import threading

from chat.faults import PeerFault
from chat.frames import Cutter, frame
from chat.secure import Initiator, new_private_key

AGAIN = 10.0
"""Seconds between two looks at the hinted addresses: servers move and get new keys."""
LOOK_LIMIT = 3.0
"""Seconds that one look may take."""

Address = tuple[str, int]


class Hints:
    """`start` begins looking. `found` may be called from any thread."""

    def __init__(self, addresses: tuple[Address, ...]) -> None:
        self._addresses = addresses
        self._lock = threading.Lock()
        self._found: dict[Address, tuple[str, bytes]] = {}  # what was named -> (IP address, key)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)

    def start(self) -> None:
        if self._addresses:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def found(self) -> dict[str, bytes]:
        """The keys that answer, each under the IP address that it answers at."""
        with self._lock:
            return dict(self._found.values())

    def _run(self) -> None:
        while not self._stopping.is_set():
            for address in self._addresses:
                answer = key_at(address)
                with self._lock:
                    if answer is None:
                        self._found.pop(address, None)
                    else:
                        self._found[address] = answer
            self._stopping.wait(AGAIN)


class _Seen(Exception):
    """Ends a handshake: the key is known now."""


def key_at(address: Address) -> tuple[str, bytes] | None:
    """The IP address behind `address` and the key that a server proves there. Blocks for `LOOK_LIMIT` a step."""
    for psk in (None, bytes(32)):  # a server with a passphrase shows its key before the passphrase matters
        seen: list[bytes] = []

        def see(key: bytes, seen: list[bytes] = seen) -> None:
            seen.append(key)
            raise _Seen

        initiator = Initiator(new_private_key(), psk, see)
        try:
            with socket.create_connection(address, timeout=LOOK_LIMIT) as sock:
                ip = sock.getpeername()[0]
                sock.sendall(frame(initiator.hello()))
                cutter, frames = Cutter(), list[bytes]()
                while not frames and (data := sock.recv(4096)):
                    frames = cutter.feed(data)
            if frames:
                initiator.answer(frames[0])
        except _Seen:
            return ip, seen[0]
        except (PeerFault, OSError):
            continue
    return None
