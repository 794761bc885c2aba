"""The data folder: what a server keeps of itself beside its messages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from server.datafolder import DataFolder


def test_a_later_start_has_the_higher_number_whatever_became_of_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = []
    for seconds in (5_000, 1_400, 9_000):
        monkeypatch.setattr(time, "time_ns", lambda seconds=seconds: seconds * 10**9)
        folder = DataFolder(tmp_path / "data")
        starts.append(folder.next_start())
        folder.close()
    assert starts == [5_000_000, 5_000_001, 9_000_000]
