"""The timers' thread, with a real hub in it, and a loop that it comes back to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

from client.door import door_into
from client.timers import Timers
from tests.waiting import UNIT

Script = Callable[[Timers], Awaitable[None]]


def play(script: Script) -> None:
    """Run a script in a loop with timers, and stop them."""

    async def run() -> None:
        timers = Timers(door_into(asyncio.get_running_loop()))
        try:
            await asyncio.wait_for(script(timers), 20 * UNIT)
        finally:
            timers.stop()

    asyncio.run(run())


async def calls(count: int, queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    for _ in range(count):
        yield await queue.get()


def test_a_timer_fires_once_in_the_loops_own_thread() -> None:
    async def script(timers: Timers) -> None:
        fired: asyncio.Queue[threading.Thread] = asyncio.Queue()
        timers.once("t", 0.01, lambda: fired.put_nowait(threading.current_thread()))
        assert timers.pending()["t"] <= 0.01
        assert await fired.get() is threading.current_thread()
        assert timers.pending() == {}

    play(script)


def test_a_repeated_timer_goes_on_until_it_is_cancelled() -> None:
    async def script(timers: Timers) -> None:
        fired: asyncio.Queue[str] = asyncio.Queue()
        timers.every("t", 0.01, lambda: fired.put_nowait("t"))
        assert [call async for call in calls(3, fired)] == ["t"] * 3
        timers.cancel("t")
        timers.cancel("t")
        timers.once("later", 0.1, lambda: fired.put_nowait("later"))
        while await fired.get() != "later":
            pass  # one that was on its way
        assert fired.empty() and timers.pending() == {}

    play(script)


def test_a_name_set_again_replaces_what_had_it() -> None:
    async def script(timers: Timers) -> None:
        fired: asyncio.Queue[str] = asyncio.Queue()
        timers.once("t", 0.05, lambda: fired.put_nowait("first"))
        timers.once("t", 0.1, lambda: fired.put_nowait("second"))
        timers.once("end", 0.2, lambda: fired.put_nowait("end"))
        assert [call async for call in calls(2, fired)] == ["second", "end"]

    play(script)


def test_the_thread_ends_and_what_comes_after_the_end_is_nothing() -> None:
    async def script(timers: Timers) -> None:
        timers.every("t", 0.01, lambda: None)
        timers.stop()
        assert "timers" not in {thread.name for thread in threading.enumerate()}
        timers.once("late", 0.0, lambda: None)
        timers.cancel("late")
        timers.cancel("t")
        assert timers.pending() == {}
        timers.stop()

    play(script)
