"""The servers that are measured, each started in processes of its own on loopback and ended by its id."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
START_LIMIT = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers at `port`."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """What all its processes have used so far, by the kernel's accounting."""
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory(self) -> int:
        """Bytes that its processes have for themselves, with their share of what they have in common (PSS)."""
        total = 0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
        return total

    def _tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextlib.contextmanager
def chat(*options: str, checkout: Path = HERE.parents[1], data: Path | None = None) -> Iterator[Running]:
    """The chat server as it comes, but for the flood limit; of another checkout, by its own Python, if one is named."""
    own = checkout / ".venv/bin/python"
    python = str(own) if own.exists() else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-m", "server", "--host", "127.0.0.1", "--port", "0", "--data", str(data or folder)]
        command += ["--no-beacon", "--rate", "0", "--max-per-address", "0", *options]
        with _process(command, stdout=subprocess.PIPE, cwd=checkout) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Running(int(line.split()[2].rpartition(b":")[2]), psutil.Process(process.pid))


@contextlib.contextmanager
def relay() -> Iterator[Running]:
    """The floor: scripts/benchmark/relay.c, compiled for this run."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "relay")
        subprocess.run(["cc", "-O2", "-o", program, str(HERE / "relay.c")], check=True)
        with _process([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            yield Running(int(process.stdout.readline()), psutil.Process(process.pid))


@contextlib.contextmanager
def redis() -> Iterator[Running]:
    """Redis pub/sub: plain text, nothing stored."""
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command += ["--client-output-buffer-limit", "pubsub 0 0 0", "--maxclients", "15000", "--daemonize", "no"]
    with _process(command, stdout=subprocess.DEVNULL) as process:
        _wait_for(port)
        yield Running(port, psutil.Process(process.pid))


@contextlib.contextmanager
def ngircd() -> Iterator[Running]:
    """ngircd: plain text, nothing stored."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "ngircd.conf"
        settings.write_text(
            f"[Global]\nName = irc.bench.local\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n"
            "[Limits]\nMaxConnections = 15000\nMaxConnectionsIP = 0\nMaxJoins = 100\nMaxPenaltyTime = 0\n"
            "[Options]\nDNS = no\nIdent = no\nPAM = no\n"
        )
        with _process(["ngircd", "-n", "-f", str(settings)], stdout=subprocess.DEVNULL) as process:
            _wait_for(port)
            yield Running(port, psutil.Process(process.pid))


@contextlib.contextmanager
def nats() -> Iterator[Running]:
    """nats-server core: plain text, nothing stored."""
    port = _free_port()
    command = ["nats-server", "-a", "127.0.0.1", "-p", str(port)]
    with _process(command, stdout=subprocess.DEVNULL) as process:
        _wait_for(port)
        yield Running(port, psutil.Process(process.pid))


PEERS = {"redis": ("redis-server", redis), "ngircd": ("ngircd", ngircd), "nats": ("nats-server", nats)}
"""Other servers, by name: the program (and Debian package) and how to start it."""


def installed_peers() -> list[str]:
    return [name for name, (program, _) in PEERS.items() if shutil.which(program)]


@contextlib.contextmanager
def _process(command: list[str], **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **settings)
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        process.wait(START_LIMIT)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port} after {START_LIMIT:.0f} s")
