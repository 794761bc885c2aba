"""Dialogues: commands written as straight lines that wait, on raw greenlets, in the UI's own thread.

    def leave(dialogue, room):
        if dialogue.ask(f"Really leave {room}? (y/n)") == "y":
            dialogue.request(Leave(new_label(), room))

`ask` and `request` don't block: they switch out of the command's greenlet, back to the loop that called it, and the
loop switches in again when the answer is there. A greenlet keeps the whole stack, so a command may wait inside any
function that it calls, with no `async` on the way; a thread would do that too, but would have to lock the model.

A greenlet is switched only in the thread that made it; everything here happens in the UI's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from chat.messages import Command, Hit, Joined, Refused
from client.connection import Incoming
from client.door import Door
from client.failures import Failure

T = TypeVar("T")

INTERIM = (Hit, Joined)
"""What comes with a label before the answer that ends it: a search's hits, a join's event."""


class Cancelled(Exception):
    """The user, or the end of the link, has ended the dialogue. Not caught: it unwinds the command."""


@dataclass(slots=True)
class Parked:
    """A command that waits: for a line of the user, for the server's answer with this label, or for a thread."""

    greenlet: greenlet
    question: str = ""
    label: str = ""
    answers: list[Incoming] | None = None

    @property
    def waits_for(self) -> str:
        return self.question or (f"an answer to {self.label}" if self.label else "a thread")


class Dialogues:
    """The commands that are under way. `failed` is told, as a sentence, why one has ended early."""

    def __init__(self, send: Callable[[Command], None], failed: Callable[[str], None], door: Door) -> None:
        self._send = send
        self._failed = failed
        self._door = door
        self._parked: list[Parked] = []

    def start(self, command: Callable[[], None]) -> None:
        """Run `command` until it ends or waits for the first time."""
        self._switch(greenlet(command))

    # --- called inside a command ------------------------------------------------------------------------------

    def ask(self, question: str) -> str:
        """What the user answers. Raises `Cancelled` if they won't."""
        answer: str = self._park(Parked(getcurrent(), question=question))
        return answer

    def request(self, command: Command) -> list[Incoming]:
        """Send a command that has a label; gives what the server answers. A refusal ends the dialogue."""
        self._send(command)
        return self.answers(command.label)  # type: ignore[attr-defined]

    def answers(self, label: str) -> list[Incoming]:
        """What the server answers to a command that is on its way, or waits in the outbox."""
        answers: list[Incoming] = self._park(Parked(getcurrent(), label=label, answers=[]))
        if isinstance(answers[-1], Refused):
            raise Cancelled(answers[-1].sentence)
        return answers

    def in_thread(self, work: Callable[[], T]) -> T:
        """What `work` gives, which blocks: it is done in a thread of its own, which knocks at the door when it ends."""
        parked = Parked(getcurrent())

        def resume(value: T | Cancelled) -> None:
            if parked in self._parked:
                self._parked.remove(parked)
                self._switch(parked.greenlet, value)

        def run() -> None:
            try:
                value: T | Cancelled = work()
            except (Failure, OSError) as trouble:
                value = Cancelled(str(trouble))
            self._door(lambda: resume(value))

        threading.Thread(target=run, name="command", daemon=True).start()
        result: T = self._park(parked)
        return result

    # --- called by the loop -----------------------------------------------------------------------------------

    @property
    def question(self) -> str:
        """What the user is asked now, or nothing."""
        return next((parked.question for parked in self._parked if parked.question), "")

    @property
    def parked(self) -> list[Parked]:
        return list(self._parked)

    def answer(self, line: str) -> None:
        """The user's line, for the command that asked first."""
        parked = next(parked for parked in self._parked if parked.question)
        self._parked.remove(parked)
        self._switch(parked.greenlet, line)

    def offer(self, message: Incoming) -> None:
        """Give a message to the command that waits for its label, if there is one."""
        label = getattr(message, "label", "")
        for parked in self._parked:
            if label and parked.label == label and parked.answers is not None:
                parked.answers.append(message)
                if not isinstance(message, INTERIM):
                    self._parked.remove(parked)
                    self._switch(parked.greenlet, parked.answers)
                return

    def cancel(self, reason: str, *, questions: bool = False) -> None:
        """End what waits for the server, or with `questions` what waits for the user."""
        for parked in self.parked:
            if parked.question if questions else parked.label:
                self._parked.remove(parked)
                self._switch(parked.greenlet, Cancelled(reason))

    def _park(self, parked: Parked) -> Any:
        self._parked.append(parked)
        assert parked.greenlet.parent is not None  # the loop, which called
        value = parked.greenlet.parent.switch()
        if isinstance(value, Cancelled):
            raise value
        return value

    def _switch(self, command: greenlet, *values: object) -> None:
        command.parent = getcurrent()  # it returns to whoever resumes it, also when it ends
        try:
            command.switch(*values)
        except Cancelled as cancelled:
            self._failed(str(cancelled))
