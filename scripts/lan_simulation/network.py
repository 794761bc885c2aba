"""`Network` builds a simulated network and takes it down again; `Host` runs commands in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

NAMES = Path("/run/netns")
BIN = Path(sys.executable).parent
"""Where `chat-server` and `chat-client` are installed."""


class CannotSimulate(Exception):
    """What is missing, as a sentence."""


class Network:
    """Hosts and switches under one prefix. Leaving the `with` ends every process in them and removes them."""

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = prefix or f"lan{os.getpid()}"
        self._links = 0
        if shutil.which("ip") is None:
            raise CannotSimulate("Simulated networks need the command ip; install iproute2.")
        if os.geteuid() != 0:
            raise CannotSimulate("Only root may make network namespaces; run this as root.")

    def __enter__(self) -> Self:
        self.remove()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def host(self, name: str) -> Host:
        """A new host with nothing but its loopback interface."""
        host = Host(self, f"{self.prefix}-{name}")
        _ip("netns", "add", host.namespace)
        host.ip("link", "set", "lo", "up")
        return host

    def switch(self, name: str) -> Switch:
        """A new switch: a bridge in a namespace of its own."""
        switch = Switch(self, f"{self.prefix}-{name}")
        _ip("netns", "add", switch.namespace)
        # No snooping: nobody here asks who is in which group, and after a while the bridge would take silence for no.
        switch.ip("link", "add", "bridge", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        switch.ip("link", "set", "bridge", "up")
        return switch

    def link_name(self) -> str:
        """A name that no other interface of this network has."""
        self._links += 1
        return f"port{self._links}"

    def remove(self) -> None:
        """End all processes in the network's namespaces, and remove these."""
        namespaces = [path.name for path in NAMES.glob(f"{self.prefix}-*")]
        for namespace in namespaces:
            for pid in _ip("netns", "pids", namespace).split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for namespace in namespaces:
            _ip("netns", "del", namespace)


class _Namespace:
    def __init__(self, network: Network, namespace: str) -> None:
        self.network = network
        self.namespace = namespace

    def ip(self, *arguments: str) -> str:
        """`ip` in this namespace."""
        return _ip("-n", self.namespace, *arguments)


class Switch(_Namespace):
    """A layer-2 switch."""

    def isolate(self, interface: str) -> None:
        """Let the host behind this port reach only the ports that aren't isolated, as access points do."""
        self.ip("link", "set", interface, "type", "bridge_slave", "isolated", "on")

    def cut(self, port: str) -> None:
        """Swallow all that goes through this port from now on; neither side is told."""
        self.ip("link", "set", port, "nomaster")

    def mend(self, port: str) -> None:
        """Undo `cut`."""
        self.ip("link", "set", port, "master", "bridge")


class Host(_Namespace):
    """A machine with its own interfaces, routes and firewall."""

    def plug(self, switch: Switch, interface: str, *addresses: str) -> str:
        """Connect to a switch by a new interface with these addresses (`10.0.0.1/24`); gives the switch's port."""
        port = self.network.link_name()
        _ip(
            *("link", "add", "name", interface, "netns", self.namespace, "type", "veth"),
            *("peer", "name", port, "netns", switch.namespace),
        )
        switch.ip("link", "set", port, "master", "bridge", "up")
        self.ip("link", "set", interface, "up")
        for address in addresses:
            self.ip("address", "add", address, "broadcast", "+", "dev", interface)
        return port

    def firewall(self, *rules: str) -> None:
        """Add nftables rules, such as `input udp dport 5051 drop` or `forward ip daddr 10.0.0.1 accept`."""
        script = ["table ip chat {}"]
        for chain in dict.fromkeys(rule.split()[0] for rule in rules):
            base, *_ = chain.split("_")
            kind = "nat" if chain in ("prerouting", "postrouting") else "filter"
            script.append(f"add chain ip chat {chain} {{ type {kind} hook {base} priority 0; }}")
        script += [f"add rule ip chat {rule}" for rule in rules]
        self.run("nft", "-f", "-", stdin="\n".join(script))

    def forward(self) -> None:
        """Be a router."""
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")

    def run(self, *command: str, stdin: str = "", limit: float = 30, check: bool = True,
            environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Run a command to its end. Raises CalledProcessError if it fails, unless `check` is false."""
        done = subprocess.run(
            self.command(*command),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
            env={**os.environ, **(environment or {})},
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)} in {self.namespace}: status {done.returncode}: {done.stderr}")
        return done

    def start(
        self, *command: str, environment: dict[str, str] | None = None, stderr: IO[bytes] | int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a command whose output is read from the result's `stdout`."""
        return subprocess.Popen(
            self.command(*command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def command(self, *command: str) -> list[str]:
        """The command line that runs this command here."""
        program = BIN / command[0]
        first = str(program) if program.exists() else command[0]
        return ["ip", "netns", "exec", self.namespace, first, *command[1:]]


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
