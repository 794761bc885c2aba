"""People at real `chat-client` processes, each with a home of their own.

people.run("bob", "--room", "r", "--send", "hi").out        # to its end
tail = people.start("alice", "--room", "r", "--tail")       # in the background
wait_for(lambda: tail.messages(), "alice sees it")
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.home import Home
from scripts.terminal import Terminal
from tests.waiting import UNIT

CLIENT = str(Path(sys.executable).with_name("chat-client"))


@dataclass(frozen=True, slots=True)
class Ended:
    """What a client that has ended leaves."""

    status: int
    out: str
    err: str


class Running:
    """A client in the background; its output goes to files, so that it never waits for the test to read."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment, start_new_session=True
            )

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def messages(self) -> list[dict[str, Any]]:
        """What a `--tail` has printed so far; a line that is being written isn't counted yet."""
        return [json.loads(line) for line in self.out.splitlines(keepends=True) if line.endswith("\n")]

    def numbers(self) -> list[int]:
        """The messages' numbers, in the order in which they were printed."""
        return [message["seq"] for message in self.messages()]

    def end(self, number: int = signal.SIGINT) -> Ended:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, units: float = 30) -> Ended:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return Ended(self.process.wait(units * UNIT), self.out, self.err)


class People:
    """`server` is the `HOST:PORT` that they all use. `close` kills what still runs."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder
        self._server = server
        self._started: list[Running] = []
        self._terminals: list[Terminal] = []

    def home(self, name: str) -> Home:
        """One person's home, for a `Connection` in the test itself: with the key of that person's processes."""
        return Home(self._folder / name)

    def run(self, name: str, *options: str, stdin: str | bytes = "", units: float = 30, home: str = "") -> Ended:
        """`chat-client --name NAME OPTIONS` to its end. With `home`, in that other person's home."""
        done = subprocess.run(
            self._command(name, options),
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env=self._environment(home or name),
            timeout=units * UNIT,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, name: str, *options: str, home: str = "") -> Running:
        """The same in the background."""
        folder = self._folder / f"run-{len(self._started)}"
        folder.mkdir(parents=True)
        running = Running(self._command(name, options), self._environment(home or name), folder)
        self._started.append(running)
        return running

    def open(self, name: str, *options: str, columns: int = 100, rows: int = 30) -> Terminal:
        """The same in a terminal: the UI, unless the options say otherwise."""
        terminal = Terminal(self._command(name, options), columns, rows, self._environment(name))
        self._terminals.append(terminal)
        return terminal

    def close(self) -> None:
        for terminal in self._terminals:
            terminal.close()
        for running in self._started:
            running.process.kill()
            running.process.wait()

    def _command(self, name: str, options: tuple[str, ...]) -> list[str]:
        return [CLIENT, "--name", name, "--server", self._server, *options]

    def _environment(self, home: str) -> dict[str, str]:
        return {**os.environ, "CHAT_HOME": str(self._folder / home), "CHAT_DISCOVERY": "loopback"}
