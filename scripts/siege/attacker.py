"""A peer that knows the protocol and keeps none of its rules: a raw socket with the client's half of the handshake."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Self

from chat import ciphers, secure
from chat.codec import decode, encode
from chat.faults import PeerFault
from chat.frames import Cutter, frame
from chat.messages import Command, Goodbye, Login, Message, Unknown

LIMIT = 20.0
"""Seconds to wait for an answer."""


class Attacker:
    """`sent` is all that was written so far, to be cut, changed or said again elsewhere; `heard` all that came."""

    def __init__(self, address: tuple[str, int], source: str = "") -> None:
        self.sock = socket.create_connection(address, LIMIT, (source, 0) if source else None)
        self.sent = b""
        self.heard: list[Message | Unknown] = []
        self._cutter = Cutter()
        self._frames: list[bytes] = []
        self._sending: ciphers.SendingHalf | None = None
        self._receiving: ciphers.ReceivingHalf | None = None

    def write(self, data: bytes) -> None:
        """Write raw bytes; a connection that the server has closed takes them too."""
        self.sent += data
        try:
            self.sock.sendall(data)
        except OSError:
            pass

    def shake_hands(self) -> Self:
        """A handshake as it should be, with a new key."""
        initiator = secure.Initiator(secure.new_private_key(), None, lambda key: None)
        self.write(frame(initiator.hello()))
        self.write(frame(initiator.answer(self.read_frame())))
        assert initiator.keys is not None
        self._sending = ciphers.SendingHalf(initiator.keys.sending)
        self._receiving = ciphers.ReceivingHalf(initiator.keys.receiving)
        return self

    def log_in(self, name: str) -> Self:
        self.shake_hands().say(Login(name))
        return self

    def say(self, *commands: Command) -> None:
        self.say_raw(b"".join(encode(command) for command in commands))

    def say_raw(self, plaintext: bytes) -> None:
        """Any bytes, properly encrypted."""
        assert self._sending is not None
        self.write(frame(self._sending.encrypt(plaintext)))

    def read_frame(self) -> bytes:
        """The next frame as it came. Raises ConnectionError at the end."""
        while not self._frames:
            data = self.sock.recv(65_536)
            if not data:
                raise ConnectionError("the server has hung up")
            self._frames += self._cutter.feed(data)
        return self._frames.pop(0)

    def read(self) -> None:
        """Hear the messages of the next frame."""
        assert self._receiving is not None
        self.heard += decode(self._receiving.decrypt(self.read_frame()))

    def hear(self, wanted: Callable[[Message | Unknown], bool]) -> Message | Unknown:
        """The first message that is `wanted`, of what was heard and what comes."""
        while (found := next(filter(wanted, self.heard), None)) is None:
            self.read()
        return found

    def is_dropped(self) -> str:
        """Read on until the server hangs up: the code that it gave for it, or nothing if it gave none.

        Raises TimeoutError if it doesn't hang up.
        """
        try:
            while True:
                if self._receiving is None:
                    secure.raise_alert(self.read_frame())
                else:
                    self.read()
        except PeerFault as fault:
            return fault.code
        except ConnectionError:
            return next((message.code for message in self.heard if isinstance(message, Goodbye)), "")

    def reset(self) -> None:
        """Break off, so that the other side gets a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
