"""The outlet: what comes one by one is taken at once, a full one makes the journal wait, and anybody may wake it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from multiprocessing.managers import SyncManager
from typing import Any

import pytest

from server import outlet as outlet_module
from server.backend import OutletManager
from server.children import SPAWN
from server.outlet import Outlet
from tests.waiting import wait_for


@pytest.fixture
def outlet() -> Outlet:
    return Outlet()


def test_what_came_one_by_one_is_taken_at_once(outlet: Outlet) -> None:
    for batch in (b"1", b"2", None):
        outlet.put(batch)
    assert outlet.take(block=True) == [b"1", b"2", None]
    assert outlet.take(block=False) == []


def test_a_full_outlet_makes_the_journal_wait_until_it_was_emptied(
    outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlet_module, "MAX_WAITING", 10)
    put: list[bytes] = []

    def journal() -> None:
        for batch in (b"12345", b"67890", b"waits"):
            outlet.put(batch)
            put.append(batch)

    thread = threading.Thread(target=journal)
    thread.start()
    wait_for(lambda: len(put) == 2 and outlet._changed._waiters, "it waits")  # type: ignore[attr-defined]
    assert outlet.take(block=True) == [b"12345", b"67890"]
    thread.join(10)
    assert outlet.take(block=True) == [b"waits"]


def test_what_comes_before_the_earliest_moment_is_taken_at_once(outlet: Outlet) -> None:
    outlet.put(b"1")
    earliest = time.monotonic() + 0.1
    taken: list[list[bytes | None]] = []
    taker = threading.Thread(target=lambda: taken.append(outlet.take(True, earliest)))
    taker.start()
    outlet.put(b"2")
    taker.join(10)
    assert taken == [[b"1", b"2"]] and time.monotonic() >= earliest
    outlet.put(b"3")
    assert outlet.take(False, time.monotonic() + 1_000) == [b"3"]  # who has something else to do doesn't wait


def test_who_waits_for_something_can_be_woken_without(outlet: Outlet) -> None:
    taken: list[list[bytes | None]] = []
    taker = threading.Thread(target=lambda: taken.append(outlet.take(block=True)))
    taker.start()
    outlet.wake()
    taker.join(10)
    assert taken == [[]]


@pytest.fixture
def manager() -> Iterator[SyncManager]:
    with OutletManager(ctx=SPAWN) as manager:
        yield manager


def test_two_threads_of_one_process_call_it_at_the_same_time_through_the_manager(manager: Any) -> None:
    """As a worker does: its loop waits in `take` while its flusher wakes it."""
    proxy = manager.Outlet()
    taken: list[list[bytes | None]] = []

    def loop() -> None:
        while not taken or taken[-1] != [None]:
            taken.append(proxy.take(True))

    worker = threading.Thread(target=loop)
    worker.start()
    proxy.wake()
    wait_for(lambda: taken == [[]], "it was woken")
    proxy.put(b"batch")
    wait_for(lambda: taken == [[], [b"batch"]], "it took the batch")
    proxy.put(None)
    worker.join(10)
    assert not worker.is_alive()
