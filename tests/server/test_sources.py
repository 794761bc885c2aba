"""What each sender of datagrams may cost, however many there are."""

from __future__ import annotations

from server.sources import MAX_SOURCES, Sources


def test_a_source_has_a_burst_and_then_its_rate() -> None:
    sources = Sources(rate=10, burst=30, total=1000, now=0.0)
    assert sum(sources.allow("a", 0.0) for _ in range(100)) == 30
    assert sum(sources.allow("a", 1.0) for _ in range(100)) == 10
    assert sources.allow("b", 1.0)


def test_all_together_are_bounded_too() -> None:
    sources = Sources(rate=10, burst=30, total=100, now=0.0)
    assert sum(sources.allow(str(n), 0.0) for n in range(5000)) == 100


def test_the_table_stays_small_and_forgets_the_oldest() -> None:
    sources = Sources(rate=0, burst=1, total=1e9, now=0.0)
    assert sources.allow("first", 0.0) and not sources.allow("first", 0.0)
    for n in range(10 * MAX_SOURCES):
        sources.allow(str(n), 0.0)
    assert len(sources) == MAX_SOURCES
    assert sources.allow("first", 0.0)
