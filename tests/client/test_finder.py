"""Which of a beacon's addresses to try, in which order; and what a peek proves."""

from __future__ import annotations

import selectors
import socket
import threading
from dataclasses import replace

import pytest

from chat.beacon import Beacon, place
from chat.frames import Cutter, frame
from chat.interfaces import Interface
from chat.secure import Responder, alert, new_private_key, public_key
from client.finder import addresses
from client.peek import Peek
from client.search import Sighting, Way
from tests.waiting import UNIT

LO = Interface("lo", 1, "127.0.0.1", 8)
ETH = Interface("eth0", 2, "10.0.0.7", 24)
BEACON = Beacon(bytes(32), 1, 1, b"", "Office", 5050, (), "", False, False, 0, 0)


def seen(source: str, *ips: str, advertised: str = "") -> list[tuple[str, int]]:
    beacon = replace(BEACON, places=tuple(place(ip, 24) for ip in ips), advertised=advertised)
    return addresses(Sighting(beacon, source, Way(ETH), True, 0), [LO, ETH])


def test_where_it_came_from_first_then_what_is_attached() -> None:
    assert seen("10.0.0.1", "172.16.0.1", "10.0.0.2", "10.0.0.1") == [
        ("10.0.0.1", 5050),
        ("10.0.0.2", 5050),
        ("172.16.0.1", 5050),
    ]


def test_another_machines_loopback_is_not_ours() -> None:
    assert seen("10.0.0.1", "10.0.0.1", "127.0.0.1") == [("10.0.0.1", 5050)]
    assert seen("127.0.0.1", "10.0.0.7", "127.0.0.1") == [("127.0.0.1", 5050), ("10.0.0.7", 5050)]


def test_what_is_advertised_comes_before_networks_that_are_elsewhere() -> None:
    assert seen("10.0.0.9", "192.168.1.1", advertised="10.0.0.9:6000") == [("10.0.0.9", 6000), ("192.168.1.1", 5050)]
    assert seen("10.0.0.9", "192.168.1.1", advertised="nonsense:x") == [("192.168.1.1", 5050)]


class Listener:
    """A server that answers one connection with `answer(its first frame)`."""

    def __init__(self, private: bytes, answer: bytes | None = None, psk: bytes | None = None) -> None:
        self._private, self._answer, self._psk = private, answer, psk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self.got = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        sock, _ = self._socket.accept()
        with self._socket, sock:
            (hello,) = Cutter().feed(sock.recv(4096))
            answer = Responder(self._private, self._psk).answer(hello) if self._answer is None else self._answer
            sock.sendall(frame(answer) if answer else b"")
            if answer:
                self.got = sock.recv(4096)


def peek(address: tuple[str, int], *, passphrase: bool = False) -> Peek:
    peek = Peek(address, passphrase=passphrase)
    with selectors.DefaultSelector() as selector:
        while not peek.over:
            selector.register(peek.socket, selectors.EVENT_WRITE if peek.wants_to_write else selectors.EVENT_READ)
            assert selector.select(5 * UNIT), "the peek hangs"
            selector.unregister(peek.socket)
            peek.go_on()
    peek.close()
    return peek


@pytest.mark.parametrize("psk", [None, b"p" * 32])
def test_a_peek_proves_the_servers_key_and_shows_nothing(psk: bytes | None) -> None:
    private = new_private_key()
    listener = Listener(private, psk=psk)
    assert peek(listener.address, passphrase=psk is not None).key == public_key(private)
    assert listener.got == b""


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"", "it hung up"),
        (alert("too_many_connections"), "The server has too many connections from this address; close some."),
        (b"\0garbage", "The handshake failed; the server was sent something that isn't this protocol."),
    ],
)
def test_a_peek_that_fails_says_why(answer: bytes, trouble: str) -> None:
    found = peek(Listener(new_private_key(), answer).address)
    assert (found.key, found.trouble) == (b"", trouble)


def test_a_port_where_nobody_listens_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    assert peek(address).trouble == "connection refused"
