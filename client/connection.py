"""`Connection`: one TCP connection to a server, blocking and iterable. The whole client stands on it, and bots can.

    with Connection.open(address, home=Home(), name="robot") as connection:
        connection.send(Join(new_label(), "lobby"))
        for message in connection:
            print(message)

Blocking calls, one after the other: connect, handshake, login, then `recv` → decrypt → frames → values. That reads
like the protocol itself, and whoever needs more at the same time runs it in a thread (client/receiver.py) or, with
gevent's patched sockets, in a greenlet (scripts/swarm.py): not a line in here knows of either.

One thread iterates; `send` and `close` may be called from any, and a lock keeps each frame whole and the cipher's
counter in step with the order on the wire.
"""

from __future__ import annotations

import secrets
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Self

from chat.ciphers import ReceivingHalf, SendingHalf
from chat.codec import chunks, decode, encode
from chat.faults import PeerFault
from chat.frames import Cutter, frame
from chat.messages import Command, Event, Goodbye, Login, Notice, Ping, Unknown, Welcome
from chat.messages import Refused as RefusedNotice
from chat.protocol import DEAD_LINK, HEARTBEAT, PROBE_AFTER, PROBE_EVERY, PROBES
from chat.secure import Initiator, psk_of, raise_alert
from chat.values import Cursor
from client.config import Address
from client.failures import Refused, Unreachable
from client.home import Home

Incoming = Event | Notice | Unknown

CONNECT_LIMIT = 10.0
"""Seconds that connecting may take, and then handshake and login together."""

EAGER = 5.0
"""Seconds that whatever we said may stay without an answer; then a ping asks whether the server lives."""

DEAD = 20.0
"""Seconds of silence after a ping after which the connection counts as lost."""

_KEEPALIVE = {
    "TCP_KEEPIDLE": PROBE_AFTER,
    "TCP_KEEPALIVE": PROBE_AFTER,  # the same, as macOS calls it
    "TCP_KEEPINTVL": PROBE_EVERY,
    "TCP_KEEPCNT": PROBES,
    "TCP_USER_TIMEOUT": 1_000 * DEAD_LINK,  # Linux: for what was sent and nobody takes
}
"""What the kernel is told of dead links, as far as this platform's knows it."""


def new_label() -> str:
    """A label that no other command has: 80 random bits."""
    return secrets.token_hex(10)


