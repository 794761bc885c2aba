"""One value there and one back, over each thing that can carry it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import gevent
import gevent.queue
from greenlet import getcurrent, greenlet

from server.children import SPAWN

Exchange = Callable[[int], object]
"""Hands a value over and takes one back, so many times."""


@contextlib.contextmanager
def function_calls() -> Iterator[Exchange]:
    def answer(value: int) -> int:
        return value

    yield lambda times: [answer(number) for number in range(times)]


@contextlib.contextmanager
def locks() -> Iterator[Exchange]:
    lock = threading.Lock()

    def take(times: int) -> None:
        for _ in range(times):
            with lock:
                pass

    yield take


@contextlib.contextmanager
def generators() -> Iterator[Exchange]:
    def echo() -> Generator[int, int, None]:
        value = 0
        while True:
            value = yield value

    task = echo()
    next(task)
    yield lambda times: [task.send(number) for number in range(times)]


@contextlib.contextmanager
def greenlets() -> Iterator[Exchange]:
    here = getcurrent()

    def echo(value: int) -> None:
        while True:
            value = here.switch(value)

    task = greenlet(echo)
    yield lambda times: [task.switch(number) for number in range(times)]


@contextlib.contextmanager
def gevent_queues() -> Iterator[Exchange]:
    there: Any = gevent.queue.Queue()
    back: Any = gevent.queue.Queue()
    task = gevent.spawn(_echo, there.get, back.put)
    yield lambda times: _ask(times, there.put, back.get)
    task.kill()


@contextlib.contextmanager
def asyncio_queues() -> Iterator[Exchange]:
    async def run(times: int) -> None:
        there: asyncio.Queue[int] = asyncio.Queue()
        back: asyncio.Queue[int] = asyncio.Queue()

        async def echo() -> None:
            while True:
                await back.put(await there.get())

        task = asyncio.create_task(echo())
        for number in range(times):
            await there.put(number)
            await back.get()
        task.cancel()

    yield lambda times: asyncio.run(run(times))


@contextlib.contextmanager
def thread_queues() -> Iterator[Exchange]:
    there: queue.SimpleQueue[int] = queue.SimpleQueue()
    back: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=_echo, args=(there.get, back.put), daemon=True).start()
    yield lambda times: _ask(times, there.put, back.get)
    there.put(END)


@contextlib.contextmanager
def thread_sockets() -> Iterator[Exchange]:
    here, there = socket.socketpair()
    with here, there:
        threading.Thread(target=_echo_bytes, args=(there,), daemon=True).start()
        yield lambda times: _ask(times, lambda _: here.send(b"x"), lambda: here.recv(1))
        here.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def process_queues() -> Iterator[Exchange]:
    there: Any = SPAWN.Queue()
    back: Any = SPAWN.Queue()
    yield from _with_process(there, back)


@contextlib.contextmanager
def manager_queues() -> Iterator[Exchange]:
    with SPAWN.Manager() as manager:
        yield from _with_process(manager.Queue(), manager.Queue())


@contextlib.contextmanager
def pool_tasks() -> Iterator[Exchange]:
    with SPAWN.Pool(1) as pool:
        yield lambda times: [pool.apply(abs, (number,)) for number in range(times)]


@contextlib.contextmanager
def shared_cells() -> Iterator[Exchange]:
    """Nobody waits for anybody here: it is written and read, and that is all."""
    cells = SPAWN.RawArray("q", 2)

    def touch(times: int) -> None:
        for number in range(times):
            cells[0] = number
            cells[1]

    yield touch


END = -1


def _echo(get: Callable[[], int], put: Callable[[int], object]) -> None:
    while (value := get()) != END:
        put(value)


def _echo_bytes(sock: socket.socket) -> None:
    while data := sock.recv(1):
        sock.send(data)


def _echo_process(there: Any, back: Any) -> None:
    _echo(there.get, back.put)


def _ask(times: int, put: Callable[[int], object], get: Callable[[], object]) -> None:
    for number in range(times):
        put(number)
        get()


def _with_process(there: Any, back: Any) -> Iterator[Exchange]:
    process = SPAWN.Process(target=_echo_process, args=(there, back), daemon=True)
    process.start()
    _ask(1, there.put, back.get)  # it has started
    yield lambda times: _ask(times, there.put, back.get)
    there.put(END)
    process.join()


HANDING_OVER: dict[str, tuple[Callable[[], contextlib.AbstractContextManager[Exchange]], int]] = {
    "a function call": (function_calls, 100_000),
    "a cell in shared memory, written and read": (shared_cells, 100_000),
    "a Lock that nobody else wants": (locks, 100_000),
    "a generator's send": (generators, 100_000),
    "a greenlet's switch": (greenlets, 100_000),
    "gevent queues": (gevent_queues, 5_000),
    "asyncio queues": (asyncio_queues, 5_000),
    "queues between threads": (thread_queues, 5_000),
    "a socket pair between threads": (thread_sockets, 5_000),
    "multiprocessing queues": (process_queues, 2_000),
    "a Pool's task": (pool_tasks, 2_000),
    "Manager queues": (manager_queues, 500),
}
"""What is measured, and how often in a round."""
