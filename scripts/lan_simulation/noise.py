"""Run in a simulated host: record a server's beacon, then send noise to everybody, 50,000 datagrams a second.

A third of it is random bytes, a third the beacon with one byte changed, and a third the beacon as it was: old, but
genuine. It ends by itself.
"""

from __future__ import annotations

import random
import socket
import sys
import time

from chat.interfaces import GROUP

PORT = 5051
RATE = 50_000
"""Datagrams a second."""
BURST = 500
SECONDS = 15.0


def main() -> int:
    (everybody,) = sys.argv[1:]
    beacon = record()
    print("beginning", flush=True)
    kinds = [random.randbytes(200), changed(beacon), beacon]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        begun, sent = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < SECONDS:
            if sent > passed * RATE:
                time.sleep(BURST / RATE / 2)
                continue
            kinds[0], kinds[1] = random.randbytes(200), changed(beacon)
            for number in range(BURST):
                sock.sendto(kinds[number % 3], (everybody, PORT))
            sent += BURST
    return 0


def record() -> bytes:
    """The next beacon that comes to everybody."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", PORT))
        membership = socket.inet_aton(GROUP) + bytes(4)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        return sock.recv(2048)


def changed(beacon: bytes) -> bytes:
    """The beacon with one byte changed."""
    place = random.randrange(len(beacon))
    return beacon[:place] + bytes([beacon[place] ^ random.randrange(1, 256)]) + beacon[place + 1 :]


if __name__ == "__main__":
    sys.exit(main())
