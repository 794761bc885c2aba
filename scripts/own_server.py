"""A `chat-server` of a script's own: on loopback, on a free port, in a temporary folder, gone with the script.

with OwnServer("--workers", "2") as server:
    ...  server.address, server.processes(), server.kill_main(), server.start()
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Self

import psutil

from server.datafolder import gauges_of
from server.gauges import figures_of, process_ids

MARK = "CHAT_SCRIPT_MARK"
"""An environment variable that every process of the server inherits, so that orphans are found too."""


class DidNotStart(SystemExit):
    """It ended before it served; what it said is in the message."""


class OwnServer:
    """Without a flood limit and without beacons, for scripts that load it; `options` are added to the command."""

    def __init__(self, *options: str) -> None:
        self.address = ("127.0.0.1", 0)
        self.folder = Path(tempfile.mkdtemp(prefix="chat-script-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.main: subprocess.Popen[str]
        self._options = options
        self._mark = uuid.uuid4().hex

    def start(self) -> None:
        """Start it and wait until it serves; a second start takes the same port and data."""
        host, port = self.address
        command = [str(Path(sys.executable).with_name("chat-server")), "--host", host, "--port", str(port)]
        command += ["--data", str(self.data), "--rate", "0", "--max-per-address", "0", "--no-beacon", *self._options]
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {**os.environ, MARK: self._mark, "TMPDIR": str(temporary)}
        with self.log.open("ab") as log:
            self.main = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True, start_new_session=True
            )
        assert self.main.stdout is not None
        line = self.main.stdout.readline()
        if not line.startswith("listening on "):
            raise DidNotStart(f"The server didn't start; it said:\n{self.log.read_text()}")
        self.address = (host, int(line.split()[2].rpartition(":")[2]))

    def processes(self) -> list[psutil.Process]:
        """Its living processes, whoever their parent is now."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def stages(self) -> dict[str, psutil.Process]:
        """Its living processes by their part: reader, journal, manager, worker 0 …"""
        try:
            pids = process_ids(figures_of(gauges_of(self.data)))
        except OSError:
            return {}  # it is just starting, or has just ended
        alive = {process.pid: process for process in self.processes()}
        return {name: alive[pid] for name, pid in pids.items() if pid in alive}

    def kill_main(self) -> None:
        self.main.kill()
        self._reap()

    def terminate(self) -> int:
        """End it by SIGTERM; its exit status."""
        self.main.terminate()
        return self._reap()

    def wait_until_gone(self, limit: float) -> bool:
        """Whether no process of it is left within `limit` seconds."""
        deadline = time.monotonic() + limit
        while self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.main.poll() is None:
            self.terminate()
        for process in self.processes():
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _reap(self) -> int:
        try:
            status = self.main.wait(10)
        except subprocess.TimeoutExpired:
            self.main.kill()
            status = self.main.wait()
        if self.main.stdout is not None:
            self.main.stdout.close()
        return status

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
