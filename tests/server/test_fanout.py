"""A worker in a thread: an outlet in front of it, a client that may be slow behind it."""

from __future__ import annotations

import pickle
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.ciphers import ReceivingHalf
from chat.codec import decode
from chat.frames import Cutter
from chat.messages import Joined, Said
from server.fanout import MAX_REST, Worker
from server.gauges import Gauges
from server.history import History
from server.outlet import Outlet
from server.parcels import Attach, Enter, Parcel, Replay, ToRoom
from server.store import Store
from tests.waiting import wait_for

KEY = b"k" * 32
MESSAGES = 300
"""Each of 10 KB: more than a socket and the backlog take together."""


class Recording(Outlet):
    """Keeps the moments before which the worker wanted nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.earliest: list[float] = []
        self.longest = 0.0
        """Seconds that it wanted to be put off, at most."""

    def take(self, block: bool, earliest: float = 0.0) -> list[bytes | None]:
        self.earliest.append(earliest)
        self.longest = max(self.longest, earliest - time.monotonic())
        return super().take(block, earliest)

    @property
    def awaited(self) -> bool:
        """Whether the worker blocks in `take`."""
        return bool(self._changed._waiters)  # type: ignore[attr-defined]


class Desk:
    """The worker, and the one client that it has."""

    def __init__(self, path: Path) -> None:
        self.outlet = Recording()
        self._path = path
        self._gauges = Gauges.create(f"test-{uuid.uuid4().hex[:8]}")
        self._unix, self._their_unix = socket.socketpair()
        self.client, served = socket.socketpair()
        self.client.settimeout(20)
        served.setblocking(False)
        socket.send_fds(self._unix, [(1).to_bytes(8, "big")], [served.fileno()])
        served.close()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        history = History(self._path)  # of the thread that reads it
        Worker(self._their_unix, self.outlet, history, self._gauges, 0).run()
        history.close()

    def put(self, *parcels: Parcel) -> None:
        self.outlet.put(pickle.dumps(list(parcels)))

    def numbers(self, count: int) -> list[int]:
        """The numbers of the next `count` messages that the client gets."""
        cutter, cipher, got = Cutter(), ReceivingHalf(KEY), list[int]()
        while len(got) < count:
            for payload in cutter.feed(self.client.recv(1 << 16)):
                got += [message.seq for message in decode(cipher.decrypt(payload)) if isinstance(message, Said)]
        return got

    def close(self) -> None:
        self.outlet.put(None)
        self.client.close()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._unix.close()
        self._their_unix.close()
        self._gauges.close(remove=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "chat.db")
    store.commit(store.place([Joined("r", 1, 0.0, "bob", "j")]))
    said = [Said("r", number, 0.0, "bob", str(number), "x" * 10_000) for number in range(1, MESSAGES + 1)]
    store.commit(store.place(said))
    yield store
    store.close()


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "chat.db")
    desk.put(Attach(1, KEY), Enter(1, "bob", ("r",)))
    yield desk
    desk.close()


def test_a_replay_that_had_to_stop_goes_on_when_the_client_reads_although_nothing_comes(
    desk: Desk, store: Store
) -> None:
    desk.put(Replay(1, "r", 0, store.position))
    wait_for(lambda: desk.outlet.awaited and len(desk.outlet.earliest) > 2, "the socket and the backlog are full")
    assert desk.numbers(MESSAGES) == list(range(1, MESSAGES + 1))


def test_a_round_is_put_off_a_little_after_the_one_before(desk: Desk, store: Store) -> None:
    wait_for(lambda: len(desk.outlet.earliest) == 2 and desk.outlet.awaited, "the first round is over")
    (said,) = store.place([Said("r", MESSAGES + 1, 0.0, "bob", "new", "hello")])
    desk.put(ToRoom("r", (said.body,), said.position))
    assert desk.numbers(1) == [MESSAGES + 1]
    wait_for(lambda: len(desk.outlet.earliest) == 3, "the second round is over")
    first, second, third = desk.outlet.earliest
    assert first == 0.0 < second < third
    assert desk.outlet.longest <= MAX_REST
