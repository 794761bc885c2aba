"""Generators: coroutines by `yield`, and the scheduler that drives them with `send`.

**What it is.** A generator stops at each `yield` and keeps where it was. So it can be a task: it yields what it wants,
as a program makes a system call, and is set aside; the scheduler does it when it can be done and *sends* the result
in, which is what the `yield` returns. The tasks below read straight on like a thread's code, touch no socket, and
can be driven by a test as well as by the scheduler. `await` is `yield from` with a new name: this is asyncio's inside.

**What it costs.** Nothing in the kernel, a few hundred bytes for each task, and two function calls for a switch.

**Where it ends.** A `yield` stops its own function only: what it calls can't stop it. So everything on the way down to
the wait is a generator too, called with `yield from` (server/session.py is one such pile), and a library written for
threads can't be used. Greenlets lift just that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from server.models import wire
from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import Line, Terms
from server.models.waits import READ, WRITE, Waits
from server.parcels import Intake

# --- what a task can ask for -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accept:
    """Wait for a client; the answer is its line, or None if it thought better of it."""


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for a client to send something; the answer is intake."""

    line: Line


@dataclass(frozen=True, slots=True)
class Work:
    """Carry out intake."""

    intake: list[Intake]


@dataclass(frozen=True, slots=True)
class Letters:
    """Wait until a line gets letters, or is gone."""

    line: Line


@dataclass(frozen=True, slots=True)
class Write:
    """Send all that a line has waiting, however long it takes."""

    line: Line


@dataclass(frozen=True, slots=True)
class Spawn:
    """Run another task beside this one."""

    task: Task


Call = Accept | Read | Work | Letters | Write | Spawn
Task = Generator[Call, Any, None]

# --- the tasks ---------------------------------------------------------------------------------------------------


def receive_clients() -> Task:
    """The server's first task."""
    while True:
        line = yield Accept()
        if line is not None:
            yield Spawn(listen(line))
            yield Spawn(speak(line))


def listen(line: Line) -> Task:
    """One client's words, up to its end."""
    while not line.gone:
        intake = yield Read(line)
        yield Work(intake)
    line.shut_down()  # ends a `Write` that waits for a client who doesn't read


def speak(line: Line) -> Task:
    """One client's letters, up to its end."""
    while not line.gone:
        yield Letters(line)
        yield Write(line)


# --- the scheduler -------------------------------------------------------------------------------------------------


def serve(door: Door, terms: Terms) -> None:
    scheduler = Scheduler(door, terms)
    try:
        scheduler.run(receive_clients())
    except Closed:
        wire.say_farewell(scheduler.exchange)


class Scheduler:
    """Runs tasks. Each is in one place: ready, with what is to be sent into it; or waiting, with what it asked for."""

    def __init__(self, door: Door, terms: Terms) -> None:
        self.exchange = Exchange(terms, Line)
        self._door = door
        self._door.listener.setblocking(False)
        self._ready: deque[tuple[Task, Any]] = deque()
        self._waits: Waits[tuple[Task, Call]] = Waits()
        self._without_letters: dict[Line, Task] = {}

    def run(self, first: Task) -> None:
        self._ready.append((first, None))
        while True:
            while self._ready:
                task, answer = self._ready.popleft()
                try:
                    self._begin(task, task.send(answer))
                except StopIteration:
                    pass
            for task, call in self._waits.poll(self.exchange.patience):
                self._go_on(task, call)
            self._work([])

    def _begin(self, task: Task, call: Call) -> None:
        """Do what can be done at once; else let the task wait."""
        match call:
            case Accept():
                self._waits.add(self._door.listener, READ, (task, call))
            case Read(line):
                self._waits.add(line.sock, READ, (task, call))
            case Letters(line) if not line.waiting and not line.gone:
                self._without_letters[line] = task
            case Write():
                self._go_on(task, call)
            case _:
                if isinstance(call, Work):
                    self._work(call.intake)
                elif isinstance(call, Spawn):
                    self._ready.append((call.task, None))
                self._ready.append((task, None))

    def _go_on(self, task: Task, call: Call) -> None:
        """The socket that a call is about may be ready: try."""
        match call:
            case Accept():
                sock = self._door.accept()
                if sock is not None:
                    sock.setblocking(False)
                self._ready.append((task, sock and self.exchange.connect(sock)))
            case Read(line):
                self._ready.append((task, wire.read(line) or []))
            case Write(line):
                if wire.write(line):
                    self._ready.append((task, None))
                else:
                    self._waits.add(line.sock, WRITE, (task, call))

    def _work(self, intake: list[Intake]) -> None:
        for line in self.exchange.work(intake):
            task = self._without_letters.pop(line, None)
            if task is not None:
                self._ready.append((task, None))
