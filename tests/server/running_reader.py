"""A reader in a thread of its own: real clients in front of it, a list instead of the stages behind it."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from typing import Any

import pytest

from chat.ciphers import SendingHalf
from chat.codec import chunks, encode
from chat.faults import PeerFault
from chat.frames import Cutter, frame
from chat.messages import Command, Login, Say
from chat.secure import Initiator, new_private_key, raise_alert
from server.admission import Admission
from server.gate import Gate
from server.gauges import READER, Panel
from server.parcels import Asked, Intake
from server.reader import Reader
from server.roster import Roster
from server.session import Session

SERVER = new_private_key()


class Behind:
    """The stages behind the reader: takes everything, or nothing while it is full."""

    def __init__(self) -> None:
        self.intake: list[Intake] = []
        self.log: list[str] = []
        self.turns = 0
        self.full = False

    def hand_over(self, connection: int, fileno: int) -> bool:
        if self.full:
            return False
        os.fstat(fileno)  # raises if it is closed already
        self.log.append(f"descriptor {connection}")
        return True

    def submit(self, turn: list[Intake]) -> bool:
        if self.full:
            return False
        self.turns += 1
        self.intake += turn
        self.log += [f"{type(item).__name__} {item.connection}" for item in turn]
        return True

    def texts(self) -> list[str]:
        commands = [item.command for item in list(self.intake) if isinstance(item, Asked)]
        return [command.text for command in commands if isinstance(command, Say)]

    def count(self, kind: type[Any]) -> int:
        return sum(isinstance(item, kind) for item in list(self.intake))


class Client:
    """A blocking client without a server behind the reader: nobody welcomes it, and it talks on."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=20)
        self._cutter = Cutter()

    def knock(self) -> None:
        self._initiator = Initiator(new_private_key(), None, lambda key: None)
        self.sock.sendall(frame(self._initiator.hello()))

    def shake_hands(self, name: str = "bob") -> Client:
        self.knock()
        proof = self._initiator.answer(self.read_frame())
        assert self._initiator.keys is not None
        self._cipher = SendingHalf(self._initiator.keys.sending)
        self.sock.sendall(frame(proof))
        self.say(Login(name))
        return self

    def read_frame(self) -> bytes:
        while True:
            data = self.sock.recv(4096)
            if not data:
                return b""
            for payload in self._cutter.feed(data):
                return payload

    def say(self, *commands: Command) -> None:
        pieces = chunks([encode(command) for command in commands])
        self.sock.sendall(b"".join(frame(self._cipher.encrypt(piece)) for piece in pieces))

    def fault(self) -> PeerFault:
        with pytest.raises(PeerFault) as fault:
            raise_alert(self.read_frame())
        return fault.value


class Running:
    """A reader in a thread of its own, and what it counts."""

    def __init__(self, listener: Any, admission: Admission) -> None:
        self.behind = Behind()
        self.cells = memoryview(bytearray(8 * len(READER))).cast("q")
        panel = Panel(self.cells, READER, 0)
        self.reader = Reader(listener, lambda: Session(SERVER, None, Gate(0)), admission, Roster(), panel)
        self.address: tuple[str, int] = listener.getsockname()
        self._wake, self._woken = socket.socketpair()
        self.calls: list[Any] = []
        self.reader.watch(self._woken.fileno(), self._heed)
        self._thread = threading.Thread(target=self.reader.run, args=(self.behind,), daemon=True)
        self._thread.start()

    def figure(self, name: str) -> int:
        return self.cells[READER.index(name)]

    def call(self, what: Any) -> None:
        """Have something done in the reader's thread."""
        self.calls.append(what)
        self._wake.send(b"x")

    def stop(self) -> None:
        self.call(self.reader.stop)
        self._thread.join(20)
        self.reader.close()
        self._wake.close()
        self._woken.close()

    def _heed(self) -> None:
        self._woken.recv(64)
        while self.calls:
            self.calls.pop(0)()


class Exhausted:
    """A listening socket in a process that has run out of descriptors, for the first few tries."""

    def __init__(self, listener: socket.socket, refusals: int) -> None:
        self._listener = listener
        self._refusals = refusals
        self.tries: list[float] = []

    def accept(self) -> Any:
        self.tries.append(time.monotonic())
        if len(self.tries) <= self._refusals:
            raise OSError(errno.EMFILE, "Too many open files")
        return self._listener.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


def new_listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener
