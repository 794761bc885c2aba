"""Discovery in every network of scripts/lan_simulation/scenarios.py, and what they are made of.

They need root, iproute2 and nftables, and say so if these are missing; no packet leaves their namespaces.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lan_simulation.lan import Lan
from scripts.lan_simulation.network import NAMES, Network
from scripts.lan_simulation.scenarios import SCENARIOS
from tests.waiting import UNIT, wait_for

FOUND_WITHIN = 1.5
"""Seconds that people are promised."""


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network
    assert not list(NAMES.glob(f"{network.prefix}-*"))


@pytest.fixture
def lan(tmp_path: Path) -> Lan:
    return Lan(tmp_path)


FOUND = {
    "one_switch": "10.0.0.1:5050",
    "two_interfaces": "10.",
    "smaller_mask_at_the_client": "10.0.0.1:5050",
    "no_broadcast": "10.0.0.1:5050",
    "no_multicast": "10.0.0.1:5050",
    "isolation": "10.0.0.1:5050",
    "vpn": "10.0.0.1:5050",
    "other_subnet": "10.1.0.1:5050",
    "other_subnet_with_a_relay": "10.1.0.1:5050",
    "relay_on_the_router": "10.1.0.1:5050",
    "nat": "10.0.0.1:5050",
    "two_servers": "10.0.0.3:5050",
    "late_address": "10.0.0.1:5050",
    "noise": "10.0.0.1:5050",
}
"""The address at which a server must be found; where there are several, that of the first or of the far one."""

EXPLAINED = {
    "smaller_mask_at_the_server": ("netmask", "Give both machines the same netmask"),
    "isolation_at_first": ("silent", "keeps its clients apart"),
    "vpn_alone": ("vpn", "a VPN"),
    "firewalled_port": ("refused", "a firewall closes the port"),
    "nobody": ("silent", "no server on this network"),
}
"""The reason that is given where none can be found, and words of its sentence."""


def test_every_scenario_has_its_expectation() -> None:
    assert {*FOUND, *EXPLAINED} == set(SCENARIOS)


@pytest.mark.parametrize("scenario", FOUND)
def test_a_server_is_found(scenario: str, network: Network, lan: Lan) -> None:
    sought = SCENARIOS[scenario](network, lan)
    assert sought.seconds is not None, sought
    assert sought.seconds <= FOUND_WITHIN * UNIT
    assert any(address.startswith(FOUND[scenario]) for address in sought.addresses)
    if scenario in ("two_interfaces", "two_servers", "noise"):
        assert len(sought.addresses) == len(set(sought.names)), "a server is one line"
    if scenario == "two_servers":
        assert sought.addresses[0] == FOUND[scenario]


@pytest.mark.parametrize("scenario", EXPLAINED)
def test_why_none_is_found_is_explained(scenario: str, network: Network, lan: Lan) -> None:
    sought = SCENARIOS[scenario](network, lan)
    reason, words = EXPLAINED[scenario]
    assert reason in sought.verdicts.values(), sought
    assert words in sought.trouble or words in str(sought), sought


def test_who_listens_goes_with_a_server_that_moves_to_another_address(network: Network, lan: Lan) -> None:
    switch = network.switch("switch")
    server, listener, speaker = (network.host(f"h{number}") for number in range(3))
    server.plug(switch, "eth0", "10.0.0.1/24")
    listener.plug(switch, "eth0", "10.0.0.2/24")
    speaker.plug(switch, "eth0", "10.0.0.3/24")
    lan.serve(server)
    assert lan.client(speaker, "--name", "alice", "--send", "before").returncode == 0
    tail = lan.start_client(listener, "--name", "bob", "--tail", "--since", "0", "--count", "2")
    assert tail.stdout is not None
    assert json.loads(tail.stdout.readline())["text"] == "before"
    server.ip("address", "del", "10.0.0.1/24", "dev", "eth0")
    server.ip("address", "add", "10.0.0.77/24", "broadcast", "+", "dev", "eth0")
    sent = wait_for(lambda: lan.client(speaker, "--name", "alice", "--send", "after").stdout, "it is found again")
    assert sent == "lobby #2\n"
    assert json.loads(tail.stdout.readline())["text"] == "after"
    assert tail.wait(10 * UNIT) == 0


def test_three_hosts_on_one_switch_talk(network: Network, lan: Lan) -> None:
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
