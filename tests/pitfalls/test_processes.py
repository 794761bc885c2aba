"""What processes have and what they don't. Each test shows the pitfall; CONCURRENCY.md tells it."""

from __future__ import annotations

import functools
import os
import pickle
import signal
import socket
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import pytest

from server.children import SPAWN
from tests.waiting import UNIT


def die(_: object = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Trap:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.getenv, ("HOME",)


def test_to_unpickle_is_to_run() -> None:
    """So nothing that a client sends is ever unpickled: what crosses the network is msgpack, checked field by field."""
    assert pickle.loads(pickle.dumps(Trap())) == os.environ.get("HOME")


# --- descriptors ---------------------------------------------------------------------------------------------------


def test_descriptors_that_find_no_room_are_closed_on_the_way() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        socket.send_fds(here, [b"two"], [here.fileno(), here.fileno()])
        _, descriptors, flags, _ = socket.recv_fds(there, 10, maxfds=1)
        assert flags & socket.MSG_CTRUNC
        for descriptor in descriptors:
            os.close(descriptor)


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
    child.start()
    child.join(20 * UNIT)
    assert child.exitcode == -signal.SIGKILL
