"""The link, as the UI's thread keeps it: connect, heartbeat, reconnect with a countdown, send again what waits.

The waiting is done elsewhere, by the receiver's thread and the timers'; what is here only reacts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from chat.messages import Command, Ping, Pong, RoomState, Said, Say, Tell
from chat.messages import Refused as RefusedNotice
from chat.protocol import HEARTBEAT
from chat.secure import fingerprint
from chat.values import Stamp
from client.backoff import delays
from client.config import Options
from client.connection import DEAD, Connection, Incoming, new_label
from client.door import Door
from client.failures import Failure, Refused, Unreachable
from client.finder import follow
from client.home import Home
from client.model import Link, Model
from client.outbox import Outbox
from client.receiver import Receiver
from client.redial import PASSING
from client.timers import Timers

BEAT = 5.0
"""Seconds between two pings while the user is there, who sees the round trip that each measures."""

RETRY = 2.0
"""Seconds after which what was refused for coming too fast is sent again."""


class LinkKeeper:
    """Keeps the model connected. `heard` gets every message of the server after the model; `failed` what can't be
    mended by trying again; `settled` is called after each login, once the rooms are known; `sent` for
    each traced message that has left."""

    def __init__(
        self,
        options: Options,
        home: Home,
        model: Model,
        timers: Timers,
        door: Door,
        *,
        heard: Callable[[list[Incoming]], None],
        settled: Callable[[], None],
        failed: Callable[[Failure], None],
        sent: Callable[[str, Stamp], None],
    ) -> None:
        self._options, self._home, self._model, self._timers = options, home, model, timers
        self._door = door
        self._heard, self._settled, self._failed, self._sent = heard, settled, failed, sent
        self._passphrase = options.passphrase()
        assert options.server is not None
        self._address = options.server
        self._server_key = b""
        self._pauses = delays()
        self._connection: Connection | None = None
        self.receiver: Receiver | None = None
        """The newest connection's threads."""
        self._outbox: Outbox | None = None
        self._states_to_come = 0
        self._rooms: set[str] = set()
        self._ping = ("", 0.0)
        self._asked = 0.0  # when the first ping was sent that nothing was heard after
        self.away = False
        """Whether nobody looks: then a ping is sent only as often as the protocol wants it."""

    def connect(self) -> None:
        """Try to connect, in the background."""
        self._timers.cancel("reconnect")
        self._model.link = Link.CONNECTING
        cursors = self._model.cursors()

        def open_connection() -> Connection:  # in the receiver's thread
            if self._options.roaming and self._server_key:
                self._address = follow(self._options, self._home, self._server_key) or self._address
            return Connection.open(
                self._address,
                home=self._home,
                name=self._options.name or "",
                cursors=cursors,
                passphrase=self._passphrase,
                heartbeat=None,
            )

        self.receiver = Receiver(self._door, open_connection, self._opened, self._received, self._ended, self._sent)
        self.receiver.start()

    def send(self, *commands: Command) -> None:
        """Send what need not outlive the connection; without one it is dropped."""
        if self._model.link is Link.ONLINE and self.receiver is not None:
            self.receiver.send(*commands)

    def say(self, command: Say | Tell) -> None:
        """Send a message that must arrive: it is on disk before it is on its way."""
        assert self._outbox is not None
        waiting = self._outbox.add(command)
        self._model.sending(command, waiting.time)
        self.send(command)

    def state(self) -> list[str]:
        """The state of the link, in lines."""
        model, connection = self._model, self._connection
        if connection is None:
            return [f"Not connected: {model.trouble or 'connecting'}."]
        host, port = connection.address
        ping = f"{1000 * model.round_trip:.1f} ms there and back" if model.round_trip is not None else "no ping yet"
        return [
            f"Connected to {model.server} at {host}:{port}, key {fingerprint(connection.server_key)}; {ping}.",
            f"{model.pending} messages wait to be stored.",
        ]

    def close(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
        if self._connection is not None:
            self._connection.close()

    # --- the connection's life --------------------------------------------------------------------------------

    def _opened(self, connection: Connection) -> None:
        self._connection, self._server_key = connection, connection.server_key
        self._pauses = delays()
        self._model.connected(connection.welcome)
        if self._outbox is None:
            self._outbox = Outbox(self._home, connection.server_key, connection.welcome.name)
        self._states_to_come, self._rooms = connection.welcome.rooms, set()
        self._timers.every("heartbeat", BEAT, self._beat)
        self._beat()
        if not self._states_to_come:
            self._settle()

    def _received(self, messages: list[Incoming]) -> None:
        for message in messages:
            self._model.apply(message)
            match message:
                case RoomState(room=room) if self._states_to_come:
                    self._states_to_come -= 1
                    self._rooms.add(room)
                    if not self._states_to_come:
                        self._settle()
                case Said(author=author, label=label) if author == self._model.me and self._outbox is not None:
                    self._outbox.remove(label)
                case RefusedNotice(label=label, code=code, wait=wait) if self._outbox is not None:
                    if code in PASSING:
                        self._timers.once("resend", max(wait, RETRY), self._resend)
                    else:
                        self._outbox.remove(label)
                case Pong(label=label) if label == self._ping[0]:
                    self._model.round_trip = time.monotonic() - self._ping[1]
        self._heard(messages)

    def _ended(self, failure: Failure | None) -> None:
        connection, self._connection = self._connection, None
        self._timers.cancel("heartbeat")
        self._timers.cancel("silence")
        goodbye = connection.goodbye if connection is not None else None
        if failure is None and goodbye is not None:
            failure = Refused(goodbye.code, goodbye.sentence)
        lost = connection.ended if connection is not None else ""
        for_good = failure is not None and not isinstance(failure, Unreachable)
        if isinstance(failure, Refused):
            for_good = failure.code not in PASSING
        if for_good or (failure is not None and not self._server_key):
            assert failure is not None
            self._model.link, self._model.trouble = Link.ENDED, str(failure)
            self._failed(failure)
            return
        self._model.waiting(math.ceil(next(self._pauses)), str(failure or lost or "the connection was lost"))
        self._timers.every("reconnect", 1.0, self._count_down)
        self._heard([])

    def _count_down(self) -> None:
        self._model.retry_in -= 1
        if self._model.retry_in <= 0:
            self.connect()
        self._heard([])

    def _beat(self) -> None:
        connection = self._connection
        if connection is None or self.receiver is None:
            return
        now = time.monotonic()
        if self.away and now < self._ping[1] + HEARTBEAT - BEAT:
            return
        if connection.last_heard >= self._asked:
            self._asked = now
            self._timers.once("silence", DEAD, self._end_silence)
        self._ping = (new_label(), now)
        self.send(Ping(self._ping[0]))

    def _end_silence(self) -> None:
        connection = self._connection
        if connection is not None and self.receiver is not None and connection.last_heard < self._asked:
            connection.ended = f"the server was silent for {DEAD:.0f} s"
            self.receiver.close()

    # --- what waits -------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self._model.settled(self._rooms)
        self._resend()
        self._settled()

    def _resend(self) -> None:
        """Send all that waits, in order; the server stores each label once, however often it comes."""
        assert self._outbox is not None
        for waiting in self._outbox.waiting():
            self._model.sending(waiting.command, waiting.time)
            self.send(waiting.command)
