"""`--send`'s loop. Three threads meet at one bounded queue, the inbox.

Standard input may pause for ever and the server may speak at any time, so each has a thread that blocks on it; the
main thread alone decides and sends. When the inbox is full whoever puts more waits, and with it the pipe or the
server: nothing grows without a bound.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from chat.messages import Join, Refused, RoomState, Said, Say, Tell
from client import failures
from client.connection import Connection, Incoming, new_label
from client.failures import Failure, Unreachable
from client.follower import is_person
from client.outgoing import Line, Outgoing

INBOX = 1024
"""Entries that may wait for the main thread."""

READ_AHEAD = 1024
"""Lines read from the input and not yet stored."""


@dataclass(frozen=True, slots=True)
class InputEnded:
    """There are no more lines, or no more that can be sent."""

    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the server, or None when the connection has ended."""

    connection: Connection
    message: Incoming | None


class Sender:
    """Sends lines to one room. `run` gives them back, numbered, as they are stored."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._outgoing = Outgoing()
        self._inbox: queue.Queue[str | InputEnded | Heard] = queue.Queue(INBOX)
        self._room_ahead = threading.Semaphore(READ_AHEAD)
        self._input: InputEnded | None = None
        self._connection: Connection
        self._join = ""

    def read(self, lines: Iterator[str]) -> None:
        """Take the lines to send; in a thread of its own unless they are few."""
        try:
            for line in lines:
                self._room_ahead.acquire()
                self._inbox.put(line)
        except Failure as failure:
            self._inbox.put(InputEnded(failure))
        else:
            self._inbox.put(InputEnded(None))

    def run(self, connections: Iterator[Connection]) -> Iterator[Said]:
        """The lines in order, each when it is stored. Raises the `Failure` that keeps the rest from being so."""
        self._meet(connections)
        while self._input is None or self._outgoing:
            match self._inbox.get():
                case str(text):
                    self._outgoing.add(self._command(text))
                case InputEnded() as ended:
                    self._input = ended
                case Heard(connection, message) if connection is self._connection:
                    if message is None:
                        self._outgoing.lost()
                        self._meet(connections)
                    else:
                        self._hear(message)
            for said in self._outgoing.numbered():
                self._room_ahead.release()
                yield said
            if self._outgoing.refusal is not None and not self._outgoing.in_flight:
                yield from self._outgoing.stored_despite()
                raise failures.Refused(self._outgoing.refusal.code, self._outgoing.refusal.sentence)
            self._send_on()
        if self._input.failure is not None:
            raise self._input.failure

    def _meet(self, connections: Iterator[Connection]) -> None:
        try:
            self._connection = next(connections)
        except Unreachable as failure:
            left = len(self._outgoing)
            if not left:
                raise
            raise Unreachable(f"{failure} Messages not known to be stored: {left}.") from failure
        self._join = ""
        threading.Thread(target=self._listen, args=(self._connection,), name="receiver", daemon=True).start()
        if not is_person(self._room):
            self._join = new_label()
            self._try_to_send(Join(self._join, self._room))

    def _listen(self, connection: Connection) -> None:
        """In the receiver thread: hand on what answers us, and nothing of what others say."""
        for message in connection:
            mine = isinstance(message, Said) and message.author == connection.welcome.name
            if mine or isinstance(message, (Refused, RoomState)):
                self._inbox.put(Heard(connection, message))
        self._inbox.put(Heard(connection, None))

    def _hear(self, message: Incoming) -> None:
        match message:
            case RoomState(label=label) if label and label == self._join:
                self._join = ""
            case Refused(label=label) if label and label == self._join:
                raise failures.Refused(message.code, message.sentence)
            case Said() | Refused():
                self._outgoing.answer(message)

    def _send_on(self) -> None:
        if self._join:
            return  # not in the room yet
        if self._outgoing.hold and not self._outgoing.in_flight:
            time.sleep(self._outgoing.hold)
        batch = self._outgoing.batch()
        if batch:
            self._try_to_send(*batch)

    def _try_to_send(self, *commands: Join | Line) -> None:
        try:
            self._connection.send(*commands)
        except OSError:
            pass  # the receiver thread is about to say that the connection has ended

    def _command(self, text: str) -> Line:
        label = new_label()
        return Tell(label, self._room[1:], text) if is_person(self._room) else Say(label, self._room, text)
