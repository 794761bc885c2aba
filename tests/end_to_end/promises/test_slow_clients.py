"""Clients that stop reading, and a journal that stops working: memory is bounded, nothing is lost, others go on."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.messages import Goodbye, Join, Said, Say
from client.connection import Connection
from server.delivery import IN_FLIGHT, MAX_BACKLOG
from server.journal import INTAKE_BATCHES
from server.reader import TURN_SIZE
from tests.end_to_end.conftest import Report
from tests.end_to_end.load import Load
from tests.end_to_end.people import People, Running
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.stages import figures, memory, stages, stopped
from tests.end_to_end.talker import Talker
from tests.waiting import UNIT, wait_for

MIB = 2**20
MESSAGE = 15_000
"""Bytes; the kernel's buffers and the server's backlog take some ten million between them."""

BOUND = MAX_BACKLOG + IN_FLIGHT + 8 * MIB
"""Bytes that the whole server may grow by for one who doesn't read: the backlog, what is encrypted ahead of the socket,
and what the allocators of the processes keep for themselves."""

PRESSED = 2 * INTAKE_BATCHES * TURN_SIZE
"""The same for a journal that stands still while everybody goes on writing: what the reader has put on its queue, and
what Python needs to hold that."""

RATIO = 1.5
"""The p99 of others beside one who doesn't read, to that without."""


@pytest.fixture
def load(server: ServerProcess, tmp_path: Path) -> Iterator[Load]:
    """Two who write 3 MB a second between them, and two who only listen."""
    with Load(server.address, tmp_path / "load", listeners=2, size=MESSAGE) as running:
        yield running


def listener(people: People, load: Load, *options: str) -> Running:
    """A real client that prints the room's messages."""
    tail = people.start("zoe", "--room", load.people[0].room, "--tail", *options)
    wait_for(tail.numbers, "the client listens")
    return tail


def too_slow(server: ServerProcess) -> int:
    """How many clients were dropped as too slow."""
    read = figures(server)
    return read["worker 0.too_slow"] + read["worker 1.too_slow"]


def test_who_doesnt_read_is_dropped_as_too_slow_and_misses_nothing(
    server: ServerProcess, people: People, load: Load, report: Report
) -> None:
    tail = listener(people, load, "--since", "0")
    deaf = Connection.open(server.address, home=people.home("deaf"), name="deaf")
    deaf.send(Join("j", load.people[0].room))
    before, peak = memory(server), 0
    with stopped(tail.process.pid):

        def dropped() -> bool:
            nonlocal peak
            peak = max(peak, memory(server))
            return too_slow(server) == 2

        wait_for(dropped, "both are dropped", units=90)
    assert peak - before < 2 * BOUND
    with deaf:
        assert [message.code for message in deaf if isinstance(message, Goodbye)] == ["too_slow"]
    load.finish(units=60)
    newest = load.people[0].last
    wait_for(lambda: len(tail.numbers()) >= newest, "it has heard everything", units=60)
    assert tail.numbers() == list(range(1, newest + 1))
    assert [person.connections for person in load.people] == [1] * 4, "nobody else was cut off"
    report(f"two don't read: the server grows by {(peak - before) / MIB:.1f} MiB at most")


def test_others_dont_wait_for_one_who_is_stopped(people: People, load: Load, report: Report) -> None:
    calm, beside, ratio = [], [], RATIO
    while len(calm) < 3 or (ratio >= RATIO and len(calm) < 8):  # what else runs on the machine passes; a fault stays
        calm.append(p99(load))
        tail = listener(people, load)
        with stopped(tail.process.pid):
            beside.append(p99(load))
        tail.end()
        ratio = statistics.median(beside) / statistics.median(calm)
    report(f"p99 of others beside one who is stopped: {ratio:.2f} times that without")
    assert ratio < RATIO
    load.finish(units=60)


def p99(load: Load) -> float:
    """Seconds from a message's writing to its reading, for those who only listen, over the next 500."""
    listeners = [person for person in load.people if person.interval is None]
    begun = [len(person.heard) for person in listeners]
    wait_for(lambda: len(listeners[0].heard) > begun[0] + 500, "more messages", units=60)
    taken = [heard.after for person, first in zip(listeners, begun, strict=True) for heard in person.heard[first:]]
    return statistics.quantiles(taken, n=100)[98]


def test_a_journal_that_stands_still_for_10_s_loses_nobody_and_nothing(
    server: ServerProcess, people: People, tmp_path: Path, report: Report
) -> None:
    floods = [Flood(server, people, f"flood{number}") for number in range(4)]
    with Load(server.address, tmp_path / "load", rooms=4, writers=4, listeners=4, size=1_000) as load:
        load.goes_on()
        before, stored = memory(server), load.stored
        with stopped(stages(server)["journal"]):
            for flood in floods:
                flood.begin()
            wake_up = time.monotonic() + 10
            wait_for(lambda: time.monotonic() > wake_up, "10 s have passed", units=20)
            grown = memory(server) - before
            pressed = sum(flood.is_pressed for flood in floods)
        took = load.goes_on(units=30)
        load.finish(units=60)
        assert load.stored > stored
        assert load.connections == len(load.people), "no connection was lost"
    for flood in floods:
        flood.finish()
    assert pressed == len(floods), "the pressure reaches those who send"
    report(f"journal stopped for 10 s: the server grows by {grown / MIB:.1f} MiB, goes on after {took:.2f} s")
    assert grown < PRESSED


class Flood:
    """Somebody who writes 24 MB as fast as TCP takes them, and reads what comes."""

    COUNT = 2_000

    def __init__(self, server: ServerProcess, people: People, name: str) -> None:
        self._talker = Talker(server.address, people.home(name), name)
        self._talker.ask(Join("join", name))
        self._room = name
        self._thread = threading.Thread(target=self._write)

    def begin(self) -> None:
        self._thread.start()

    @property
    def is_pressed(self) -> bool:
        """Whether it still waits to write."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """All of it was heard, once and in order, on the first connection."""
        self._thread.join(60 * UNIT)
        last = str(self.COUNT - 1)
        self._talker.until(lambda message: getattr(message, "label", "") == last, "all of it is stored", units=60)
        said = [message.label for message in self._talker.heard if isinstance(message, Said)]
        assert said == [str(number) for number in range(self.COUNT)]
        self._talker.close()

    def _write(self) -> None:
        for number in range(self.COUNT):
            self._talker.connection.send(Say(str(number), self._room, "x" * 12_000))
