"""The pauses between attempts to connect."""

from __future__ import annotations

from itertools import islice

from client.backoff import FIRST, LONGEST, delays


def test_they_double_up_to_the_longest() -> None:
    assert list(islice(delays(lambda low, high: high), 8)) == [FIRST * 2**n for n in range(6)] + [LONGEST] * 2


def test_they_are_drawn_so_that_clients_do_not_come_back_together() -> None:
    bounds: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    assert list(islice(delays(draw), 2)) == [FIRST / 2, FIRST]
    assert bounds == [(FIRST / 2, FIRST), (FIRST, FIRST * 2)]
