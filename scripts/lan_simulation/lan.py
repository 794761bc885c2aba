"""Servers and clients in the hosts of a simulated network, each with a folder of its own."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from scripts.lan_simulation.network import Host

START_LIMIT = 20.0


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search has come to; without a server `seconds` is None."""

    seconds: float | None = None
    names: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    trouble: str = ""
    verdicts: dict[str, str] = field(default_factory=dict)
    """The reason that the explanation gives for each interface's silence."""


class Lan:
    """Starts programs in hosts; what it starts ends with the network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def serve(self, host: Host, *options: str) -> subprocess.Popen[str]:
        """Start a server and wait until it listens."""
        data = self._folder / f"data-{host.namespace}"
        with data.with_suffix(".log").open("ab") as log:
            server = host.start("chat-server", "--data", str(data), "--workers", "1", *options, stderr=log)
        assert server.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(server.stdout, selectors.EVENT_READ)
            if not selector.select(START_LIMIT) or not server.stdout.readline().startswith("listening on "):
                raise RuntimeError(f"the server doesn't start: {data.with_suffix('.log').read_text()}")
        return server

    def relay(self, host: Host, *hints: str) -> subprocess.Popen[str]:
        """Start a relay between the host's networks, and those of the hints."""
        options = [word for hint in hints for word in ("--hint", hint)]
        with (self._folder / f"relay-{host.namespace}.log").open("ab") as log:
            return host.start("chat-server", "--relay", *options, stderr=log)

    def client(self, host: Host, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a client to its end."""
        return host.run("chat-client", *options, check=False, environment=self.environment(host))

    def start_client(self, host: Host, *options: str) -> subprocess.Popen[str]:
        """Start a client."""
        return host.start("chat-client", *options, environment=self.environment(host))

    def seek(self, host: Host, *options: str) -> Sought:
        """Look for a server from a host."""
        seek = (sys.executable, "-m", "scripts.lan_simulation.seek")
        done = host.run(*seek, *options, environment=self.environment(host))
        return Sought(**json.loads(done.stdout))

    def environment(self, host: Host) -> dict[str, str]:
        """What a client in this host needs in its environment, beside the usual."""
        return {"CHAT_HOME": str(self._folder / f"home-{host.namespace}"), "CHAT_DISCOVERY": "lan"}
