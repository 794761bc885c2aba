"""scripts/fuzz in a short form, and that it would notice."""

from __future__ import annotations

import time

import pytest

from scripts.siege import fuzz


def test_every_input_is_understood_or_refused() -> None:
    scores = fuzz.run(10_000, seed=int(time.time()))
    assert sum(score.inputs for score in scores.values()) == 10_000
    for target, score in scores.items():
        assert score.understood, f"{target}: nothing was nearly right enough"
        assert score.understood < score.inputs or target in ("frames", "text"), f"{target}: nothing was wrong"


def test_what_is_neither_understood_nor_refused_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(data: bytes) -> None:
        raise KeyError("nobody expects this")

    monkeypatch.setattr(fuzz.beacon, "decode", decode)
    with pytest.raises(fuzz.Fault, match=r"beacon: KeyError: 'nobody expects this'"):
        fuzz.run(100, seed=1)


def test_the_same_seed_makes_the_same_inputs() -> None:
    first, second = (fuzz.run(1_000, seed=7) for _ in range(2))
    cheap = ("plaintext", "frames", "name", "text")  # the others have keys of their own each time
    assert [first[target].size for target in cheap] == [second[target].size for target in cheap]
