"""Two people in tmux, as many use it: typed with send-keys, looked at with capture-pane, resized, and ended."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.people import CLIENT
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import wait_for


class Tmux:
    """A tmux server of its own, with a window for each person."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder, self._server = folder, server
        self._socket = folder / "tmux"

    def open(self, name: str) -> None:
        environment = {"CHAT_HOME": str(self._folder / name), "CHAT_DISCOVERY": "loopback", "LANG": "C.UTF-8"}
        settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
        command = f"env {settings} {shlex.quote(CLIENT)} --name {name} --server {self._server}"
        self.run("new-session", "-d", "-s", name, "-x", "100", "-y", "30", command)

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", os.devnull, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    def type(self, name: str, text: str) -> None:
        self.run("send-keys", "-t", name, "-l", text)
        self.run("send-keys", "-t", name, "Enter")

    def shown(self, name: str) -> list[str]:
        return self.run("capture-pane", "-p", "-t", name).splitlines()

    def wait_for(self, name: str, *texts: str) -> None:
        def all_there() -> bool:
            screen = "\n".join(self.shown(name))
            return all(text in screen for text in texts)

        wait_for(all_there, f"{name} sees {texts}", units=20)

    def sessions(self) -> list[str]:
        listed = subprocess.run(
            ["tmux", "-S", str(self._socket), "list-sessions", "-F", "#S"], capture_output=True, text=True, check=False
        )
        return listed.stdout.split()


@pytest.fixture
def tmux(server: ServerProcess, tmp_path: Path) -> Iterator[Tmux]:
    tmux = Tmux(tmp_path, server.where)
    yield tmux
    if tmux.sessions():
        tmux.run("kill-server")


def test_two_people_in_tmux(tmux: Tmux) -> None:
    for name in ("bob", "alice"):
        tmux.open(name)
    for name in ("bob", "alice"):
        tmux.wait_for(name, f"{name} on ")
    tmux.type("bob", "hello alice, 你好")
    tmux.wait_for("alice", "bob hello alice, 你好")
    tmux.type("alice", "hello bob")
    tmux.wait_for("bob", "bob hello alice, 你好", "alice hello bob")
    tmux.run("resize-window", "-t", "bob", "-x", "60", "-y", "12")
    wait_for(lambda: "│" not in "".join(tmux.shown("bob")), "bob's panes hide")
    tmux.wait_for("bob", "alice hello bob", "bob on ")
    tmux.run("resize-window", "-t", "bob", "-x", "140", "-y", "40")
    tmux.wait_for("bob", "1 #lobby", "● alice")
    tmux.type("bob", "/quit")
    tmux.run("send-keys", "-t", "alice", "C-c")
    wait_for(lambda: not tmux.sessions(), "both have ended", units=20)
