"""Pace: many asks are one call, at once after a rest, and else as soon as the rest is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from client.pace import Pace
from tests.waiting import UNIT


def play(script: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await asyncio.wait_for(script(), 20 * UNIT)

    asyncio.run(run())


def test_many_asks_are_one_call_and_at_once() -> None:
    async def script() -> None:
        calls = asyncio.Queue[None]()
        pace = Pace(3_600.0, lambda: calls.put_nowait(None))
        pace._last = -3_600.0
        for _ in range(5):
            pace.ask()
        await calls.get()
        assert calls.empty()

    play(script)


def test_after_it_was_done_it_rests() -> None:
    async def script() -> None:
        loop, calls = asyncio.get_running_loop(), asyncio.Queue[float]()
        pace = Pace(0.05, lambda: calls.put_nowait(loop.time()))
        pace.done()
        begun = loop.time()
        pace.ask()
        assert await calls.get() - begun >= 0.04
        pace.ask()  # nobody has said that it was done
        assert await calls.get() - begun < 20 * UNIT

    play(script)
