"""The one door into the UI's loop: what another thread has for the UI, it hands through here.

`call_soon_threadsafe` is the only thing of an asyncio loop that another thread may touch. Whoever has a `Door` has
that and nothing else of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Door = Callable[[Callable[[], None]], None]
"""Has a call made in the UI's thread, soon. From any thread; once the UI has ended, nothing happens."""


def door_into(loop: asyncio.AbstractEventLoop) -> Door:
    def hand_in(call: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(call)
        except RuntimeError:
            pass  # the loop is closed: the user has quit

    return hand_in
