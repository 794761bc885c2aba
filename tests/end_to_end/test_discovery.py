"""Discovery on loopback, with real servers and real clients: nobody types an address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chat.messages import Status
from client.connection import Connection
from client.home import Home
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import UNIT, wait_for

CLIENT = str(Path(sys.executable).with_name("chat-client"))
LIMIT = 1.5
"""Seconds within which a server is found, the client's own start included."""


def run(home: Path, beacon_port: int, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CLIENT, "--beacon-port", str(beacon_port), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "CHAT_HOME": str(home)},
        timeout=20 * UNIT,
        check=False,
    )


def serve(data: Path, beacon_port: int, name: str, *options: str) -> ServerProcess:
    return ServerProcess(data, "--beacon-port", str(beacon_port), "--name", name, "--workers", "1", *options)


def test_a_name_is_all_it_takes(tmp_path: Path, beacon_port: int) -> None:
    with serve(tmp_path / "data", beacon_port, "Office"):
        began = time.monotonic()
        sent = run(tmp_path / "bob", beacon_port, "--name", "bob", "--send", "hello")
        assert (sent.returncode, sent.stdout, sent.stderr) == (0, "lobby #1\n", "")
        assert time.monotonic() - began < LIMIT * UNIT


def test_without_a_server_it_says_how_to_name_one(tmp_path: Path, beacon_port: int) -> None:
    began = time.monotonic()
    sent = run(tmp_path / "bob", beacon_port, "--name", "bob", "--send", "hello")
    assert sent.returncode == 3 and sent.stdout == ""
    assert sent.stderr.count("\n") == 1 and "--server HOST" in sent.stderr
    assert time.monotonic() - began < 2 * LIMIT * UNIT


def test_who_lists_servers_and_people_without_joining(tmp_path: Path, beacon_port: int) -> None:
    with serve(tmp_path / "one", beacon_port, "One") as one, serve(tmp_path / "two", beacon_port, "Two"):
        tail = subprocess.Popen(
            [CLIENT, "--name", "alice", "--server", one.where, "--tail"], env={**os.environ, "CHAT_HOME": str(tmp_path)}
        )
        try:
            deadline = time.monotonic() + 10 * UNIT
            while True:
                listed = run(tmp_path / "bob", beacon_port, "--who", "--json", "--wait", "0.5")
                first, second = json.loads(listed.stdout)
                if first["online"] or time.monotonic() > deadline:
                    break
        finally:
            tail.kill()
            tail.wait()
        assert first == {
            "name": "One",
            "address": one.where,
            "key": one.fingerprint,
            "passphrase": False,
            "online": 1,
            "people": [{"name": "alice", "status": "online", "idle": 0}],
        }
        assert second["name"] == "Two" and second["people"] == []
        shown = run(tmp_path / "bob", beacon_port, "--who").stdout
        assert f"One  {one.where}  key {one.fingerprint}" in shown
        assert not (tmp_path / "bob" / "key").exists() and not (tmp_path / "bob" / "known_servers").exists()


def test_a_status_is_right_within_5_s(tmp_path: Path, beacon_port: int) -> None:
    def statuses() -> dict[str, str]:
        listed = run(tmp_path / "bob", beacon_port, "--who", "--json", "--wait", "0.5")
        return {person["name"]: person["status"] for person in json.loads(listed.stdout)[0]["people"]}

    with serve(tmp_path / "data", beacon_port, "Office") as server:
        alice = Connection.open(server.address, home=Home(tmp_path / "alice"), name="alice")
        with alice:
            wait_for(lambda: statuses() == {"alice": "online"}, "she is there", units=5)
            for away, status in ((True, "away"), (False, "online")):
                alice.send(Status(away))
                wait_for(lambda status=status: statuses() == {"alice": status}, status, units=5)  # type: ignore[misc]
        wait_for(lambda: statuses() == {}, "she is gone", units=5)


def test_a_server_with_a_passphrase_is_found_too(tmp_path: Path, beacon_port: int) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery staple")
    with serve(tmp_path / "data", beacon_port, "Office", "--passphrase-file", str(secret)):
        sent = run(tmp_path / "bob", beacon_port, "--name", "bob", "--send", "x", "--passphrase-file", str(secret))
        assert (sent.returncode, sent.stdout) == (0, "lobby #1\n")
        without = run(tmp_path / "eve", beacon_port, "--name", "eve", "--send", "x")
        assert without.returncode == 4 and "passphrase" in without.stderr


def test_the_server_used_last_is_preferred(tmp_path: Path, beacon_port: int) -> None:
    home = tmp_path / "bob"
    with serve(tmp_path / "one", beacon_port, "One") as one, serve(tmp_path / "two", beacon_port, "Two") as two:
        for server, count in ((two, 1), (one, 1), (two, 3)):
            named = run(home, beacon_port, "--name", "bob", "--server", server.where, "--send", "x")
            assert named.stdout == f"lobby #{count}\n"
            found = run(home, beacon_port, "--name", "bob", "--send", "x")
            assert found.stdout == f"lobby #{count + 1}\n"


def test_a_server_without_beacons_is_not_found_but_remembered(tmp_path: Path, beacon_port: int) -> None:
    home = tmp_path / "bob"
    with serve(tmp_path / "data", beacon_port, "Office", "--no-beacon") as server:
        assert run(home, beacon_port, "--name", "bob", "--send", "x").returncode == 3
        assert run(home, beacon_port, "--name", "bob", "--server", server.where, "--send", "x").returncode == 0
        assert run(home, beacon_port, "--name", "bob", "--send", "x").stdout == "lobby #2\n"


@pytest.mark.parametrize("name", ["\x1b[31mred", "turn\u202eed"])
def test_a_servers_name_moves_no_terminal(tmp_path: Path, beacon_port: int, name: str) -> None:
    from server.announcer import Announcement, Announcer
    from server.gauges import ANNOUNCER, Panel
    from server.roster import Roster

    panel = Panel(memoryview(bytearray(8 * len(ANNOUNCER))).cast("q"), ANNOUNCER, 0)
    announcer = Announcer(Announcement(bytes(32), name, "127.0.0.1", 1, beacon_port, False), Roster(), panel)
    announcer.start()
    try:
        shown = run(tmp_path / "bob", beacon_port, "--who").stdout
    finally:
        announcer.stop()
    assert "<U+" in shown and "\x1b" not in shown and "\u202e" not in shown
