"""One connection as the reader has it: the socket's receiving side, the frames, the session."""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

from chat.frames import Cutter
from chat.protocol import Phase
from server.session import Action, Session

READ_SIZE = 65_536
"""Bytes asked of the kernel in one `recv`."""

READS_A_TURN = 4
"""How often one connection is read before it is the next one's turn."""


class Reading(NamedTuple):
    """What came of reading a connection once.

    With edge triggering `more` is a debt: no event will come for what is left, so the caller must come back.
    """

    actions: list[Action]
    size: int
    more: bool
    ended: bool


class Connection:
    """Reads, cuts, and runs the session. Known everywhere by `id`; the descriptor's number is reused, it isn't."""

    __slots__ = (
        "_cutter",
        "address",
        "closing",
        "counted",
        "deadline",
        "fileno",
        "handed_over",
        "id",
        "name",
        "owed",
        "session",
        "sock",
    )

    def __init__(self, number: int, sock: socket.socket, address: str, session: Session, deadline: float) -> None:
        self.id = number
        self.sock = sock
        self.fileno = sock.fileno()
        self.address = address
        self.session = session
        self.deadline = deadline
        """When to end it if nothing comes, on the monotonic clock."""
        self.name = ""
        self.owed = False
        """Whether the reader has it on its list of reads to make."""
        self.handed_over = False
        """Whether a fan-out worker has the sending side: nothing may be written here any more then."""
        self.closing = False
        """Whether the client has been told goodbye: nothing it sends counts any more."""
        self.counted: Phase | None = None
        """The phase in which the reader's figures have it."""
        self._cutter = Cutter()

    def read(self) -> Reading:
        """Read what is there, up to this turn's share."""
        actions: list[Action] = []
        size = 0
        for _ in range(READS_A_TURN):
            try:
                data = self.sock.recv(READ_SIZE)
            except BlockingIOError:
                return Reading(actions, size, more=False, ended=False)
            except OSError:
                return Reading(actions, size, more=False, ended=True)
            if not data:
                return Reading(actions, size, more=False, ended=True)
            size += len(data)
            if not self.closing:
                actions += self._receive(data)
        return Reading(actions, size, more=True, ended=False)

    @property
    def has_unread(self) -> bool:
        """Whether something that came waits in the kernel. A system call: for the rare cases."""
        try:
            return bool(self.sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def write(self, data: bytes) -> None:
        """Write handshake bytes: so few, and so early, that a socket which doesn't take them at once is broken."""
        assert not self.handed_over
        try:
            self.sock.send(data)
        except OSError:
            pass  # the peer is gone or hostile; the read side or the deadline ends it

    def _receive(self, data: bytes) -> list[Action]:
        actions: list[Action] = []
        now = time.monotonic()
        for payload in self._cutter.feed(data):
            actions += self.session.receive(payload, now)
            if self.session.phase is Phase.CLOSED:
                break
        self.session.rest()
        return actions

    def __repr__(self) -> str:
        who = self.name or "nobody yet"
        return f"<Connection {self.id} of {who} at {self.address}, {self.session.phase.value}>"
