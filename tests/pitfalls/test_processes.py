"""What happens between processes when nobody looks. Each test shows the pitfall; CONCURRENCY.md tells it."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.pool import Pool
from multiprocessing.shared_memory import SharedMemory
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


def take_and_die(box: Any) -> None:
    box.get()
    die()


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


# --- shared memory ---------------------------------------------------------------------------------------------------


def test_a_shared_counter_is_read_and_written_and_that_is_two_steps() -> None:
    cell = SPAWN.Value("q", 0)
    seen = cell.value  # `cell.value += 1` here …
    with cell.get_lock():
        cell.value += 1  # … and whole, elsewhere, in between
    cell.value = seen + 1
    assert cell.value == 1, "one of two is lost; a cell that one process alone writes needs no lock"


def test_shared_memory_outlives_whoever_closes_it() -> None:
    made = SharedMemory(create=True, size=16)
    assert made.buf is not None
    made.buf[0] = 7
    made.close()
    again = SharedMemory(made.name)
    assert again.buf is not None and again.buf[0] == 7  # the name keeps it, like a file, until somebody unlinks it
    again.close()
    again.unlink()
    with pytest.raises(FileNotFoundError):
        SharedMemory(made.name)


# --- processes -------------------------------------------------------------------------------------------------------


def test_spawn_imports_what_fork_copies() -> None:
    """What was set here after the import isn't there in a spawned child: it gets what it is given, and no more."""
    os.environ.pop("PITFALL", None)
    settings["mode"] = "changed in the parent"
    try:
        box: Any = SPAWN.SimpleQueue()
        child = SPAWN.Process(target=report, args=(box,))
        child.start()
        assert box.get() == "as imported"
        child.join()
    finally:
        settings["mode"] = "as imported"


settings = {"mode": "as imported"}


def report(box: Any) -> None:
    box.put(settings["mode"])


def test_a_target_must_be_found_by_its_name() -> None:
    def local() -> None:
        """Nobody can import this."""

    with pytest.raises((pickle.PicklingError, AttributeError)):
        SPAWN.Process(target=local).start()
    assert pickle.loads(pickle.dumps(functools.partial(die, 1))).func is die


def test_exitcode_tells_a_death_by_signal() -> None:
    child = SPAWN.Process(target=die)
    began = time.monotonic()
    child.start()
    child.join(20 * UNIT)
    assert child.exitcode == -signal.SIGKILL and time.monotonic() - began < 20 * UNIT
