"""Coming in at a terminal: who one is and which server is asked; and the plain UI, typed at like any other program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.terminal import Terminal
from tests.end_to_end.people import CLIENT, People
from tests.end_to_end.server_process import ServerProcess

ENTER, CTRL_D = "\r", "\x04"


def terminal(folder: Path, *options: str) -> Terminal:
    environment = {**os.environ, "CHAT_HOME": str(folder / "home"), "CHAT_DISCOVERY": "loopback"}
    return Terminal([CLIENT, *options], 100, 30, environment)


def test_without_a_name_one_is_asked_for_and_suggested_the_next_time(server: ServerProcess, tmp_path: Path) -> None:
    with terminal(tmp_path, "--server", server.where) as first:
        first.wait_for("Your name [")
        first.type("bob smith" + ENTER)
        first.wait_for("A name ")  # says what a name may be
        first.type("Bob" + ENTER)
        first.wait_for("bob on ")
        first.type("/quit" + ENTER)
        assert first.process.wait(20) == 0
    with terminal(tmp_path, "--server", server.where) as again:
        again.wait_for("Your name [bob]:")
        again.type(ENTER)
        again.wait_for("bob on ")


def test_a_taken_name_explains_itself_and_another_is_asked_for(
    server: ServerProcess, people: People, tmp_path: Path
) -> None:
    people.run("bob", "--send", "it is mine")
    with terminal(tmp_path, "--name", "bob", "--server", server.where) as stranger:
        stranger.wait_for("Another name")
        stranger.type("bill" + ENTER)
        stranger.wait_for("bill on ")


def test_whoever_gives_up_gets_the_refusals_status(server: ServerProcess, people: People, tmp_path: Path) -> None:
    people.run("bob", "--send", "it is mine")
    with terminal(tmp_path, "--name", "bob", "--server", server.where) as stranger:
        stranger.wait_for("Another name")
        stranger.type(ENTER)
        assert stranger.process.wait(20) == 4


def test_where_no_server_is_each_interface_is_explained(tmp_path: Path, beacon_port: int) -> None:
    with terminal(tmp_path, "--name", "bob", "--beacon-port", str(beacon_port)) as alone:
        alone.wait_for("none is here")
        alone.wait_for("No server was found on this machine")
        assert alone.process.wait(20) == 3
        assert any(line.startswith("lo ") for line in alone.lines())


@pytest.mark.parametrize("chosen", ["1", "2"])
def test_of_several_servers_one_is_chosen(chosen: str, tmp_path: Path, beacon_port: int) -> None:
    beacons = ("--beacon-port", str(beacon_port))
    with (
        ServerProcess(tmp_path / "a", "--name", "Office", *beacons),
        ServerProcess(tmp_path / "b", "--name", "Workshop", *beacons),
        terminal(tmp_path, "--name", "bob", *beacons) as bob,
    ):
        lines = bob.wait_for("Which one? [1-2")
        (name,) = [line.split()[1] for line in lines if line.strip().startswith(f"{chosen} ")]
        bob.type(chosen + ENTER)
        bob.wait_for(f"bob on {name}")


def test_the_plain_ui_prints_lines_and_takes_the_same_commands(server: ServerProcess, people: People) -> None:
    people.run("alice", "--room", "ops", "--send", "first")
    with people.open("bob", "--room", "ops", "--plain", rows=80) as bob:
        bob.wait_for("alice: first")
        bob.type("hello" + ENTER)
        bob.wait_for("bob: hello")
        people.run("alice", "--room", "ops", "--send", "hello bob")
        bob.wait_for("alice: hello bob")
        bob.type("/search first" + ENTER)
        bob.wait_for("Go to which one?")
        bob.type(ENTER + "/leave" + ENTER)
        bob.wait_for("Leave ops")
        bob.type("n" + ENTER + "/models" + ENTER)
        bob.wait_for("reader", "threading.enumerate()")
        server.kill()
        bob.wait_for("Offline, trying again")
        bob.type("while away" + ENTER)
        server.start()
        bob.wait_for("bob: while away")
        bob.type(CTRL_D)
        assert bob.process.wait(20) == 0
        assert b"\x1b[?1049" not in bob.written
