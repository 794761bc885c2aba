"""The end of a server: clean by each way in which people end one; what is left is checked by `ServerProcess`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end.load import Load
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_with_people_connected(number: int, server: ServerProcess, people: People) -> None:
    people.run("bob", "--room", "r", "--send", "x")
    tail = people.start("alice", "--room", "r", "--tail", "--since", "0")
    wait_for(tail.messages, "somebody is connected")
    server.terminate(number)
    assert "Traceback" not in server.log.read_text()


def test_sigterm_under_load_ends_within_2_s_and_keeps_all_that_was_acknowledged(
    server: ServerProcess, tmp_path: Path
) -> None:
    with Load(server.address, tmp_path / "people", rooms=4, writers=4, interval=0.0) as load:
        load.goes_on()
        server.restart()  # `terminate` asserts the time and the status
        load.goes_on()
        load.finish(units=60)


def test_ctrl_c_in_a_terminal_reaches_every_process_and_still_ends_cleanly(
    server: ServerProcess, people: People
) -> None:
    people.run("bob", "--room", "r", "--send", "x")
    os.killpg(server.pid, signal.SIGINT)  # as the terminal does
    assert server.process is not None
    assert server.process.wait(5) == 0
    wait_for(lambda: not server.processes(), "no process is left")
    assert "Traceback" not in server.log.read_text()


def test_nothing_of_a_killed_server_outlives_it(server: ServerProcess, people: People) -> None:
    people.run("bob", "--room", "r", "--send", "x")
    assert len(server.processes()) > 3
    server.kill()
    wait_for(lambda: not server.processes(), "the children are gone as well", units=5)
    server.start()
    assert people.run("bob", "--room", "r", "--send", "y").out == "r #2\n"


def test_a_second_server_on_the_same_data_or_port_says_so(server: ServerProcess, tmp_path: Path) -> None:
    for data, port in ((server.data, 0), (tmp_path / "other", server.port)):
        other = ServerProcess(data, "--port", str(port))
        with pytest.raises(AssertionError, match="chat-server: "):
            other.start()
        assert other.process is not None
        assert other.process.wait(5) == 1
        other.__exit__(AssertionError)
