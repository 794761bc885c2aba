"""A line: one connection as every model has it. Bytes in, intake out; letters in, bytes out.

It holds its socket, so that whoever has the line has that too, but leaves it alone: reading and writing is what
the models differ in. Nor is there a lock in here: a model with threads sees to it that one at a time takes and puts.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from dataclasses import dataclass

from chat.ciphers import SendingHalf
from chat.codec import chunks, encode
from chat.frames import Cutter, frame
from chat.messages import Goodbye
from chat.protocol import SILENCE_LIMIT, Phase
from chat.secure import alert
from server.gate import Gate
from server.models.rooms import Letter
from server.parcels import Answered, Arrived, Asked, Expelled, Intake
from server.session import Action, Answer, Drop, Handover, Refuse, Session, Submit
from server.trails import first_stamps

READ_SIZE = 65_536
"""Bytes asked of the kernel in one `recv`."""

MAX_BACKLOG = 4 * 1024 * 1024
"""Bytes that may wait for one connection; one that has more is too slow and is dropped."""

IN_FLIGHT = 256 * 1024
"""Bytes encrypted in one go, at most and about one message more."""

HANDSHAKE_LIMIT, FAREWELL_LIMIT = 10.0, 5.0
"""Seconds until a login, and for the last letter to be taken."""

TOO_SLOW = encode(Goodbye("too_slow", "Your connection is too slow for this room; reconnect to go on where you were."))
SILENT = encode(Goodbye("silent", "The connection was silent for too long; reconnect."))
STOPPING = encode(Goodbye("stopping", "The server is stopping; reconnect in a moment."))


@dataclass(frozen=True, slots=True)
class Terms:
    """What every conversation of a server has in common; it can be passed to another process."""

    server_name: str
    private_key: bytes
    psk: bytes | None
    rate: float

    def session(self) -> Session:
        return Session(self.private_key, self.psk, Gate(self.rate))


class Line:
    """One connection, named by a number that is never used again."""

    def __init__(self, number: int, sock: socket.socket, terms: Terms) -> None:
        self.number = number
        self.sock = sock
        self.waiting = 0
        """Bytes of plaintext in the backlog."""
        self.unsent = memoryview(b"")
        """For models that don't block: what is encrypted, and the socket hasn't taken yet."""
        self.gone = False
        """Whether the client's side has ended: to be closed once nobody uses the socket."""
        self.broken = False
        """Whether the handshake has failed: to be ended once the reply is sent."""
        self.deadline = time.monotonic() + HANDSHAKE_LIMIT
        self._closing = False
        self._session = terms.session()
        self._cutter = Cutter()
        self._cipher: SendingHalf | None = None
        self._backlog: deque[bytes] = deque()

    # --- reading ----------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> tuple[list[Intake], bytes]:
        """What the client has sent, as intake for the rooms; and bytes to be sent back at once.

        Those are the handshake's: it is question and answer, so nobody else writes yet.
        """
        intake: list[Intake] = []
        reply = b""
        now = time.monotonic()
        for payload in self._cutter.feed(data):
            for action in self._session.receive(payload, now):
                if isinstance(action, Answer):
                    reply += action.data
                elif isinstance(action, Drop) and self._cipher is None:
                    reply += action.alert
                    self.broken = True
                else:
                    intake.append(self._intake(action))
        self._session.rest()
        if self._session.phase is Phase.NAMED and not self._closing:
            self.deadline = now + SILENCE_LIMIT
        return intake, reply

    def _intake(self, action: Action) -> Intake:
        match action:
            case Submit(command):
                return Asked(self.number, time.time(), command, first_stamps(command))
            case Refuse(notice):
                return Answered(self.number, notice)
            case Handover(keys):
                self._cipher = SendingHalf(keys.sending)
                return Arrived(self.number, keys.peer, keys.sending)
            case Drop(code, sentence):
                return Expelled(self.number, Goodbye(code, sentence))
        raise TypeError(action)

    # --- writing ----------------------------------------------------------------------------------------------

    def put(self, letter: Letter) -> None:
        """Add a letter to the backlog; a client that leaves too much waiting gets its last one instead."""
        if self._closing:
            return
        size = sum(map(len, letter.messages))
        if self.waiting and self.waiting + size > MAX_BACKLOG:
            self._backlog.clear()
            self.waiting = 0
            letter = Letter([TOO_SLOW], last=True)
        self._backlog.extend(letter.messages)
        self.waiting += sum(map(len, letter.messages))
        if letter.last:
            self._closing = True
            self.deadline = time.monotonic() + FAREWELL_LIMIT

    def take(self) -> list[bytes]:
        """The next messages to be sealed and sent."""
        messages: list[bytes] = []
        size = 0
        while self._backlog and size < IN_FLIGHT:
            messages.append(self._backlog.popleft())
            size += len(messages[-1])
        self.waiting -= size
        return messages

    def seal(self, messages: list[bytes]) -> bytes:
        """Messages as the client reads them. In the order in which they were taken: the cipher counts."""
        assert self._cipher is not None
        return b"".join(frame(self._cipher.encrypt(piece)) for piece in chunks(messages))

    @property
    def finished(self) -> bool:
        """Whether the last letter is sent: shut the socket down then, and the reading side will end."""
        return self._closing and not self.waiting and not self.unsent

    def shut_down(self) -> None:
        """End the connection both ways; whoever reads it notices, and everything else follows from there."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster

    def expire(self) -> None:
        """The deadline has passed: a last letter for one who has a cipher and got none yet, else the end."""
        if self._cipher is not None and not self._closing:
            self.put(Letter([SILENT], last=True))
            return
        if self._cipher is None:
            try:
                self.sock.send(frame(alert("silent")), socket.MSG_DONTWAIT)
            except OSError:
                pass
        self.shut_down()
