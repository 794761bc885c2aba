"""The receiver: a thread that blocks on the connection, so that the UI never does; and its twin that sends.

A blocking `recv` in a thread is the simplest thing that can wait for bytes, and it is the same `Connection` that
scripts and bots use. What comes is handed to the UI's loop through one door, `call_soon_threadsafe`: the UI thread
alone touches the model, so the model needs no lock. The hand-over is counted: when the UI is `AHEAD` messages behind,
the thread waits, the kernel's buffers fill, and the server's worker sees a slow client.

Sending has a thread of its own because `sendall` blocks when the server presses back, for as long as it likes; the
UI puts commands on a bounded queue and goes on drawing.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

from chat.messages import Command
from client.connection import Connection, Incoming
from client.failures import Failure

AHEAD = 2_000
"""Messages handed over and not yet taken in by the UI."""

AT_ONCE = 200
"""Messages that the UI takes in before it looks at the keyboard again."""

UNSENT = 1_000
"""Commands waiting for the sender; more means that the link is as good as dead."""


class Receiver:
    """One connection's life in the background. Every callback runs in the UI's loop.

    `opened(connection)` after the login, `received(messages)` for what comes, then `ended(failure or None)` once.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        open_connection: Callable[[], Connection],
        opened: Callable[[Connection], None],
        received: Callable[[list[Incoming]], None],
        ended: Callable[[Failure | None], None],
    ) -> None:
        self._loop = loop
        self._open = open_connection
        self._opened, self._received, self._ended = opened, received, ended
        self._room = threading.Semaphore(AHEAD)
        self._lock = threading.Lock()
        self._inbox: list[Incoming] = []
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

    def close(self) -> None:
        """End the connection; `ended` follows."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()

    def _receive(self) -> None:
        failure: Failure | None = None
        try:
            self._connection = connection = self._open()
            self._call(self._opened, connection)
            threading.Thread(target=self._send, args=(connection,), name="sender", daemon=True).start()
            if self._closed:
                connection.close()
            for message in connection:
                self._room.acquire()
                self._hand_over(message)
        except Failure as trouble:
            failure = trouble
        self._commands.put(None)
        self._call(self._ended, failure)

    def _hand_over(self, message: Incoming) -> None:
        with self._lock:
            self._inbox.append(message)
            first = len(self._inbox) == 1
        if first:  # else the UI has been called already, and will find this one too
            self._call(self._take, None)

    def _take(self, _: None) -> None:
        """In the UI's loop: take in what has come, but not so much that a key press has to wait for it."""
        with self._lock:
            messages, self._inbox = self._inbox[:AT_ONCE], self._inbox[AT_ONCE:]
            more = bool(self._inbox)
        try:
            self._received(messages)
        finally:
            self._room.release(len(messages))
            if more:
                self._call(self._take, None)

    def _send(self, connection: Connection) -> None:
        try:
            while (command := self._commands.get()) is not None:
                connection.send(command)
        except OSError:
            connection.close()

    def _call(self, call: Callable[[Any], None], value: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, value)
        except RuntimeError:
            pass  # the loop is closed: the user has quit
