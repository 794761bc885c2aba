"""One more of each that can run beside others: started as far as its first wait, and kept."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import gevent
import gevent.event
import psutil
from greenlet import getcurrent, greenlet

Keep = Callable[[int], contextlib.AbstractContextManager[list[psutil.Process]]]
"""Starts so many, each as far as its first wait, and keeps them; gives the processes that they are, if they are."""


@contextlib.contextmanager
def many_generators(count: int) -> Iterator[list[psutil.Process]]:
    def wait() -> Generator[None, None, None]:
        yield

    kept = [wait() for _ in range(count)]
    for task in kept:
        next(task)
    yield []


@contextlib.contextmanager
def many_greenlets(count: int) -> Iterator[list[psutil.Process]]:
    here = getcurrent()
    kept = [greenlet(here.switch) for _ in range(count)]
    for task in kept:
        task.switch()
    yield []


@contextlib.contextmanager
def many_gevent_greenlets(count: int) -> Iterator[list[psutil.Process]]:
    end = gevent.event.Event()
    kept = [gevent.spawn(end.wait) for _ in range(count)]
    gevent.sleep(0)
    yield []
    end.set()
    gevent.joinall(kept)


@contextlib.contextmanager
def many_asyncio_tasks(count: int) -> Iterator[list[psutil.Process]]:
    loop = asyncio.new_event_loop()
    end = asyncio.Event()
    kept = [loop.create_task(end.wait()) for _ in range(count)]
    loop.run_until_complete(asyncio.sleep(0))
    yield []
    end.set()
    loop.run_until_complete(asyncio.gather(*kept))
    loop.close()


@contextlib.contextmanager
def many_threads(count: int) -> Iterator[list[psutil.Process]]:
    end = threading.Event()
    begun = threading.Barrier(count + 1)
    kept = [threading.Thread(target=lambda: (begun.wait(), end.wait())) for _ in range(count)]
    for thread in kept:
        thread.start()
    begun.wait()
    yield []
    end.set()
    for thread in kept:
        thread.join()


def processes(method: str) -> Keep:
    """Processes by this start method, one after the other."""

    @contextlib.contextmanager
    def many(count: int) -> Iterator[list[psutil.Process]]:
        context: Any = multiprocessing.get_context(method)
        kept = []
        for _ in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_say_and_wait, args=(there,), daemon=True)
            process.start()
            here.recv()
            kept.append((process, here))
        yield [psutil.Process(process.pid) for process, _ in kept]
        for process, here in kept:
            here.send(None)
            process.join()

    return many


def _say_and_wait(pipe: Any) -> None:
    pipe.send(None)
    pipe.recv()


STARTING: dict[str, tuple[Keep, int]] = {
    "generator": (many_generators, 10_000),
    "greenlet": (many_greenlets, 10_000),
    "asyncio task": (many_asyncio_tasks, 10_000),
    "gevent greenlet": (many_gevent_greenlets, 10_000),
    "thread": (many_threads, 200),
    "process, forked by a fork server": (processes("forkserver"), 5),
    "process, spawned": (processes("spawn"), 3),
}
"""What is started, and how many at once. No plain fork: threads have run here by then."""
