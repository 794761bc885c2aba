"""Members: how a client of each server joins the one room, sends, and reads what comes.

A member's `receive` turns received bytes into pieces of plain stream; `Batch.of` understands a piece. The same piece
reaches every member of a room, so it is understood once and then found in a cache: the load costs little more than
`recv`, decryption and a hash, and still every member's order, holes and doubles are checked.
"""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import msgpack

from chat.ciphers import ReceivingHalf, SendingHalf
from chat.codec import encode
from chat.frames import Cutter, frame
from chat.messages import Command, Join, Login, Ping, Say
from chat.secure import Initiator

ROOM = "bench"
SIZE = 100
"""Bytes of a message's text."""

_TEXT = re.compile(rb"#(\d{10})@(\d{20})")


def text_of(number: int, now: int) -> str:
    """Message `number`, sent at `now` ns: 100 bytes that say both."""
    return f"#{number:010}@{now:020}".ljust(SIZE, ".")


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages in one piece: their numbers, which must follow one another, and when they were sent."""

    first: int
    count: int
    sent: tuple[int, ...]

    @staticmethod
    @functools.lru_cache(maxsize=64)
    def of(piece: bytes) -> Batch:
        found = [(int(number), int(sent)) for number, sent in _TEXT.findall(piece)]
        numbers = [number for number, _ in found]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False:
            raise AssertionError(f"out of order within a piece: {numbers}")
        return Batch(numbers[0] if numbers else 0, len(numbers), tuple(sent for _, sent in found))


class Member(Protocol):
    """A connected member of the room; making one connects.

    `enter` joins: a generator that yields wherever it waits for the server, so that others can go on meanwhile.
    """

    sock: socket.socket

    def __init__(self, port: int, number: int) -> None: ...
    def enter(self) -> Iterator[None]: ...
    def ping(self) -> bytes: ...
    def receive(self, data: memoryview) -> list[bytes]: ...
    def message(self, text: str) -> bytes: ...


class ChatMember:
    """A client of the chat server, with the real handshake and ciphers."""

    def __init__(self, port: int, number: int) -> None:
        self.sock = _connect(port)
        self.room = ROOM
        """May be changed before `enter`."""
        self._number = number
        self._cutter = Cutter()

    def enter(self) -> Iterator[None]:
        initiator = Initiator(self._number.to_bytes(32, "big"), None, lambda key: None)
        self.sock.sendall(frame(initiator.hello()))
        yield
        proof = initiator.answer(self._frame())
        assert initiator.keys is not None
        self._sending = SendingHalf(initiator.keys.sending)
        self._receiving = ReceivingHalf(initiator.keys.receiving)
        entrance = encode(Login(f"member-{self._number}")) + encode(Join("join", self.room))
        self.sock.sendall(frame(proof) + frame(self._sending.encrypt(entrance)))
        yield
        self._await_room()

    def receive(self, data: memoryview) -> list[bytes]:
        if not self._cutter.waiting and int.from_bytes(data[:2], "big") == len(data) - 2:
            return [self._receiving.decrypt(data[2:])]  # one frame and nothing else, as nearly always: not cut, no copy
        return [self._receiving.decrypt(payload) for payload in self._cutter.feed(data.tobytes())]

    def message(self, text: str) -> bytes:
        return frame(self._sending.encrypt(encode(Say(text[1:11], self.room, text))))

    def ping(self) -> bytes:
        """A sign of life, for a member who only listens."""
        return self.ask(Ping("alive"))

    def ask(self, command: Command) -> bytes:
        """Any other command."""
        return frame(self._sending.encrypt(encode(command)))

    def _frame(self) -> bytes:
        while True:
            frames = self._cutter.feed(self.sock.recv(65_536))
            if frames:
                (only,) = frames
                return only

    def _await_room(self) -> None:
        while True:
            for piece in self.receive(memoryview(self.sock.recv(65_536))):
                for kind, *_ in _arrays(piece):
                    if kind == "room":
                        return


class RelayMember:
    """A client of the relay: frames and nothing else."""

    def __init__(self, port: int, number: int) -> None:
        self.sock = _connect(port)
        self._rest = b""

    def enter(self) -> Iterator[None]:
        yield
        self.sock.recv(2, socket.MSG_WAITALL)  # the relay has accepted; connected it is before that

    def receive(self, data: memoryview) -> list[bytes]:
        stream = self._rest + data
        whole = len(stream) - len(stream) % (SIZE + 2)
        self._rest = stream[whole:]
        return [stream[:whole]]

    def message(self, text: str) -> bytes:
        return frame(text.encode())

    def ping(self) -> bytes:
        return b""


class LineMember:
    """A client of a server with a line protocol: what isn't a whole line yet waits for the rest."""

    greeting: str
    ready: bytes
    publish: str

    def __init__(self, port: int, number: int) -> None:
        self.sock = _connect(port)
        self._number = number
        self._rest = b""

    def enter(self) -> Iterator[None]:
        self.sock.sendall(self.greeting.format(number=self._number, room=ROOM).encode())
        yield
        seen = b""
        while self.ready not in seen:
            seen += self.sock.recv(65_536)

    def receive(self, data: memoryview) -> list[bytes]:
        stream = self._rest + data
        whole = stream.rfind(b"\r\n") + 2
        self._rest = stream[whole:]
        return [stream[:whole]]

    def message(self, text: str) -> bytes:
        return self.publish.format(room=ROOM, size=len(text), text=text).encode()

    def ping(self) -> bytes:
        return b""


class RedisMember(LineMember):
    """Redis: a subscriber also publishes, which RESP3 allows."""

    greeting = "HELLO 3\r\nSUBSCRIBE {room}\r\n"
    ready = b"subscribe\r\n"
    publish = "PUBLISH {room} {text}\r\n"


class NatsMember(LineMember):
    greeting = 'CONNECT {{"verbose":false}}\r\nSUB {room} 1\r\nPING\r\n'
    ready = b"PONG\r\n"
    publish = "PUB {room} {size}\r\n{text}\r\n"


class IrcMember(LineMember):
    """IRC: a server doesn't echo, so the sender is not counted among the receivers."""

    greeting = "NICK m{number}\r\nUSER m{number} 0 * :m\r\nJOIN #{room}\r\n"
    ready = b" 366 "
    publish = "PRIVMSG #{room} :{text}\r\n"


def _connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _arrays(piece: bytes) -> msgpack.Unpacker:
    unpacker = msgpack.Unpacker()
    unpacker.feed(piece)
    return unpacker


MEMBERS: dict[str, type[Member]] = {
    "chat": ChatMember,
    "before": ChatMember,  # the chat server of another checkout
    "relay": RelayMember,
    "redis": RedisMember,
    "ngircd": IrcMember,
    "nats": NatsMember,
}
