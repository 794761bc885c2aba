"""Watching a server from outside: `chat-server --top` and `--metrics`, both fed by shared memory alone."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil

from chat.messages import Join, Say, Statistics, Stats
from client.connection import Connection
from client.home import Home
from tests.end_to_end.conftest import Report
from tests.end_to_end.server_process import ServerProcess

SERVER = str(Path(sys.executable).with_name("chat-server"))


def top(server: ServerProcess) -> subprocess.CompletedProcess[str]:
    environment = psutil.Process(server.pid).environ()
    command = [SERVER, "--top", "--data", str(server.data)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)


def test_top_shows_each_stage_with_its_process(server: ServerProcess) -> None:
    shown = top(server)
    assert shown.returncode == 0, shown.stderr
    processes = {process.pid: process for process in server.processes()}
    rows = dict(re.findall(r"^╭ ([\w ]+) · .* process (\d+)", shown.stdout, re.MULTILINE))
    assert list(rows) == ["reader", "journal", "manager", "worker 0", "worker 1", "announcer"]
    assert {int(pid) for pid in rows.values()} <= set(processes) and len(set(rows.values())) == 5
    assert int(rows["reader"]) == server.pid
    flushers = re.findall(r"process (\d+), flusher's thread (\d+)", shown.stdout)
    assert len(flushers) == 2
    for pid, flusher in flushers:
        assert int(flusher) in {thread.id for thread in processes[int(pid)].threads()}


def test_top_without_a_server_says_so(tmp_path: Path) -> None:
    shown = subprocess.run([SERVER, "--top", "--data", str(tmp_path)], capture_output=True, text=True, timeout=20)
    assert shown.returncode == 1 and shown.stderr.count("\n") == 1 and "--data" in shown.stderr


def test_the_counters_follow_a_message_through_every_stage(server: ServerProcess, tmp_path: Path) -> None:
    with Connection.open(server.address, home=Home(tmp_path / "home"), name="bob") as bob:
        bob.send(Join("j", "lobby"), Say("s", "lobby", "hello"), Say("t", "lobby", "hello"))
        _until(bob, "t")  # a batch is counted once it is sent, and then comes the next one
        bob.send(Stats("after"))
        seen = [message for message in _until(bob, "after") if isinstance(message, Statistics)]
        figures = {figure.name: figure.value for figure in seen[-1].figures}
    assert figures["reader.commands"] >= 5 and figures["reader.named"] <= 1
    assert figures["journal.events"] >= 3 and figures["journal.commits"] >= 1
    assert sum(figures[f"worker {number}.connections"] for number in range(2)) == 1


def test_to_watch_costs_under_a_hundredth_of_a_core(server: ServerProcess, tmp_path: Path, report: Report) -> None:
    looks = 200
    with Connection.open(server.address, home=Home(tmp_path / "home"), name="bob") as bob:
        before = cpu_seconds(server)
        for number in range(looks):
            bob.send(Stats(f"look {number}"))
            _until(bob, f"look {number}")
        share = (cpu_seconds(server) - before) / looks  # of a core, for /models looks once a second
    report(f"/models open in one client costs the server {100 * share:.2f} % of a core")
    assert share < 0.01


def cpu_seconds(server: ServerProcess) -> float:
    """All its processes together."""
    times = [process.cpu_times() for process in server.processes()]
    return sum(time.user + time.system for time in times)


def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [SERVER, "--host", "127.0.0.1", "--port", "0", "--data", str(tmp_path / "d"), "--metrics", str(port)],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert refused.returncode == 1 and str(port) in refused.stderr
    with ServerProcess(tmp_path / "data", "--metrics", str(port)) as server:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        assert f'chat_reader_pid{{number=""}} {float(server.pid)!r}' in text
        assert 'chat_worker_connections{number="0"} 0.0' in text


def _until(connection: Connection, label: str) -> list[object]:
    messages: list[object] = []
    for message in connection:
        messages.append(message)
        if getattr(message, "label", "") == label:
            break
    return messages
