"""A trail: what stamps become."""

from __future__ import annotations

from chat.trail import MODELS, bar, steps, waterfall
from chat.values import Stamp


def test_each_step_is_the_time_since_the_place_before() -> None:
    way = steps([Stamp("typed", 1000), Stamp("sent", 1400), Stamp("committed", 3400)])
    assert [(step.place, step.took, step.total) for step in way] == [
        ("typed", 0, 0),
        ("sent", 400, 400),
        ("committed", 2000, 2400),
    ]
    assert way[2].model == MODELS["committed"]


def test_two_machines_clocks_are_unrelated() -> None:
    stamps = [Stamp("sent", 5_000, "a"), Stamp("session step", 90, "b"), Stamp("committed", 100, "b")]
    way = steps([*stamps, Stamp("received", 9_000, "a")])
    assert [step.related for step in way] == [True, False, True, False]
    assert way[-1].total == 10
    lines = waterfall(way)
    assert lines[1].split()[-2] == "?"
    assert "unrelated" in lines[-1]


def test_the_bars_lie_behind_each_other_within_the_width() -> None:
    way = steps([Stamp(str(n), ns) for n, ns in enumerate((0, 250, 500, 1000))])
    assert [bar(step, 1000, 8) for step in way] == ["█       ", "██      ", "  ██    ", "    ████"]
    tiny_last = steps([Stamp("a", 0), Stamp("b", 1_000_000), Stamp("c", 1_000_001)])[-1]
    assert bar(tiny_last, tiny_last.total, 8) == "       █"


def test_an_unknown_place_is_shown_all_the_same() -> None:
    assert waterfall(steps([Stamp("a place of tomorrow", 1)]))[0].startswith("a place of tomorrow")
