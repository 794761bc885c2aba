"""The inlet: what comes one by one is taken at once, and a full one makes the Manager's queue wait."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from server import inlet as inlet_module
from server.gauges import INLET, Panel
from server.inlet import Inlet
from tests.waiting import wait_for


class Outlet:
    """Stands for the Manager queue's proxy; `taken` counts what the inlet took."""

    def __init__(self) -> None:
        self.queue: queue.Queue[bytes | None] = queue.Queue()
        self.panel = Panel(memoryview(bytearray(8 * len(INLET))).cast("q"), INLET, 0)
        self.inlet = Inlet(self.queue, self.panel)

    def put(self, *blobs: bytes | None) -> None:
        for blob in blobs:
            self.queue.put(blob)

    @property
    def taken(self) -> int:
        return self.panel.get("taken")


@pytest.fixture
def outlet() -> Iterator[Outlet]:
    outlet = Outlet()
    outlet.inlet.start()
    yield outlet
    outlet.put(None)
    ended = False
    while not ended:
        _, ended = outlet.inlet.take(block=True, rest=0.0)


def blobs(outlet: Outlet, *, block: bool = False) -> list[bytes]:
    batches, _ = outlet.inlet.take(block=block, rest=0.0)
    return [batch.blob for batch in batches]


def test_what_came_one_by_one_is_taken_at_once(outlet: Outlet) -> None:
    outlet.put(b"1", b"2", b"3")
    wait_for(lambda: len(outlet.inlet._waiting) == 3, "all have come")
    assert blobs(outlet) == [b"1", b"2", b"3"]
    assert blobs(outlet) == []


def test_a_full_inlet_takes_nothing_until_it_was_emptied(outlet: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlet_module, "MAX_WAITING", 10)
    outlet.put(b"12345", b"67890", b"waits in the hand", b"waits in the queue")
    wait_for(lambda: outlet.taken == 3, "it has as much as it may, and one in its hand")
    assert not outlet.queue.empty()
    assert blobs(outlet) == [b"12345", b"67890"]
    wait_for(lambda: outlet.taken == 4, "it goes on")
    wait_for(lambda: blobs(outlet)[-1:] == [b"waits in the queue"], "and the rest comes")


def test_who_waits_for_something_can_be_woken_without(outlet: Outlet) -> None:
    taken: list[list[bytes]] = []
    taker = threading.Thread(target=lambda: taken.append(blobs(outlet, block=True)))
    taker.start()
    outlet.inlet.wake()
    taker.join(10)
    assert taken == [[]]


def test_the_end_comes_with_what_was_before_it(outlet: Outlet) -> None:
    outlet.put(b"1", None)
    wait_for(lambda: outlet.inlet._ended, "the end has come")
    batches, ended = outlet.inlet.take(block=True, rest=0.0)
    assert ([batch.blob for batch in batches], ended) == ([b"1"], True)
