"""The journal's two ends: what it takes from its queue in one go, and what it puts on the workers'."""

from __future__ import annotations

import pickle
import queue
import time
from pathlib import Path

import pytest

from chat.messages import Join, Login, Ping, Say
from server import journal
from server.clerk import Clerk
from server.gauges import OUTLET, Panel
from server.journal import MAX_BATCH, Chores, collect, publish
from server.parcels import Arrived, Asked, Detach, Intake, Parcel, ToRoom
from server.store import Store, StoreTrouble


def turn(*numbers: int) -> list[Intake]:
    return [Asked(number, 0.0, Ping("p")) for number in numbers]


def filled(*turns: list[Intake] | None) -> queue.Queue[list[Intake] | None]:
    waiting: queue.Queue[list[Intake] | None] = queue.Queue()
    for each in turns:
        waiting.put(each)
    return waiting


def test_all_that_waits_is_one_batch() -> None:
    waiting = filled(turn(1, 2), turn(3), turn(4))
    assert collect(waiting, None) == (turn(1, 2, 3, 4), False)  # type: ignore[arg-type]
    assert waiting.empty()


def test_a_batch_has_a_bound_and_the_rest_waits() -> None:
    many = list(range(MAX_BATCH - 1))
    waiting = filled(turn(*many), turn(1), turn(2))
    batch, ended = collect(waiting, None)  # type: ignore[arg-type]
    assert (len(batch), ended) == (MAX_BATCH, False)
    assert collect(waiting, None) == (turn(2), False)  # type: ignore[arg-type]


def test_the_end_comes_after_all_that_was_before_it() -> None:
    assert collect(filled(turn(1), None), None) == (turn(1), True)  # type: ignore[arg-type]


def test_it_waits_no_longer_than_told() -> None:
    assert collect(filled(), time.monotonic() - 1) == ([], False)  # type: ignore[arg-type]
    assert collect(filled(turn(1)), time.monotonic() - 1) == (turn(1), False)  # type: ignore[arg-type]


def test_each_worker_gets_its_share_as_bytes_and_none_gets_nothing() -> None:
    outlets: list[queue.Queue[bytes]] = [queue.Queue() for _ in range(2)]
    panels = [Panel(memoryview(bytearray(8)).cast("q"), OUTLET, 0) for _ in outlets]
    parcels: list[Parcel] = [ToRoom("r", (b"x",), 1), ToRoom("r", (b"y",), 2), Detach(3)]
    publish(parcels, outlets, panels)
    publish([Detach(4)], outlets, panels)
    assert pickle.loads(outlets[1].get_nowait()) == [ToRoom("r", (b"x", b"y"), 2), Detach(3)]
    assert pickle.loads(outlets[0].get_nowait()) == [ToRoom("r", (b"x", b"y"), 2)]
    assert pickle.loads(outlets[0].get_nowait()) == [Detach(4)]
    assert outlets[1].empty()


class Desk:
    """A clerk at work, and the chores beside it."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.clerk = Clerk(self.store, "here")
        self.chores = Chores(self.store, self.clerk)
        entrance = [Arrived(1, b"bob", b""), Asked(1, 0.0, Login("bob")), Asked(1, 0.0, Join("j", "r"))]
        self.clerk.work(entrance)
        self.clerk.tell_presence()

    def say(self, *labels: str) -> None:
        self.clerk.work([Asked(1, 0.0, Say(label, "r", "hello")) for label in labels])


def test_words_are_indexed_when_many_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "INDEX_AT", 3)
    desk = Desk(tmp_path / "chat.db")
    desk.say("one", "two")
    desk.chores.index(sought=False)
    assert desk.store.unindexed == 2
    assert desk.chores.due is None  # whoever searches has it done; until then the journal waits for nothing
    desk.say("three")
    desk.chores.index(sought=False)
    assert desk.store.unindexed == 0


def test_an_index_that_the_disk_refuses_waits_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "INDEX_AT", 1)
    desk = Desk(tmp_path / "chat.db")
    desk.say("one")

    def refuse() -> None:
        raise StoreTrouble("The disk is full.")

    with monkeypatch.context() as full:
        full.setattr(desk.store, "index", refuse)
        desk.chores.index(sought=False)
    desk.chores.index(sought=True)
    assert desk.store.unindexed == 1, "it is tried again only after a while"
    monkeypatch.setattr(desk.chores, "_index_due", 0.0)
    desk.chores.index(sought=False)
    assert desk.store.unindexed == 0


def test_whoever_searches_has_all_indexed_that_was_said_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "chat.db")
    desk.say("one")
    desk.chores.index(sought=False)
    assert desk.store.unindexed == 1
    desk.chores.index(sought=True)
    assert desk.store.unindexed == 0


def test_presence_is_told_in_few_rounds(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "chat.db")
    desk.clerk.work([Arrived(2, b"amy", b""), Asked(2, 0.0, Login("amy")), Asked(2, 0.0, Join("j", "r"))])
    assert desk.chores.due is not None and desk.chores.due <= time.monotonic()
    assert any(isinstance(parcel, ToRoom) for parcel in desk.chores.tell_presence())
    assert desk.chores.due is None and desk.chores.tell_presence() == []
