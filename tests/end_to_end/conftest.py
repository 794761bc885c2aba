"""Fixtures of the tests with real processes: `server`, and `people` who use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess

Report = Callable[[str], None]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with no flood limit and one worker more than the least, so that work is shared."""
    with ServerProcess(tmp_path / "data", "--rate", "0", "--workers", "2") as running:
        yield running


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Prints a figure that a test has measured, whether it passes or not."""

    def show(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end=" ")

    return show


@pytest.fixture
def people(server: ServerProcess, tmp_path: Path) -> Iterator[People]:
    """People who use `server`."""
    company = People(tmp_path / "people", server.where)
    yield company
    company.close()
