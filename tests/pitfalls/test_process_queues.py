"""What gets lost between processes: queues, Pools, Managers. Each test shows the pitfall; CONCURRENCY.md tells it."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import queue
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.pool import Pool
from typing import Any

import pytest

from server.children import SPAWN
from tests.waiting import UNIT, wait_for


class Slow:
    """A value that can be pickled only once `gate` is open: it makes a queue's feeder thread visible."""

    gate = threading.Event()

    def __reduce__(self) -> tuple[type, tuple[str]]:
        self.gate.wait(10 * UNIT)
        return str, ("pickled at last",)


def die(_: object = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def put_into(box: Any, value: object) -> None:
    box.put(value)


@pytest.fixture(autouse=True)
def closed_gate() -> Iterator[None]:
    Slow.gate.clear()
    yield
    Slow.gate.set()


# --- multiprocessing.Queue -----------------------------------------------------------------------------------------


def test_empty_lies_and_only_get_knows() -> None:
    box: Any = SPAWN.Queue()
    box.put(Slow())
    assert box.empty(), "put has returned, and the queue says that nothing is in it"
    assert box.qsize() == 1, "and at the same time that one is"
    Slow.gate.set()
    assert box.get(timeout=10 * UNIT) == "pickled at last"


def test_what_is_changed_after_put_may_arrive_changed() -> None:
    box: Any = SPAWN.Queue()
    box.put(Slow())
    letter = ["as it was put"]
    box.put(letter)  # returned, and not yet pickled: the feeder thread still is at the one before
    letter[0] = "changed"
    Slow.gate.set()
    box.get(timeout=10 * UNIT)
    assert box.get(timeout=10 * UNIT) == ["changed"]


def test_what_cannot_be_pickled_is_lost_behind_the_back(capfd: pytest.CaptureFixture[str]) -> None:
    box: Any = SPAWN.Queue()
    box.put(lambda: "a function without a name")
    box.put("the next")
    assert box.get(timeout=10 * UNIT) == "the next"
    wait_for(lambda: "lambda" in capfd.readouterr().err, "a line on stderr is all that is left of it")


def test_full_and_empty_are_exceptions_and_they_are_queues() -> None:
    box: Any = SPAWN.Queue(1)
    with pytest.raises(queue.Empty):
        box.get_nowait()
    box.put(1)
    with pytest.raises(queue.Full):
        box.put(2, timeout=0.01)
    assert box.get(timeout=10 * UNIT) == 1


def test_a_process_killed_at_the_queue_keeps_its_lock() -> None:
    box: Any = SPAWN.Queue()
    waiting = SPAWN.Process(target=box.get, daemon=True)
    waiting.start()
    wait_for(lambda: _is_locked(box), "the process waits in get", units=20)
    waiting.kill()
    waiting.join()
    box.put("for anybody")
    wait_for(box.qsize, "it is there")
    with pytest.raises(queue.Empty):
        box.get(timeout=0.1)  # nobody will ever get it: after a death its queues are made anew


def _is_locked(box: Any) -> bool:
    if box._rlock.acquire(block=False):
        box._rlock.release()
        return False
    return True


def test_a_process_killed_in_the_middle_of_a_put_leaves_half_a_pickle() -> None:
    box: Any = SPAWN.Queue()
    putting = SPAWN.Process(target=put_into, args=(box, bytes(10_000_000)), daemon=True)
    putting.start()
    wait_for(box._poll, "the beginning of it is there", units=20)  # and no more than a pipe holds
    putting.kill()
    putting.join()
    box._writer.close()  # or this process's own end of the pipe would keep `get` waiting for ever
    with pytest.raises(OSError, match="end of file during message"):
        box.get()


# --- Pool ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pool() -> Iterator[Pool]:
    with SPAWN.Pool(1) as made:
        yield made


def test_a_pool_loses_a_killed_workers_task_without_a_word(pool: Pool) -> None:
    first = pool.apply(os.getpid)
    lost = pool.apply_async(die)
    assert pool.apply(os.getpid) != first, "the worker is replaced, the next task is done …"
    assert not lost.ready(), "… and this one will never end, nor fail"
    with pytest.raises(multiprocessing.TimeoutError):
        lost.get(timeout=0)


def test_a_worker_killed_while_it_rests_takes_the_pool_with_it(pool: Pool) -> None:
    inside: Any = pool
    lock = inside._inqueue._rlock  # a resting worker waits for its next task with this lock in its hand
    assert pool.apply(abs, (-1,)) == 1
    (resting,) = inside._pool
    wait_for(lambda: not lock.acquire(block=False) or lock.release(), "it rests")
    resting.kill()
    try:
        wait_for(lambda: resting not in inside._pool and inside._pool, "it is replaced")
        waiting = pool.apply_async(abs, (-2,))
        with pytest.raises(multiprocessing.TimeoutError):
            waiting.get(timeout=0.1)
    finally:
        lock.release()  # what nobody would do: without it even the Pool's own end would wait for ever
    assert waiting.get(timeout=20 * UNIT) == 2


def test_an_executor_says_that_it_is_broken() -> None:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as executor, pytest.raises(BrokenProcessPool):
        executor.submit(die).result(20 * UNIT)


def test_a_queue_cannot_be_given_to_a_pools_task_and_a_managers_can(pool: Pool) -> None:
    with pytest.raises(RuntimeError, match="through inheritance"):
        pool.apply(put_into, (SPAWN.Queue(), "hello"))
    with SPAWN.Manager() as manager:
        box = manager.Queue()
        pool.apply(put_into, (box, "hello"))
        assert box.get(timeout=10 * UNIT) == "hello"


def test_a_managers_queue_has_no_feeder_so_put_is_there_at_once_and_fails_at_once() -> None:
    with SPAWN.Manager() as manager:
        box = manager.Queue(1)
        with pytest.raises((pickle.PicklingError, AttributeError)):
            box.put(lambda: None)
        box.put("here")
        assert not box.empty() and box.full()
        with pytest.raises(queue.Full):
            box.put_nowait("no room")


def test_a_managers_proxy_is_nothing_that_a_loop_can_wait_for() -> None:
    with SPAWN.Manager() as manager:
        box: Any = manager.Queue()
        assert not hasattr(box, "fileno")
        with pytest.raises(ValueError, match="Invalid file object"):
            multiprocessing.connection.wait([box], timeout=0)


def test_a_socket_on_a_managers_queue_is_opened_in_the_manager() -> None:
    here, there = socket.socketpair()
    with SPAWN.Manager() as manager, here:
        box: Any = manager.Queue()
        box.put(there)
        there.close()
        here.setblocking(False)
        with pytest.raises(BlockingIOError):  # not its end: the Manager's process has one, and holds it
            here.recv(1)
    with here:
        pass


def test_a_manager_is_a_unix_socket_of_the_users_own() -> None:
    with SPAWN.Manager() as manager:
        address = manager.address
        assert isinstance(address, str)
        assert stat.S_ISSOCK(os.stat(address).st_mode)
        assert stat.S_IMODE(os.stat(os.path.dirname(address)).st_mode) == 0o700
