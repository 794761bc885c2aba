"""A real `chat-server` in processes of its own, on a free port of the loopback interface.

    with ServerProcess(tmp_path / "data") as server:
        ...  server.address, server.pid, server.processes()
        server.restart()        # the same port and data
        server.kill()           # the main process, by SIGKILL

Leaving the block ends it by SIGTERM and asserts a clean end: status 0 within the promised 2 s, no process of it left
whoever its parent is by then, nothing left in its temporary folder (Unix sockets) or in /dev/shm. Its processes are
found by a mark in their environment, which every descendant inherits.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Self

import psutil

from tests.waiting import UNIT, wait_for

MARK = "CHAT_TEST_MARK"
END_LIMIT = 2.0
"""Seconds within which SIGTERM ends a server."""

_FIRST_LINE = re.compile(r"listening on (\S+):(\d+) key ([0-9a-f]{32})\n")
_SHARED = re.compile(r" (/dev/shm/\S+)$", re.MULTILINE)


class ServerProcess:
    """`options` are passed on, as in `ServerProcess(data, "--rate", "0")`. `environment` is added to the tests' own."""

    def __init__(
        self, data: Path, *options: str, environment: dict[str, str] | None = None, log: Path | None = None
    ) -> None:
        self.data = data
        self.log = log or data.with_name(data.name + ".log")
        """What the server wrote to stderr, over all its restarts."""
        self.options = options
        self.host, self.port, self.fingerprint = "127.0.0.1", 0, ""
        self.process: subprocess.Popen[str] | None = None
        self._mark = uuid.uuid4().hex
        # Not pytest's folder: the path of a Unix socket has at most 107 bytes.
        self._temporary = Path(tempfile.mkdtemp(prefix="chat-test-"))
        self._environment = {**os.environ, **(environment or {}), MARK: self._mark, "TMPDIR": str(self._temporary)}

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def where(self) -> str:
        """The address as `--server` takes it."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> Self:
        """Start it and wait until it listens; a second start takes the port that the first one got."""
        command = [str(Path(sys.executable).with_name("chat-server")), "--host", self.host, "--port", str(self.port)]
        command += ["--data", str(self.data), *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, env=self._environment, text=True, start_new_session=True
            )
        self.host, port, self.fingerprint = self._first_line()
        self.port = int(port)
        return self

    def processes(self) -> list[psutil.Process]:
        """Every living process of this server, orphans too; the main one is among them while it lives."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal and assert that it ends cleanly."""
        assert self.process is not None
        shared = self._shared_memory()
        self.process.send_signal(number)
        try:
            status = self.process.wait(END_LIMIT * UNIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server didn't end within {END_LIMIT * UNIT:g} s:\n{self.tail()}") from None
        self._close_stdout()
        assert status == 0, f"the server ended with status {status}:\n{self.tail()}"
        # multiprocessing's resource tracker goes when its pipe does, an instant after the server.
        wait_for(lambda: not self.processes(), "no process of the server left", units=2)
        assert list(self._temporary.iterdir()) == [], "files left in the server's temporary folder"
        assert [path for path in shared if path.exists()] == [], "shared memory objects left"

    def kill(self) -> None:
        """Kill the main process, as nothing could prevent."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._close_stdout()

    def restart(self) -> None:
        """End it cleanly, then start it on the same port and data."""
        self.terminate()
        self.start()

    def tail(self) -> str:
        """The end of its log, for a failure's message."""
        return self.log.read_text(errors="replace")[-4000:]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self.process is not None and self.process.poll() is None and kind is None:
                self.terminate()
        finally:
            for process in self.processes():
                process.kill()
            if self.process is not None:
                self.process.wait()
                self._close_stdout()
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _first_line(self) -> tuple[str, str, str]:
        assert self.process is not None and self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if selector.select(20 * UNIT) else ""
        match = _FIRST_LINE.fullmatch(line)
        assert match is not None, f"the server's first line is {line!r}:\n{self.tail()}"
        return match[1], match[2], match[3]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def _shared_memory(self) -> set[Path]:
        """What its processes have mapped from /dev/shm and not yet unlinked."""
        found: set[Path] = set()
        for process in self.processes():
            try:
                found |= set(map(Path, _SHARED.findall(Path(f"/proc/{process.pid}/maps").read_text())))
            except OSError:
                continue  # it has just ended
        return found

    def _close_stdout(self) -> None:
        assert self.process is not None and self.process.stdout is not None
        self.process.stdout.close()
