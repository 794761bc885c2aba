"""What /models shows of the server, from two readings of its counters, and of this client as it is now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from chat.messages import Statistics, Stats
from chat.values import Figure
from client.dialogue import Dialogues
from client.door import door_into
from client.insight import TWO_COLUMNS, Insight
from client.timers import Timers
from tests.waiting import UNIT


def play(script: Callable[[Insight, Timers, Dialogues], None]) -> None:
    """Run a script beside a real hub and a real loop, without a connection."""

    async def run() -> None:
        door = door_into(asyncio.get_running_loop())
        timers = Timers(door)
        dialogues = Dialogues(lambda command: None, lambda sentence: None, door)
        try:
            script(Insight(timers, dialogues, lambda: None), timers, dialogues)
        finally:
            timers.stop()

    asyncio.run(asyncio.wait_for(run(), 20 * UNIT))


def tell(insight: Insight, time: float, wakeups: int, label: str = "") -> None:
    (asked,) = insight.ask()
    assert isinstance(asked, Stats)
    read = (Figure("supervisor.workers", 1), Figure("reader.pid", 7), Figure("reader.wakeups", wakeups))
    insight.learn(Statistics(label or asked.label, time, read))


def test_the_servers_stages_come_with_the_second_reading() -> None:
    def script(insight: Insight, timers: Timers, dialogues: Dialogues) -> None:
        tell(insight, 10.0, 100)
        assert insight.server() == []
        assert any("Waiting for two readings" in line for line in insight.lines(80))
        tell(insight, 12.0, 150)
        assert ("25", "wake-ups/s") in insight.server()[0].facts

    play(script)


def test_somebody_elses_reading_isnt_taken() -> None:
    def script(insight: Insight, timers: Timers, dialogues: Dialogues) -> None:
        tell(insight, 10.0, 100)
        tell(insight, 12.0, 150, label="another's")
        assert insight.server() == []

    play(script)


def test_this_client_shows_its_timers_greenlets_tasks_and_threads() -> None:
    def script(insight: Insight, timers: Timers, dialogues: Dialogues) -> None:
        timers.once("ping", 60.0, lambda: None)
        dialogues.start(lambda: print(dialogues.ask("Really?")))
        facts = {stage.name: {what: figure for figure, what in stage.facts} for stage in insight.client()}
        assert facts["timers"]["ping"] in ("60.0 s", "59.9 s")
        assert facts["receiver"] == {"connection": "no"}
        (parked,) = dialogues.parked
        assert facts["commands"] == {f"waits for {parked.waits_for}": "1"}
        assert any("tasks: " in what and "run" in what for what in facts["MainThread"])
        assert set(facts["threads"]) == {thread.name for thread in threading.enumerate()}

    play(script)


def test_server_and_client_stand_side_by_side_where_there_is_room() -> None:
    def script(insight: Insight, timers: Timers, dialogues: Dialogues) -> None:
        narrow, wide = insight.lines(80), insight.lines(TWO_COLUMNS)
        assert "── server ──" in narrow and "── this client ──" in narrow
        assert wide[0].split("  ")[0] == "── server ──" and "── this client ──" in wide[0]
        assert all(len(line) <= 80 for line in narrow) and all(len(line) <= TWO_COLUMNS for line in wide)

    play(script)
