"""The wall clock jumps by an hour, forward and back: nobody is cut off, and numbers still order what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.stages import figures
from tests.waiting import wait_for

CLOCK = '''
"""Python runs this before anything else: the wall clock of this process is off by what a file says."""
import os, time

def shifted(real, unit, path=os.environ["CHAT_TEST_CLOCK"]):
    def clock():
        with open(path) as file:
            return real() + unit * int(file.read())
    return clock

time.time, time.time_ns = shifted(time.time, 1), shifted(time.time_ns, 10**9)
'''


class Clock:
    """The wall clock of the processes that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(CLOCK)
        self._shift = folder / "shift"
        self._shift.write_text("0")
        self.environment = {"PYTHONPATH": str(folder), "CHAT_TEST_CLOCK": str(self._shift)}

    def jump(self, seconds: int) -> None:
        """Show this many seconds more than the true time, less if negative."""
        new = self._shift.with_name("new")
        new.write_text(str(seconds))
        new.replace(self._shift)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def server(clock: Clock, tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data", "--workers", "2", environment=clock.environment) as running:
        yield running


def test_an_hour_forward_and_back_breaks_nothing(clock: Clock, server: ServerProcess, people: People) -> None:
    assert people.run("bob", "--room", "r", "--send", "before").out == "r #1\n"
    tail = people.start("alice", "--room", "r", "--tail", "--since", "0")
    wait_for(tail.messages, "alice hears")
    accepted = figures(server)["reader.accepted"]
    for number, (shift, text) in enumerate(((3600, "an hour later"), (-3600, "two hours earlier"), (0, "now")), 2):
        clock.jump(shift)
        assert people.run("bob", "--room", "r", "--send", text).out == f"r #{number}\n"
        wait_for(lambda number=number: len(tail.messages()) == number, f"alice hears {text}")  # type: ignore[misc]
    assert figures(server)["reader.accepted"] == accepted + 3, "alice was never cut off"
    assert tail.numbers() == [1, 2, 3, 4]
    before, later, earlier, now = (message["time"] for message in tail.messages())
    assert later - before > 3_500 and before - earlier > 3_500 and abs(now - before) < 600, "the clock did jump"
    who = people.run("carol", "--who", "--json", "--discovery", "loopback")
    assert who.status in (0, 3)


def test_a_client_whose_clock_jumps_keeps_its_connection_and_what_waits(
    clock: Clock, server: ServerProcess, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    bob = people.open("bob")
    bob.wait_for("bob on ", "1 #lobby")
    accepted = figures(server)["reader.accepted"]
    for shift in (3600, -3600, 0):
        clock.jump(shift)
        bob.type(f"at {shift}\r")
        bob.wait_for(f"at {shift}", lambda lines: not any("pending" in line for line in lines))
    assert figures(server)["reader.accepted"] == accepted
    server.kill()
    bob.wait_for("offline")
    clock.jump(-3600)
    bob.type("kept\r")
    bob.wait_for("1 pending")
    server.start()
    bob.wait_for("kept", "bob on ", lambda lines: not any("pending" in line for line in lines))
