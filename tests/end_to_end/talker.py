"""A person in the test itself, on a real `Connection`: for what `--send` and `--tail` don't show.

with Talker(server.address, people.home("bob"), "bob") as bob:
    state = bob.ask(Join(new_label(), "r"))
    bob.until(lambda m: isinstance(m, Said) and m.text == "hi", "bob hears hi")
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from chat.messages import Said
from chat.values import Cursor
from client.connection import Address, Connection, Incoming
from client.home import Home
from tests.waiting import wait_for


class Talker:
    """A thread gathers all that comes in `heard`."""

    def __init__(self, address: Address, home: Home, name: str, cursors: tuple[Cursor, ...] = ()) -> None:
        self.connection = Connection.open(address, home=home, name=name, cursors=cursors)
        self.name = self.connection.welcome.name
        self.heard: list[Incoming] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def ask(self, command: object) -> Incoming:
        """Send a command that has a label; the first message that carries it back."""
        self.connection.send(command)  # type: ignore[arg-type]
        label = command.label  # type: ignore[attr-defined]
        return self.until(lambda message: getattr(message, "label", "") == label, f"an answer to {command}")

    def until(self, wanted: Callable[[Incoming], bool], what: str, units: float = 10) -> Incoming:
        """The first message heard, ever, that is `wanted`."""
        return wait_for(lambda: next((m for m in [*self.heard] if wanted(m)), None), f"{self.name}: {what}", units)

    def texts(self, room: str) -> list[str]:
        """What was said in a room, in the order heard."""
        return [message.text for message in [*self.heard] if isinstance(message, Said) and message.room == room]

    def close(self) -> None:
        self.connection.close()
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        for message in self.connection:
            self.heard.append(message)
