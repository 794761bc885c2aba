"""The receiver: a thread that blocks on the connection, so that the UI never does; and its twin that sends.

A blocking `recv` in a thread is the simplest thing that can wait for bytes, and it is the same `Connection` that
scripts and bots use. What comes is handed to the UI's loop through one door (client/door.py): the UI thread
alone touches the model, so the model needs no lock. The hand-over is counted: when the UI is `AHEAD` messages behind,
the thread waits, the kernel's buffers fill, and the server's worker sees a slow client.

Sending has a thread of its own because `sendall` blocks when the server presses back, for as long as it likes; the
UI puts commands on a bounded queue and goes on drawing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from chat.messages import Command, Say, Trail
from chat.values import Stamp
from client.connection import Connection, Incoming
from client.door import Door
from client.failures import Failure
from client.stamps import mark

AHEAD = 2_000
"""Messages handed over and not yet taken in by the UI."""

AT_ONCE = 200
"""Messages that the UI takes in before it looks at the keyboard again."""

UNSENT = 1_000
"""Commands waiting for the sender; more means that the link is as good as dead."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last thing that a receiver hands over."""

    failure: Failure | None


class Receiver:
    """One connection's life in the background. Every callback runs in the UI's loop.

    `opened(connection)` after the login, `received(messages)` for what comes, `sent(label, stamp)` for each traced
    message that has left, then `ended(failure or None)` once.
    """

    def __init__(
        self,
        door: Door,
        open_connection: Callable[[], Connection],
        opened: Callable[[Connection], None],
        received: Callable[[list[Incoming]], None],
        ended: Callable[[Failure | None], None],
        sent: Callable[[str, Stamp], None],
    ) -> None:
        self._door = door
        self._open = open_connection
        self._opened, self._received, self._ended, self._sent = opened, received, ended, sent
        self.messages = 0
        """Messages received so far."""
        self._room = threading.Semaphore(AHEAD)
        self._lock = threading.Lock()
        self._inbox: list[Incoming | Ended] = []
        self._commands: queue.Queue[Command | None] = queue.Queue(UNSENT)
        self._connection: Connection | None = None
        self._closed = False

    def start(self) -> None:
        threading.Thread(target=self._receive, name="receiver", daemon=True).start()

    def send(self, *commands: Command) -> None:
        """Have commands sent, in order. Those that can't be are lost with the connection: the outbox knows."""
        try:
            for command in commands:
                self._commands.put_nowait(command)
        except queue.Full:
            self.close()

    @property
    def frames(self) -> int:
        """Frames received so far."""
        return self._connection.frames if self._connection is not None else 0

    @property
    def ahead(self) -> int:
        """Messages received that the UI hasn't taken in yet."""
        return len(self._inbox)

    @property
    def unsent(self) -> int:
        """Commands that wait for the sender, about."""
        return self._commands.qsize()

    def close(self) -> None:
        """End the connection; `ended` follows."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()

    def _receive(self) -> None:
        failure: Failure | None = None
        try:
            self._connection = connection = self._open()
            self._door(lambda: self._opened(connection))
            threading.Thread(target=self._send, args=(connection,), name="sender", daemon=True).start()
            if self._closed:
                connection.close()
            for message in connection:
                self.messages += 1
                if isinstance(message, Trail):
                    message = replace(message, stamps=(*message.stamps, mark("received")))
                self._hand_over(message)
        except Failure as trouble:
            failure = trouble
        try:
            self._commands.put_nowait(None)
        except queue.Full:
            pass  # the sender has work left, and will find the connection closed
        self._hand_over(Ended(failure))

    def _hand_over(self, message: Incoming | Ended) -> None:
        self._room.acquire()
        with self._lock:
            self._inbox.append(message)
            first = len(self._inbox) == 1
        if first:  # else the UI has been called already, and will find this one too
            self._door(self._take)

    def _take(self) -> None:
        """In the UI's loop: take in what has come, but not so much that a key press has to wait for it."""
        with self._lock:
            messages, self._inbox = self._inbox[:AT_ONCE], self._inbox[AT_ONCE:]
            more = bool(self._inbox)
        try:
            self._received([message for message in messages if not isinstance(message, Ended)])
        finally:
            self._room.release(len(messages))
            if more:
                self._door(self._take)
        if isinstance(messages[-1], Ended):
            self._ended(messages[-1].failure)

    def _tell_sent(self, label: str, stamp: Stamp) -> None:
        self._door(lambda: self._sent(label, stamp))

    def _send(self, connection: Connection) -> None:
        try:
            while (command := self._commands.get()) is not None:
                connection.send(command)
                if isinstance(command, Say) and command.trace:
                    self._tell_sent(command.label, mark("sent"))
        except OSError:
            connection.close()
