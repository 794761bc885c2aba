"""The store alone: numbers and labels once, all of a batch or none, and databases that can't be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from chat.codec import decode
from chat.messages import Event, Joined, Said, TopicSet
from chat.rooms import Claimed, Read, State, apply
from server.history import History
from server.parcels import Replay
from server.replays import PAGE_BYTES, Replays
from server.store import Store, StoreTrouble, UnusableStore


def said(seq: int, room: str = "r", text: str = "hi") -> Said:
    return Said(room, seq, 100.0, "bob", f"{room}{seq}", text)


EVENTS: list[Event] = [
    Claimed(99.0, "bob", b"key"),
    Joined("r", 1, 99.5, "bob", "j"),
    said(1),
    TopicSet("r", 2, 100.5, "bob", "t", "tea"),
    said(2),
    Read("r", 1, "bob"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def store(path: Path) -> Store:
    store = Store(path)
    store.commit(store.place(EVENTS))
    return store


def seqs(rows: list[bytes]) -> list[int]:
    return [message.seq for body in rows for message in decode(body) if isinstance(message, Said)]


def test_what_is_loaded_is_what_the_events_made(store: Store, path: Path) -> None:
    state = State()
    for event in EVENTS:
        apply(state, event)
    assert store.load() == state
    store.close()
    assert Store(path).load() == state


def test_a_label_is_found_in_the_form_in_which_it_went_out(store: Store) -> None:
    found = store.find("bob", "r1")
    assert found is not None and list(decode(found)) == [said(1)]
    assert store.find("alice", "r1") is None


def test_a_batch_that_only_looked_leaves_nothing_open(store: Store, path: Path) -> None:
    before = store.commits
    assert store.find("bob", "r1") is not None
    store.commit([])
    assert store.commits == before
    with sqlite3.connect(path) as other:  # who still reads would keep the log from being emptied
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    other.close()


def test_the_schema_itself_forbids_a_number_or_label_twice(store: Store) -> None:
    other_number = Said("r", 3, 100.0, "bob", "r1", "again")
    for twice in (said(2), other_number):
        with pytest.raises(sqlite3.IntegrityError):
            store.commit(store.place([twice]))
        store._roll_back()


def test_a_batch_is_kept_whole_or_not_at_all(store: Store) -> None:
    before, state = store.position, store.load()
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreTrouble, match="full"):
        store.commit(store.place([said(3), *(said(seq, text="x" * 16_000) for seq in range(4, 30))]))
    assert (store.position, store.load()) == (before, state)
    assert store.find("bob", "r3") is None


def test_every_commit_is_synced_before_it_returns(store: Store) -> None:
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_a_newer_database_is_refused_and_left_as_it_is(path: Path) -> None:
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(UnusableStore, match="update the server"):
        Store(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"not a database" * 1_000)
    with pytest.raises(UnusableStore, match="backup"):
        Store(path)
    assert path.read_bytes() == b"not a database" * 1_000


# --- reading ----------------------------------------------------------------------------------------------------


def test_pages_go_backwards_and_hold_messages_alone(store: Store, path: Path) -> None:
    store.commit(store.place([said(seq) for seq in range(3, 11)] + [said(1, room="other")]))
    history = History(path)
    assert [seq for seq, _ in history.page("r", 11, 4)] == [7, 8, 9, 10]
    assert [seq for seq, _ in history.page("r", 3, 4)] == [1, 2]
    assert history.page("r", 1, 4) == [] == history.page("nowhere", 9, 4)


def test_a_reader_can_only_read(store: Store, path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        History(path)._db.execute("DELETE FROM events")


def test_a_replay_sends_what_came_after_the_cursor_page_by_page(store: Store, path: Path) -> None:
    store.commit(store.place([said(seq, text="x" * 10_000) for seq in range(3, 31)]))
    replays = Replays(History(path))
    replays.add(Replay(7, "r", 2, store.position))
    pages: list[list[bytes]] = []
    while 7 in replays:
        pages.append(replays.next_page(7))
    assert len(pages) > 4
    assert all(sum(map(len, page)) < PAGE_BYTES + 16_384 for page in pages)
    assert [seq for page in pages for seq in seqs(page)] == list(range(3, 31))


def test_what_comes_during_a_replay_is_postponed_and_comes_in_order(store: Store, path: Path) -> None:
    store.commit(store.place([said(seq, text="x" * 10_000) for seq in range(3, 31)]))
    replays = Replays(History(path))
    replays.add(Replay(7, "r", 0, store.position))
    sent = seqs(replays.next_page(7))
    store.commit(store.place([said(31), said(1, room="other")]))
    assert replays.postpone(7, "r", store.position - 1)  # on disk already: moving the end is enough
    assert not replays.postpone(7, "other", store.position)  # that room isn't replayed
    assert not replays.postpone(7, "r", 0)  # a notice isn't stored, so no page would bring it
    assert not replays.postpone(8, "r", store.position)
    while 7 in replays:
        sent += seqs(replays.next_page(7))
    assert sent == list(range(1, 32))
    assert not replays.postpone(7, "r", store.position)


def test_with_nothing_to_replay_there_is_no_replay(store: Store, path: Path) -> None:
    replays = Replays(History(path))
    replays.add(Replay(7, "r", 2, store.position))
    assert 7 not in replays and replays.connections() == []
    replays.add(Replay(7, "r", 0, store.position))
    replays.forget(7)
    assert 7 not in replays
