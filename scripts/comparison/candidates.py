"""A server under one model, with its log and what the kernel's books say of it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.benchmark.servers import Running

END_LIMIT = 15.0


class Lacking(Exception):
    """This Python can't run the model; the sentence is the server's own."""


@dataclass(frozen=True, slots=True)
class Candidate(Running):
    """A server that runs; `log` is what it has written to stderr."""

    log: Path

    def pids(self) -> list[int]:
        return [process.pid for process in self._tree()]

    def switches(self) -> int:
        """Switches of context so far, of all its threads: those that waited, and those that were made to wait."""
        total = 0
        for pid in self.pids():
            for status in Path(f"/proc/{pid}/task").glob("*/status"):
                with contextlib.suppress(OSError):
                    lines = status.read_text().splitlines()
                    total += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
        return total

    def last_warning(self) -> str:
        """What the server says went wrong, if it does."""
        warnings = [line for line in self.log.read_text().splitlines() if " WARNING " in line]
        return warnings[-1].partition(" WARNING ")[2] if warnings else ""


@contextlib.contextmanager
def candidate(model: str) -> Iterator[Candidate]:
    """A server under `model`, alone on this machine as far as it can tell. Raises `Lacking`."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "server", "--host", "127.0.0.1", "--port", "0", "--data", f"{folder}/data"]
        command += ["--no-beacon", "--rate", "0", "--max-per-address", "0", "--model", model]
        with log.open("wb") as stderr:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise Lacking(log.read_text().strip().removeprefix("chat-server: "))
            yield Candidate(int(line.split()[2].rpartition(b":")[2]), psutil.Process(process.pid), log)
        finally:
            process.terminate()
            try:
                process.wait(END_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class SystemCalls:
    """Counts the system calls of processes, by perf's tracepoint: a few nanoseconds each, unlike strace."""

    def __init__(self, pids: list[int]) -> None:
        self._perf: subprocess.Popen[bytes] | None = None
        if shutil.which("perf"):
            command = ["perf", "stat", "-x", ";", "-e", "raw_syscalls:sys_enter", "-p", ",".join(map(str, pids))]
            self._perf = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def count(self) -> float | None:
        """How many there were since the beginning; None where perf isn't there or isn't allowed to look."""
        if self._perf is None:
            return None
        self._perf.send_signal(signal.SIGINT)
        _, report = self._perf.communicate(timeout=END_LIMIT)
        counted = report.decode().partition(";")[0].strip()
        return float(counted) if counted.isdigit() else None
