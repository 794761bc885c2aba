"""Guests: people at the real `client.connection.Connection`, in the test's own process, who say what they hear.

alice = guests.login("alice")
alice.ask(Join(new_label(), "room"))
alice.hears(Said, text="hello")
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TypeVar

from chat.messages import Command, Join, RoomState, Said, Say
from chat.values import Cursor
from client.connection import Connection, Incoming, new_label
from client.home import Home
from tests.waiting import UNIT

M = TypeVar("M")

PATIENCE = 10.0
"""Units after which a guest who waits in vain gives up."""


class Guest:
    """One connection, and everything that came over it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.heard: list[Incoming] = []
        self._messages = iter(connection)

    def ask(self, command: Command) -> str:
        """Send a command; returns its label."""
        self.connection.send(command)
        return str(getattr(command, "label", ""))

    def hears(self, kind: type[M], **fields: object) -> M:
        """The next message of that kind with these fields; fails if the connection ends before it comes."""
        giving_up = threading.Timer(PATIENCE * UNIT, self.connection.close)
        giving_up.start()
        try:
            for message in self._messages:
                self.heard.append(message)
                if isinstance(message, kind) and all(getattr(message, name) == fields[name] for name in fields):
                    return message
        finally:
            giving_up.cancel()
        raise AssertionError(f"no {kind.__name__} with {fields}: {self.connection.ended} heard: {self.heard[-5:]}")

    def join(self, room: str, since: int | None = None) -> RoomState:
        """Join a room; returns what it is like."""
        return self.hears(RoomState, label=self.ask(Join(new_label(), room, since)))

    def say(self, room: str, text: str) -> Said:
        """Say something, and wait until it is stored."""
        return self.hears(Said, label=self.ask(Say(new_label(), room, text)))

    def leave(self) -> None:
        self.connection.close()


class Guests:
    """Logs guests in to one server, each name with a home of its own."""

    def __init__(self, folder: Path, address: tuple[str, int]) -> None:
        self._folder = folder
        self._address = address
        self._in: list[Guest] = []

    def login(self, name: str, *cursors: Cursor, home: str = "", passphrase: str | None = None) -> Guest:
        """With `home`, another person's key. Raises what `Connection.open` raises."""
        connection = Connection.open(
            self._address,
            home=Home(self._folder / (home or name)),
            name=name,
            cursors=cursors,
            passphrase=passphrase,
            heartbeat=None,
        )
        self._in.append(Guest(connection))
        return self._in[-1]

    def close(self) -> None:
        for guest in self._in:
            guest.leave()
