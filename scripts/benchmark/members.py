"""Members: how a client of each server joins the one room and sends. What comes after that is the receiver's.

The number and the time of sending stand in each message's text, in the same place for every server.
"""

from __future__ import annotations

import re
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator

from chat.ciphers import ReceivingHalf, SendingHalf
from chat.codec import decode, encode
from chat.frames import frame
from chat.messages import Command, Join, Login, Ping, RoomState, Say
from chat.secure import Initiator
from scripts.benchmark.receiver import Stream

ROOM = "bench"
SIZE = 100
"""Bytes of a message's text."""

_TEXT = re.compile(rb"#(\d{10})@\d{20}")


def text_of(number: int, now: int) -> str:
    """Message `number`, sent at `now` ns: 100 bytes that say both."""
    return f"#{number:010}@{now:020}".ljust(SIZE, ".")


def numbers_in(piece: bytes) -> list[int]:
    """The numbers of the messages in a piece of any server's stream."""
    return [int(number) for number in _TEXT.findall(piece)]


class Member(ABC):
    """A connected member of the room; making one connects."""

    side_by_side = 64
    """How many may connect at a time."""

    def __init__(self, port: int, number: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number = number

    @abstractmethod
    def enter(self) -> Iterator[None]:
        """Join: a generator that yields wherever it waits for the server, so that others can go on meanwhile."""

    @abstractmethod
    def message(self, text: str) -> bytes: ...

    def stream(self) -> Stream:
        """How what comes is to be read by whoever reads from now on: nothing is encrypted, unless a member says so."""
        return Stream()

    def ping(self) -> bytes:
        """A sign of life, where the server wants one from a member who only listens."""
        return b""


class ChatMember(Member):
    """A client of the chat server, with the real handshake and ciphers."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(port, number)
        self.room = ROOM
        """May be changed before `enter`."""
        self._received = 0

    def enter(self) -> Iterator[None]:
        initiator = Initiator(self._number.to_bytes(32, "big"), None, lambda key: None)
        self.sock.sendall(frame(initiator.hello()))
        yield
        proof = initiator.answer(self._frame())
        assert initiator.keys is not None
        self._sending = SendingHalf(initiator.keys.sending)
        self._receiving_key = initiator.keys.receiving
        self._receiving = ReceivingHalf(self._receiving_key)
        entrance = encode(Login(f"member-{self._number}")) + encode(Join("join", self.room))
        self.sock.sendall(frame(proof) + frame(self._sending.encrypt(entrance)))
        yield
        self._await_room()

    def stream(self) -> Stream:
        return Stream(self._receiving_key, self._received)

    def receive(self) -> bytes:
        """What the next frame holds: waits for it. For those who read by themselves."""
        self._received += 1
        return self._receiving.decrypt(self._frame())

    def message(self, text: str) -> bytes:
        return frame(self._sending.encrypt(encode(Say(text[1:11], self.room, text))))

    def ping(self) -> bytes:
        return self.ask(Ping("alive"))

    def ask(self, command: Command) -> bytes:
        """Any other command."""
        return frame(self._sending.encrypt(encode(command)))

    def _frame(self) -> bytes:
        # Not a byte more than the frame: what follows is for whoever reads then.
        size = int.from_bytes(self.sock.recv(2, socket.MSG_WAITALL), "big")
        return self.sock.recv(size, socket.MSG_WAITALL)

    def _await_room(self) -> None:
        while not any(isinstance(message, RoomState) for message in decode(self.receive())):
            pass


class RelayMember(Member):
    """A client of the relay: frames and nothing else."""

    def enter(self) -> Iterator[None]:
        yield
        self.sock.recv(2, socket.MSG_WAITALL)  # the relay has accepted; connected it is before that

    def message(self, text: str) -> bytes:
        return frame(text.encode())


class LineMember(Member):
    """A client of a server with a line protocol."""

    greeting: str
    ready: bytes
    publish: str

    def enter(self) -> Iterator[None]:
        self.sock.sendall(self.greeting.format(number=self._number, room=ROOM).encode())
        yield
        seen = b""
        while self.ready not in seen:
            seen += self.sock.recv(65_536)

    def message(self, text: str) -> bytes:
        return self.publish.format(room=ROOM, size=len(text), text=text).encode()


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

    side_by_side = 8  # ngircd listens with a backlog of ten: to the next one the kernel answers after a second
    greeting = "NICK m{number}\r\nUSER m{number} 0 * :m\r\nJOIN #{room}\r\n"
    ready = b" 366 "
    publish = "PRIVMSG #{room} :{text}\r\n"


MEMBERS: dict[str, type[Member]] = {
    "chat": ChatMember,
    "before": ChatMember,  # the chat server of another checkout
    "relay": RelayMember,
    "redis": RedisMember,
    "ngircd": IrcMember,
    "nats": NatsMember,
}
