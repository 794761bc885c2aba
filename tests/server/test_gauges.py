"""The shared block of counters: each process its panel, read from anywhere, gone when the server is."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest

from server.gauges import Gauges

LOOK = """
import sys
from server.gauges import Gauges
gauges = Gauges.look(sys.argv[1])
print(gauges.read()["reader.wakeups"])
gauges.close()
"""


@pytest.fixture
def gauges() -> Iterator[Gauges]:
    gauges = Gauges.create(f"chat-test-{secrets.token_hex(6)}")
    yield gauges
    gauges.close(remove=True)


def test_what_is_counted_is_read(gauges: Gauges) -> None:
    gauges.panel("supervisor").set("workers", 2)
    panel = gauges.panel("worker 1")
    panel.add("rounds", 3)
    panel.add("rounds")
    figures = gauges.read()
    assert figures["worker 1.rounds"] == 4 and figures["worker 1.pid"] == os.getpid()
    assert "worker 2.rounds" not in figures


def test_a_panel_taken_anew_counts_from_zero(gauges: Gauges) -> None:
    gauges.panel("reader").add("wakeups", 5)
    gauges.panel("reader")
    assert gauges.read()["reader.wakeups"] == 0


def test_a_stranger_can_look_and_takes_nothing_away(gauges: Gauges) -> None:
    gauges.panel("reader").add("wakeups", 7)
    for _ in range(2):  # the first look would have removed the block with its resource tracker
        looked = subprocess.run([sys.executable, "-c", LOOK, gauges.name], capture_output=True, text=True, timeout=20)
        assert (looked.stdout.strip(), looked.stderr) == ("7", "")


def test_what_a_killed_server_left_is_removed_before_another_is_made(gauges: Gauges) -> None:
    left = Gauges.create(f"{gauges.name}-left")
    left.close()
    Gauges.remove(left.name)
    Gauges.remove(left.name)
    with pytest.raises(FileNotFoundError):
        Gauges.look(left.name)
