"""Each model is what it says it is: counted from outside, in the kernel's books."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from chat.messages import Ping, Pong, Presence
from chat.values import Person
from client.connection import new_label
from server import models
from tests.end_to_end.models.guests import Guests
from tests.end_to_end.models.which import LACKING, TOGETHER
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import wait_for

GUESTS = 10

SEVERAL = ("threads", "free-threads", "processes", "pool", "subinterpreters")
"""Those with several threads or processes."""


def of(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", names, scope="package", indirect=True)


def holders(server: ServerProcess) -> list[psutil.Process]:
    """The processes that hold a guest's socket."""
    found = []
    for process in server.processes():
        try:
            connections = process.net_connections("tcp")
        except psutil.NoSuchProcess:
            continue  # it has just ended
        if any(connection.status == psutil.CONN_ESTABLISHED for connection in connections):
            found.append(process)
    return found


def welcome(server: ServerProcess, guests: Guests) -> tuple[int, int]:
    """Let the guests in; returns the main process's threads before and after."""
    wait_for(lambda: not holders(server), "nobody left of the tests before")
    main = psutil.Process(server.pid)
    wait_for(lambda: main.num_threads() < GUESTS, "the threads of the tests before have ended")
    before = main.num_threads()
    for number in range(GUESTS):
        guests.login(f"one-of-{number}")
    return before, main.num_threads()


@of(*(name for name in models.NAMES if name in TOGETHER and name not in SEVERAL))
def test_one_thread_serves_them_all(server: ServerProcess, guests: Guests) -> None:
    before, after = welcome(server, guests)
    assert after == before
    assert [process.pid for process in holders(server)] == [server.pid]


@of(*(name for name in ("threads", "free-threads") if name in TOGETHER))
def test_two_threads_for_each_client(server: ServerProcess, guests: Guests) -> None:
    before, after = welcome(server, guests)
    assert after == before + 2 * GUESTS


@of("processes")
def test_a_process_for_each_client(server: ServerProcess, guests: Guests) -> None:
    before, after = welcome(server, guests)
    assert after == before + GUESTS  # the feeder threads of the queues
    serving = holders(server)
    assert len(serving) == GUESTS and server.pid not in [process.pid for process in serving]


@of("pool")
def test_the_pools_workers_serve_them_all(server: ServerProcess, guests: Guests) -> None:
    welcome(server, guests)
    assert holders(server) and server.pid not in [process.pid for process in holders(server)]


@of("processes")
def test_a_killed_process_costs_its_own_client(server: ServerProcess, guests: Guests) -> None:
    wait_for(lambda: not holders(server), "nobody left of the tests before")
    unlucky = guests.login("unlucky")
    unlucky.join("plank")
    (process,) = holders(server)
    lucky = guests.login("lucky")
    lucky.join("plank")
    process.kill()
    assert list(unlucky.connection) == [] or unlucky.connection.ended
    while Person("unlucky", "offline") not in lucky.hears(Presence).people:
        pass
    lucky.hears(Pong, label=lucky.ask(Ping(new_label())))


@of("nonblocking", "epoll-lt")
def test_who_burns_a_core_for_nothing(model: str, server: ServerProcess) -> None:
    main = psutil.Process(server.pid)

    def seconds_of_work() -> float:
        return main.cpu_times().user + main.cpu_times().system

    began, before = time.monotonic(), seconds_of_work()
    if model == "nonblocking":
        wait_for(lambda: seconds_of_work() - before > 0.3, "an idle server has worked 0.3 s")
    else:
        wait_for(lambda: time.monotonic() - began > 0.5, "half a second has passed")
        assert seconds_of_work() - before < 0.1


@pytest.mark.parametrize("name", LACKING)
def test_a_model_that_this_python_lacks_says_so(name: str, tmp_path: Path) -> None:
    server = str(Path(sys.executable).with_name("chat-server"))
    command = [server, "--host", "127.0.0.1", "--port", "0", "--data", str(tmp_path), "--model", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("chat-server: this Python ") and done.stderr.count("\n") == 1