class Connection:
    """A logged-in connection. Iterate for what the server sends; the iteration ends with the connection.

    `ended` then says why, in a sentence, and `goodbye` holds the server's own farewell if it sent one.
    """

    def __init__(self, sock: socket.socket, address: Address, heartbeat: float | None) -> None:
        _prepare(sock)
        self.address = address
        self.welcome: Welcome
        self.server_key = b""
        self.ended = ""
        self.goodbye: Goodbye | None = None
        self.last_heard = self._last_said = self._last_asked = time.monotonic()
        self._socket = sock
        self._heartbeat = heartbeat
        self._login_deadline: float | None = time.monotonic() + CONNECT_LIMIT
        self._cutter = Cutter()
        self._frames: list[bytes] = []
        self.frames = 0
        """Frames received so far."""
        self._sending: SendingHalf
        self._receiving: ReceivingHalf
        self._send_lock = threading.Lock()
        self._messages: Iterator[Incoming] = iter(())  # of the newest frame; kept here, so that a `break` loses none

    @classmethod
    def open(
        cls,
        address: Address,
        *,
        home: Home,
        name: str,
        cursors: tuple[Cursor, ...] = (),
        passphrase: str | None = None,
        heartbeat: float | None = HEARTBEAT,
    ) -> Self:
        """Connect, prove who is who, and log in as `name`.

        With `heartbeat=None` the caller sends the pings and notices silence (`last_heard`).
        Raises `Unreachable`, `Refused` or `KeyChanged`.
        """
        where = f"{address[0]}:{address[1]}"
        try:
            sock = socket.create_connection(address, timeout=CONNECT_LIMIT)
        except OSError as error:
            reason = error.strerror or str(error) or "no answer"
            raise Unreachable(f"No server answers at {where} ({reason}); is chat-server running there?") from error
        connection = cls(sock, address, heartbeat)
        try:
            connection._shake_hands(home, where, passphrase)
            connection._log_in(name, cursors)
            connection._login_deadline = None
            sock.settimeout(None)
            home.remember_server(where, connection.server_key, connection.welcome.server)
        except PeerFault as fault:
            connection.close()
            raise Refused(fault.code, fault.sentence) from fault
        except OSError as error:
            connection.close()
            raise Unreachable(f"The server at {where} broke off the login ({error}); try again.") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def send(self, *commands: Command) -> None:
        """Send commands, in order. Raises OSError once the connection is gone."""
        pieces = chunks([encode(command) for command in commands])
        with self._send_lock:
            self._socket.sendall(b"".join(frame(self._sending.encrypt(piece)) for piece in pieces))
            self._last_said = time.monotonic()

    def __iter__(self) -> Iterator[Incoming]:
        try:
            while True:
                for message in self._messages:
                    if isinstance(message, Goodbye):
                        self.goodbye = message
                        self.ended = message.sentence
                    yield message
                self._messages = self._decode(self._next_frame())
        except PeerFault as fault:
            self.ended = fault.sentence
        except OSError as error:
            self.ended = self.ended or error.strerror or str(error) or "The connection was lost."
        self.close()  # not reached by a `break`: the next `for` goes on where that one stopped

    def close(self) -> None:
        """End the connection; wakes whoever is iterating. May be called again, and from any thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _shake_hands(self, home: Home, where: str, passphrase: str | None) -> None:
        psk = None if passphrase is None else psk_of(passphrase)
        initiator = Initiator(home.private_key(), psk, lambda key: home.check_server(where, key))
        self._socket.sendall(frame(initiator.hello()))
        proof = initiator.answer(self._next_frame())
        assert initiator.keys is not None
        self._socket.sendall(frame(proof))
        self._sending = SendingHalf(initiator.keys.sending)
        self._receiving = ReceivingHalf(initiator.keys.receiving)
        self.server_key = initiator.keys.peer

    def _log_in(self, name: str, cursors: tuple[Cursor, ...]) -> None:
        self.send(Login(name, cursors))
        first = self._next_frame()
        if len(first) < 16:  # shorter than a tag: not encrypted, so the server refuses the proof
            raise_alert(first)
        messages = self._decode(first)
        for message in messages:
            match message:
                case Welcome():
                    self.welcome = message
                    self._messages = messages
                    return
                case RefusedNotice(code=code, sentence=sentence) | Goodbye(code=code, sentence=sentence):
                    raise Refused(code, sentence)
        raise PeerFault("malformed", "The server answered the login with something else.")

    def _decode(self, payload: bytes) -> Iterator[Incoming]:
        for message in decode(self._receiving.decrypt(payload)):
            if isinstance(message, Command):
                raise PeerFault("malformed", "The server sent a command.")
            yield message

    def _next_frame(self) -> bytes:
        while not self._frames:
            if self._login_deadline is not None:
                self._socket.settimeout(max(0.001, self._login_deadline - time.monotonic()))
            elif self._heartbeat is not None:
                self._wait_with_pings()
            data = self._socket.recv(262_144)
            if not data:
                raise ConnectionError("The server closed the connection.")
            self.last_heard = time.monotonic()
            self._frames = self._cutter.feed(data)[::-1]  # popped from the end
        self.frames += 1
        return self._frames.pop()

    def _wait_with_pings(self) -> None:
        # select, not a socket timeout: that would cut short a `sendall` that waits out the server's pressure.
        # The ping is for the server too: it ends who says nothing, also one who only has much to read.
        assert self._heartbeat is not None
        while True:
            asked = self._last_asked > self.last_heard
            if asked:
                due = self._last_asked + DEAD
            else:
                answered = self.last_heard >= self._last_said
                due = self._last_said + (self._heartbeat if answered else min(EAGER, self._heartbeat))
            if self._is_readable(min(EAGER, max(0.0, due - time.monotonic()))):
                return
            if time.monotonic() < due:
                continue  # another thread may have said something meanwhile
            if asked:
                raise ConnectionError(f"The server was silent for {DEAD:.0f} s.")
            self._last_asked = time.monotonic()
            self.send(Ping(new_label()))

    def _is_readable(self, seconds: float) -> bool:
        try:
            return bool(select.select([self._socket], [], [], seconds)[0])
        except ValueError:  # another thread has closed it: it has no descriptor any more
            raise ConnectionError("The connection was closed.") from None


def _prepare(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
