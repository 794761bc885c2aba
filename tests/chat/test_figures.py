"""Two readings of the counters make one picture, with rates and with what can't be said."""

from __future__ import annotations

from chat.figures import stages
from chat.pipeline import Stage

BEFORE = {"supervisor.workers": 1, "reader.pid": 7, "reader.wakeups": 100, "reader.events": 100, "journal.commits": 10}
AFTER = {
    **BEFORE,
    "reader.wakeups": 110,
    "reader.events": 125,
    "journal.commits": 10,
    "outlet 0.put": 9,
    "worker 0.taken": 4,
    "worker 0.deliveries": 4_000,
    "worker 0.sends": 30,
    "flusher 0.sends": 10,
}


def facts(stage: Stage) -> dict[str, str]:
    return {what: figure for figure, what in stage.facts}


def test_each_stage_in_the_order_of_a_messages_way() -> None:
    picture = stages(BEFORE, AFTER, 2.0)
    assert [stage.name for stage in picture] == ["reader", "journal", "manager", "worker 0", "announcer"]
    assert picture[0].where == "process 7"
    assert picture[-1].where == "process 7, off", "a server without beacons"


def test_rates_ratios_and_depths() -> None:
    reader, journal, manager, worker, _ = map(facts, stages(BEFORE, AFTER, 2.0))
    assert (reader["wake-ups/s"], reader["events a wake-up"]) == ("5", "2.5")
    assert journal["events a commit"] == "–"  # there was none: no figure is better than a wrong one
    assert manager["waiting in its outlets"] == "5"
    assert (worker["deliveries/s"], worker["messages a send"]) == ("2,000", "100")


def test_a_process_that_was_replaced_counts_from_zero() -> None:
    reader = facts(stages({**AFTER, "reader.wakeups": 1_000}, AFTER, 1.0)[0])
    assert reader["wake-ups/s"] == "110"


def test_two_readings_at_the_same_moment_are_no_error() -> None:
    assert stages(BEFORE, BEFORE, 0.0)
