"""`scripts/start`: the first one starts a server, the others join it, the last one ends it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.waiting import UNIT, wait_for

START = str(Path(__file__).parents[2] / "scripts" / "start")


class Terminals:
    """People at terminals of one machine, whose data folder is the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "lan-chat-start"
        self.folder.mkdir()
        (self.folder / "address").write_text("127.0.0.1:0")  # not 5050, where somebody else's server may come
        self._environment = {"PATH": os.environ["PATH"], "XDG_DATA_HOME": str(folder)}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [START, *options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, env=self._environment, text=True, start_new_session=True
        )
        self.started.append(process)
        return process

    def run(self, *options: str) -> str:
        out, _ = self.start(*options).communicate(timeout=60 * UNIT)
        return out

    def server(self) -> psutil.Process | None:
        try:
            return psutil.Process(int((self.folder / "pid").read_text()))
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None


def has_ended(process: psutil.Process) -> bool:
    """Also if its new parent, the system's first process, hasn't asked for its status yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def terminals(tmp_path: Path) -> Terminals:
    return Terminals(tmp_path)


def end(tail: subprocess.Popen[str], number: int) -> None:
    os.killpg(tail.pid, number)  # as a terminal does: to all that runs in it
    tail.communicate(timeout=30 * UNIT)


@pytest.mark.parametrize("last", [signal.SIGINT, signal.SIGHUP], ids=["Ctrl-C", "terminal closed"])
def test_a_second_terminal_joins_and_the_last_one_out_ends_the_server(
    terminals: Terminals, last: signal.Signals
) -> None:
    tail = terminals.start("--name", "bob", "--room", "r", "--tail", "--since", "0")
    assert terminals.run("--name", "alice", "--room", "r", "--send", "hi") == "r #1\n"
    assert tail.stdout is not None
    assert '"text": "hi"' in tail.stdout.readline()
    server = terminals.server()
    assert server is not None and not has_ended(server)
    end(tail, last)
    wait_for(lambda: has_ended(server), "the server has ended")


def test_two_at_once_start_one_server_and_its_data_stays(terminals: Terminals) -> None:
    both = [terminals.start("--name", name, "--room", "r", "--send", name) for name in ("alice", "bob")]
    assert sorted(process.communicate(timeout=60 * UNIT)[0] for process in both) in (["r #1\n", "r #2\n"],)
    assert terminals.run("--name", "alice", "--room", "r", "--send", "again") == "r #3\n"


def test_a_server_that_was_killed_is_started_anew(terminals: Terminals) -> None:
    tail = terminals.start("--name", "bob", "--room", "r", "--tail", "--since", "0")
    terminals.run("--name", "alice", "--room", "r", "--send", "one")
    assert tail.stdout is not None
    assert '"seq": 1' in tail.stdout.readline()
    killed = terminals.server()
    assert killed is not None
    killed.kill()
    wait_for(lambda: has_ended(killed), "the server is dead")
    assert terminals.run("--name", "alice", "--room", "r", "--send", "two") == "r #2\n"
    assert '"seq": 2' in tail.stdout.readline()  # bob's client came back to it by itself: it has the same port
    end(tail, signal.SIGINT)
    after = terminals.server()
    assert after is None or has_ended(after)
