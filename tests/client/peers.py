"""The server's side of one connection without any server: in-test peers on loopback sockets that follow a script."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from chat import ciphers, secure
from chat.codec import decode, encode
from chat.frames import Cutter, frame
from chat.messages import Login, Message, Unknown, Welcome
from client.connection import Address, Connection
from client.home import Home
from tests.waiting import UNIT

LIMIT = 10 * UNIT


class Peer:
    """The server's side of one connection, without any server: reads frames, answers as the test says."""

    def __init__(self, sock: socket.socket, private_key: bytes, psk: bytes | None) -> None:
        self.sock = sock
        self._responder = secure.Responder(private_key, psk)
        self._cutter = Cutter()
        self._frames: list[bytes] = []

    def frame(self) -> bytes:
        while not self._frames:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError
            self._frames = self._cutter.feed(data)
        return self._frames.pop(0)

    def shake_hands(self) -> None:
        self.sock.sendall(frame(self._responder.answer(self.frame())))
        keys = self._responder.finish(self.frame())
        self.sending, self.receiving = ciphers.SendingHalf(keys.sending), ciphers.ReceivingHalf(keys.receiving)

    def read(self) -> list[Message | Unknown]:
        return list(decode(self.receiving.decrypt(self.frame())))

    def write(self, *messages: Message) -> None:
        self.sock.sendall(frame(self.sending.encrypt(b"".join(map(encode, messages)))))

    def welcome(self) -> None:
        self.shake_hands()
        assert isinstance(self.read()[0], Login)
        self.write(Welcome("bob", "den", 0.0, 0))


PRIVATE = secure.new_private_key()


@contextmanager
def served(script: Callable[[Peer], None], psk: bytes | None = None) -> Iterator[Address]:
    """A server that accepts one connection and follows `script`; what goes wrong in there fails the test."""
    trouble: list[BaseException] = []

    def serve() -> None:
        try:
            sock, _ = listener.accept()
            sock.settimeout(LIMIT)
            with closing(sock):
                script(Peer(sock, PRIVATE, psk))
        except BaseException as error:
            trouble.append(error)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(LIMIT)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[:2]
        thread.join(LIMIT)
    assert not thread.is_alive()
    if trouble:
        raise trouble[0]


def open_as_bob(address: Address, tmp_path: Path, **options: object) -> Connection:
    return Connection.open(address, home=Home(tmp_path), name="bob", **options)  # type: ignore[arg-type]


def wait_for_hangup(peer: Peer) -> None:
    while True:
        try:
            peer.frame()
        except OSError:
            return
