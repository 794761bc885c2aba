"""Functions that pause: generators, greenlets, coroutines. Each test shows the pitfall; CONCURRENCY.md tells it."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Generator, Iterator

import gevent
import greenlet
import pytest
from gevent.exceptions import LoopExit

# --- iterators and generators --------------------------------------------------------------------------------------


def test_an_iterator_is_used_up() -> None:
    numbers = iter([1, 2, 3])
    assert 2 in numbers
    assert list(numbers) == [3]  # looking for one has taken those before it


def echo() -> Generator[str, str, str]:
    heard = yield "ready"
    while heard != "bye":
        heard = yield heard.upper()
    return "farewell"


def test_send_is_yields_value_and_a_generator_has_to_be_started() -> None:
    talk = echo()
    with pytest.raises(TypeError, match="just-started"):
        talk.send("too early")
    assert [next(talk), talk.send("hi"), talk.send("ho")] == ["ready", "HI", "HO"]
    with pytest.raises(StopIteration) as end:
        talk.send("bye")
    assert end.value.value == "farewell"


def test_a_generator_is_for_one_at_a_time() -> None:
    def selfish() -> Iterator[None]:
        with pytest.raises(ValueError, match="already executing"):
            next(me)
        yield

    me = selfish()
    next(me)


def test_a_yield_stops_its_own_function_only() -> None:
    def helper() -> Iterator[str]:
        yield "waiting"

    def plain() -> str:
        helper()  # makes a generator and does nothing with it
        return "has not waited"

    def passing_on() -> Generator[str, None, str]:
        yield from helper()
        return "has waited"

    assert plain() == "has not waited"
    assert list(passing_on()) == ["waiting"]


def test_what_stands_left_of_a_yield_is_looked_up_before_the_wait() -> None:
    class Box:
        def __init__(self) -> None:
            self.found: list[int] = []

        def fill(self) -> Generator[None, int, None]:
            self.found.append((yield))

    box = Box()
    filling = box.fill()
    next(filling)
    kept, box.found = box.found, []
    with pytest.raises(StopIteration):
        filling.send(1)
    assert (box.found, kept) == ([], [1])  # it went into the list of before


def test_a_generator_that_nobody_finishes_is_closed_in_the_middle() -> None:
    steps: list[str] = []

    def script() -> Generator[None, None, None]:
        try:
            yield
            steps.append("done")
        finally:
            steps.append("cleaned up")

    begun = script()
    next(begun)
    begun.close()
    assert steps == ["cleaned up"]


# --- greenlets and gevent ------------------------------------------------------------------------------------------


def test_a_greenlet_belongs_to_the_thread_that_made_it() -> None:
    told: list[BaseException] = []

    def elsewhere() -> None:
        try:
            paused.switch()
        except greenlet.error as error:
            told.append(error)

    here = greenlet.getcurrent()
    paused = greenlet.greenlet(here.switch)
    paused.switch()
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "different thread" in str(told[0])
    paused.switch()


def test_a_switch_to_a_dead_greenlet_comes_back_at_once_and_empty_handed() -> None:
    finished = greenlet.greenlet(lambda: "result")
    assert finished.switch() == "result"
    assert finished.dead and finished.switch("lost?") == "lost?"  # it lands in the parent: here


def test_whoever_waits_for_something_other_than_the_hub_stops_them_all() -> None:
    ticks: list[int] = []

    def tick() -> None:
        while True:
            ticks.append(1)
            gevent.sleep(0)

    ticking = gevent.spawn(tick)
    gevent.sleep(0)
    before = len(ticks)
    threading.Event().wait(0.01)  # not patched: a wait that the hub can't see
    assert len(ticks) == before, "the blocked hub"
    gevent.sleep(0)
    assert len(ticks) > before
    ticking.kill()


def test_each_thread_has_a_hub_of_its_own() -> None:
    hubs = [gevent.get_hub()]

    def look() -> None:
        hubs.append(gevent.get_hub())
        hubs[1].destroy()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert hubs[0] is not hubs[1]


def test_a_hub_with_nothing_to_wait_for_gives_up() -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            gevent.event.Event().wait()  # nobody is left who could set it
        except LoopExit as error:
            raised.append(error)
        gevent.get_hub().destroy()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert raised


def test_a_patch_does_not_reach_what_was_taken_before_it() -> None:
    program = (
        "from socket import socket as early\n"
        "from gevent import monkey; monkey.patch_all()\n"
        "import socket, threading, time\n"
        "print(early is socket.socket, 'gevent' in early.__module__, 'gevent' in socket.socket.__module__)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False False True\n"


# --- asyncio ---------------------------------------------------------------------------------------------------------


def test_a_coroutine_that_nobody_awaits_does_nothing() -> None:
    async def important() -> None:
        raise AssertionError("never reached")

    with pytest.warns(RuntimeWarning, match="never awaited"):
        important()  # type: ignore[unused-coroutine]  # this is the pitfall
        gc.collect()


def test_between_two_awaits_nobody_else_runs() -> None:
    async def main() -> list[str]:
        steps: list[str] = []

        async def other() -> None:
            steps.append("other")

        task = asyncio.create_task(other())
        for _ in range(1000):
            steps.append("own")  # as long as this takes, the loop stands
        await task
        return steps

    assert asyncio.run(main()) == ["own"] * 1000 + ["other"]


def test_a_task_that_nobody_holds_can_vanish() -> None:
    async def main() -> bool:
        async def wait_for_ever() -> None:
            await asyncio.get_running_loop().create_future()

        task = weakref.ref(asyncio.create_task(wait_for_ever()))
        await asyncio.sleep(0)
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # "destroyed but pending"
        gc.collect()
        return task() is None

    assert asyncio.run(main())


def test_from_another_thread_only_the_one_door_is_open() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)  # without it the call is just not noticed, until something else wakes the loop
        came: asyncio.Future[str] = loop.create_future()
        told: list[BaseException] = []

        def elsewhere() -> None:
            try:
                loop.call_soon(came.set_result, "by the wall")
            except RuntimeError as error:
                told.append(error)
            loop.call_soon_threadsafe(came.set_result, "by the door")

        thread = threading.Thread(target=elsewhere)
        thread.start()
        heard = await came
        thread.join()
        assert "Non-thread-safe" in str(told[0])
        return heard

    assert asyncio.run(main()) == "by the door"


def test_except_exception_does_not_catch_a_cancellation() -> None:
    async def main() -> list[str]:
        steps: list[str] = []

        async def careful() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            except Exception:
                steps.append("caught")
            finally:
                steps.append("finally")

        task = asyncio.create_task(careful())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return steps

    assert asyncio.run(main()) == ["finally"]
