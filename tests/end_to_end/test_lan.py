"""Discovery on simulated networks. Each test makes its own out of network namespaces: it needs root, iproute2 and
nftables, and says so if they are missing; no packet leaves the namespaces.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lan_simulation.network import NAMES, Host, Network
from tests.waiting import UNIT


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network
    assert not list(NAMES.glob(f"{network.prefix}-*"))


class Lan:
    """Servers and clients in the hosts of a network, each with its own folder."""

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
            assert selector.select(20 * UNIT)
        assert server.stdout.readline().startswith("listening on ")
        return server

    def client(self, host: Host, *options: str) -> subprocess.CompletedProcess[str]:
        home = {"CHAT_HOME": str(self._folder / f"home-{host.namespace}"), "CHAT_DISCOVERY": "lan"}
        return host.run("chat-client", *options, check=False, environment=home)


@pytest.fixture
def lan(tmp_path: Path) -> Lan:
    return Lan(tmp_path)


def test_three_hosts_on_one_switch(network: Network, lan: Lan) -> None:
    switch = network.switch("switch")
    hosts = [network.host(f"h{number}") for number in range(3)]
    for number, host in enumerate(hosts):
        host.plug(switch, "eth0", f"10.0.0.{number + 1}/24")
    lan.serve(hosts[0], "--name", "Office")
    assert lan.client(hosts[1], "--name", "bob", "--send", "hello").stdout == "lobby #1\n"
    tail = lan.client(hosts[2], "--name", "alice", "--tail", "--since", "0", "--count", "1")
    assert json.loads(tail.stdout)["text"] == "hello"
    (server,) = json.loads(lan.client(hosts[2], "--who", "--json").stdout)
    assert (server["name"], server["address"]) == ("Office", "10.0.0.1:5050")


def test_a_network_leaves_nothing_behind() -> None:
    with Network() as network:
        switch, host = network.switch("s"), network.host("h")
        host.plug(switch, "eth0", "10.0.0.1/24")
        sleeper = host.start("sleep", "600")
        assert len(list(NAMES.glob(f"{network.prefix}-*"))) == 2
    assert sleeper.wait(5) != 0
    assert not list(NAMES.glob(f"{network.prefix}-*"))


def test_nothing_leaves_a_namespace(network: Network) -> None:
    host = network.host("h")
    host.plug(network.switch("s"), "eth0", "10.0.0.1/24")
    links = host.ip("-brief", "link").splitlines()
    assert sorted(line.split()[0].split("@")[0] for line in links) == ["eth0", "lo"]
    assert os.listdir("/sys/class/net") and not Path("/sys/class/net/port1").exists()
