"""What /models shows: the server's stages by their counters, and the insides of this client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from chat import figures, pipeline
from chat.messages import Command, Statistics, Stats
from chat.pipeline import Stage
from client.connection import new_label
from client.dialogue import Dialogues
from client.receiver import Receiver
from client.timers import Timers

TWO_COLUMNS = 150
"""Screen columns from which server and client are drawn side by side."""

MOST = 100
"""Columns that a box takes at most."""

Facts = tuple[tuple[str, str], ...]


class Insight:
    """Two readings of the server's counters, and where to look for the client's."""

    def __init__(self, timers: Timers, dialogues: Dialogues, receiver: Callable[[], Receiver | None]) -> None:
        self._timers, self._dialogues, self._receiver = timers, dialogues, receiver
        self._label = ""
        self._before: Statistics | None = None
        self._after: Statistics | None = None

    def ask(self) -> list[Command]:
        """The command that asks the server for its counters."""
        self._label = new_label()
        return [Stats(self._label)]

    def learn(self, reading: Statistics) -> None:
        if reading.label == self._label:
            self._before, self._after = self._after, reading

    def lines(self, width: int) -> list[str]:
        """The picture in so many columns."""
        if width >= TWO_COLUMNS:
            half = (width - 2) // 2
            left, right = self._draw("server", self.server(), half), self._draw("this client", self.client(), half)
            longest = max(len(left), len(right))
            pairs = zip(left + [""] * (longest - len(left)), right + [""] * (longest - len(right)), strict=True)
            return [f"{a:<{half}}  {b}".rstrip() for a, b in pairs]
        width = min(width, MOST)
        return [*self._draw("server", self.server(), width), "", *self._draw("this client", self.client(), width)]

    def server(self) -> list[Stage]:
        """The server's stages, once two readings are there."""
        if self._before is None or self._after is None:
            return []
        before, after = ({figure.name: figure.value for figure in each.figures} for each in (self._before, self._after))
        return figures.stages(before, after, self._after.time - self._before.time)

    def client(self) -> list[Stage]:
        """This client, now."""
        threads = {thread.name: thread.native_id for thread in threading.enumerate()}
        listed = tuple((str(native), name) for name, native in threads.items())
        return [
            _in_thread("receiver", "thread, blocking recv", threads, self._received(), "call_soon_threadsafe"),
            _in_thread("MainThread", "prompt_toolkit on asyncio", threads, _tasks(), "queue.Queue, bounded"),
            _in_thread("sender", "thread, blocking sendall", threads, self._unsent(), "TCP"),
            _in_thread("timers", "gevent hub, a greenlet a timer", threads, self._due()),
            Stage("commands", "raw greenlets", "in MainThread", self._parked()),
            Stage("threads", "threading.enumerate()", f"{len(listed)} now", listed),
        ]

    def _draw(self, title: str, stages: list[Stage], width: int) -> list[str]:
        return [f"── {title} ──", *(pipeline.draw(stages, width) or ["Waiting for two readings of its counters …"])]

    def _received(self) -> Facts:
        receiver = self._receiver()
        if receiver is None:
            return (("no", "connection"),)
        return (
            (f"{receiver.frames:,}", "frames"),
            (f"{receiver.messages:,}", "messages"),
            (f"{receiver.ahead:,}", "not yet taken in"),
        )

    def _unsent(self) -> Facts:
        receiver = self._receiver()
        return ((f"{receiver.unsent if receiver is not None else 0:,}", "commands waiting"),)

    def _due(self) -> Facts:
        due = self._timers.pending()
        return tuple((f"{seconds:.1f} s", name) for name, seconds in due.items()) or (("0", "timers"),)

    def _parked(self) -> Facts:
        parked = self._dialogues.parked
        return tuple(("1", f"waits for {each.waits_for}") for each in parked) or (("0", "parked"),)


def _in_thread(name: str, model: str, threads: dict[str, int | None], facts: Facts, feeds: str = "") -> Stage:
    where = f"thread {threads[name]}" if name in threads else "no thread now"
    return Stage(name, model, where, facts, feeds)


def _tasks() -> Facts:
    names = sorted(getattr(task.get_coro(), "__qualname__", "?").rpartition(".")[2] for task in asyncio.all_tasks())
    return ((str(len(names)), f"tasks: {', '.join(names)}"),)
