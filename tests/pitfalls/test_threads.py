"""What threads share without meaning to. Each test shows the pitfall; CONCURRENCY.md tells it."""

from __future__ import annotations

import os
import queue
import socket
import threading
import warnings
from collections.abc import Callable, Iterator

import pytest

from tests.waiting import UNIT, wait_for


@pytest.fixture
def run() -> Iterator[Callable[..., threading.Thread]]:
    """Start a thread that the test waits for at its end."""
    started: list[threading.Thread] = []

    def start(target: Callable[[], object], name: str = "helper") -> threading.Thread:
        thread = threading.Thread(target=target, name=name)
        thread.start()
        started.append(thread)
        return thread

    yield start
    for thread in started:
        thread.join(10 * UNIT)
        assert not thread.is_alive()


class Counter:
    """`between` is called where a thread may lose its turn: after reading, before writing."""

    def __init__(self, between: Callable[[], object]) -> None:
        self.count = 0
        self._between = between

    def add(self) -> None:
        count = self.count
        self._between()
        self.count = count + 1


def test_two_who_add_at_once_add_one(run: Callable[..., threading.Thread]) -> None:
    both_have_read = threading.Barrier(2)
    counter = Counter(both_have_read.wait)
    first = run(counter.add)
    counter.add()
    first.join()
    assert counter.count == 1


def test_under_a_lock_the_second_reads_what_the_first_wrote(run: Callable[..., threading.Thread]) -> None:
    lock = threading.Lock()
    counter = Counter(lambda: None)

    def add() -> None:
        with lock:
            counter.add()

    threads = [run(add) for _ in range(10)]
    for thread in threads:
        thread.join()
    assert counter.count == 10


def test_a_lock_does_not_know_its_holder() -> None:
    lock, again = threading.Lock(), threading.RLock()
    with lock:
        assert not lock.acquire(blocking=False)  # without the argument: this thread would wait for itself, for ever
    with again:
        assert again.acquire(blocking=False)
        again.release()


def test_two_locks_in_two_orders_wait_for_each_other(run: Callable[..., threading.Thread]) -> None:
    one, other = threading.Lock(), threading.Lock()
    both_have_one = threading.Barrier(2)
    got: list[bool] = []

    def take(first: threading.Lock, second: threading.Lock) -> None:
        with first:
            both_have_one.wait()
            got.append(second.acquire(blocking=False))
            both_have_one.wait()  # neither lets go before both have tried

    thread = run(lambda: take(one, other))
    take(other, one)
    thread.join()
    assert got == [False, False]


def test_a_threads_exception_is_nobodys(run: Callable[..., threading.Thread], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(str(args.exc_value)))

    def fail() -> None:
        raise ValueError("unheard")

    run(fail).join()  # returns as if nothing had happened
    assert told == ["unheard"]


def test_enumerate_finds_whom_everybody_forgot(run: Callable[..., threading.Thread]) -> None:
    release = threading.Event()
    run(release.wait, "forgotten")
    assert "forgotten" in [thread.name for thread in threading.enumerate()]
    release.set()
    wait_for(lambda: "forgotten" not in [thread.name for thread in threading.enumerate()], "it has ended")


def test_a_queue_of_threads_blocks_both_ways_and_says_full_and_empty(run: Callable[..., threading.Thread]) -> None:
    box: queue.Queue[int] = queue.Queue(maxsize=1)
    with pytest.raises(queue.Empty):
        box.get(timeout=0.01)
    box.put(1)
    with pytest.raises(queue.Full):
        box.put(2, timeout=0.01)
    run(lambda: box.put(2))  # waits until there is room
    assert [box.get(timeout=10 * UNIT), box.get(timeout=10 * UNIT)] == [1, 2]


def test_a_notification_that_nobody_waits_for_is_lost() -> None:
    changed = threading.Condition()
    there = []
    with changed:
        there.append("news")
        changed.notify_all()  # nobody waits yet
    with changed:
        assert not changed.wait(timeout=0.01)  # waits for the next one, and there is none
        assert changed.wait_for(lambda: there, timeout=10 * UNIT)  # looks first


def test_close_does_not_wake_who_reads(run: Callable[..., threading.Thread]) -> None:
    here, there = socket.socketpair()
    heard: list[bytes] = []
    reader = run(lambda: heard.append(there.recv(100)))
    wait_for(lambda: _waits_at(reader, there.fileno()), "the thread is in recv")
    os.close(there.detach())
    here.sendall(b"after its end")  # the kernel keeps the socket for as long as somebody is in a call on it
    reader.join(10 * UNIT)
    assert heard == [b"after its end"]
    here.close()


def test_shutdown_wakes_who_reads(run: Callable[..., threading.Thread]) -> None:
    here, there = socket.socketpair()
    with here, there:
        heard: list[bytes] = []
        reader = run(lambda: heard.append(there.recv(100)))
        wait_for(lambda: _waits_at(reader, there.fileno()), "the thread is in recv")
        there.shutdown(socket.SHUT_RDWR)
        reader.join(10 * UNIT)
        assert heard == [b""]


def _waits_at(thread: threading.Thread, descriptor: int) -> bool:
    """Whether the thread is in a system call whose first argument is this descriptor."""
    with open(f"/proc/self/task/{thread.native_id}/syscall") as call:
        return call.read().split()[1:2] == [hex(descriptor)]


def test_a_fork_copies_a_lock_and_not_the_thread_that_would_release_it(run: Callable[..., threading.Thread]) -> None:
    lock, held, release = threading.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            release.wait()

    run(hold)
    held.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of just this
        child = os.fork()
    if child == 0:
        others = threading.active_count() - 1
        os._exit(0 if others == 0 and not lock.acquire(blocking=False) else 1)
    release.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    wait_for(lambda: not lock.locked(), "here it is released")
