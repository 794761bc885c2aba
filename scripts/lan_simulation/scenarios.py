"""Networks that real programs fail in: each is built out of namespaces, and searched from one of its hosts.

`SCENARIOS` names them; a scenario gives what the search came to. tests/end_to_end/test_lan.py says what it must be,
`scripts/lan table` prints it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from scripts.lan_simulation.lan import Lan, Sought
from scripts.lan_simulation.network import Host, Network, Switch

Scenario = Callable[[Network, Lan], Sought]

PATIENCE = 20.0
"""Seconds to wait for what others have to learn first."""


def one_switch(network: Network, lan: Lan) -> Sought:
    """Three hosts on one switch."""
    server, client, _ = _hosts(network, 3)
    lan.serve(server)
    return lan.seek(client)


def two_interfaces(network: Network, lan: Lan) -> Sought:
    """The server has two interfaces, and the client too: they meet in both networks, and it is one server."""
    server, client = network.host("server"), network.host("client")
    for number, switch in enumerate((network.switch("a"), network.switch("b"))):
        server.plug(switch, f"eth{number}", f"10.{number}.0.1/24")
        client.plug(switch, f"eth{number}", f"10.{number}.0.2/24")
    lan.serve(server)
    return lan.seek(client)


def smaller_mask_at_the_client(network: Network, lan: Lan) -> Sought:
    """/25 at the client, /24 at the server: the broadcast addresses differ, yet each can reach the other."""
    return _masks(network, lan, "10.0.0.1/24", "10.0.0.2/25")


def smaller_mask_at_the_server(network: Network, lan: Lan) -> Sought:
    """/25 at the server, /24 at the client, who is outside of it: beacons cross, TCP doesn't come back."""
    return _masks(network, lan, "10.0.0.1/25", "10.0.0.200/24")


def no_broadcast(network: Network, lan: Lan) -> Sought:
    """The client's firewall drops broadcasts; multicasts pass."""
    server, client = _hosts(network, 2)
    client.firewall("input meta pkttype broadcast drop", "output ip daddr 10.0.0.255 drop")
    lan.serve(server)
    return lan.seek(client)


def no_multicast(network: Network, lan: Lan) -> Sought:
    """The client's firewall drops multicasts; broadcasts pass."""
    server, client = _hosts(network, 2)
    client.firewall("input meta pkttype multicast drop", "output ip daddr 224.0.0.0/4 drop")
    lan.serve(server)
    return lan.seek(client)


def isolation(network: Network, lan: Lan) -> Sought:
    """An access point that lets nothing for everybody through; the server was named once before."""
    server, client = _isolated(network)
    lan.serve(server)
    assert lan.client(client, "--name", "bob", "--server", "10.0.0.1", "--send", "met").returncode == 0
    return lan.seek(client)


def isolation_at_first(network: Network, lan: Lan) -> Sought:
    """The same access point, and the server was never met."""
    server, client = _isolated(network)
    lan.serve(server)
    return lan.seek(client)


def vpn(network: Network, lan: Lan) -> Sought:
    """A tunnel at the client holds the default route; the server is in the local network beside it."""
    server, client = _hosts(network, 2)
    _tunnel(client)
    lan.serve(server)
    return lan.seek(client)


def vpn_alone(network: Network, lan: Lan) -> Sought:
    """The same tunnel, and no server."""
    _, client = _hosts(network, 2)
    _tunnel(client)
    return lan.seek(client)


def firewalled_port(network: Network, lan: Lan) -> Sought:
    """The server's firewall lets beacons out, and refuses TCP."""
    server, client = _hosts(network, 2)
    server.firewall("input tcp dport 5050 reject with tcp reset")
    lan.serve(server)
    return lan.seek(client)


def nobody(network: Network, lan: Lan) -> Sought:
    """No server at all."""
    return lan.seek(_hosts(network, 2)[1])


def other_subnet(network: Network, lan: Lan) -> Sought:
    """Two subnets behind a router: a server in the client's one has a hint, and tells of the other."""
    server, client, helper = _subnets(network)
    lan.serve(server, "--name", "far")
    lan.serve(helper, "--name", "near", "--hint", "10.1.0.1")
    return _until(lan, client, "far")


def other_subnet_with_a_relay(network: Network, lan: Lan) -> Sought:
    """The same subnets: a relay in the client's one has the hint."""
    server, client, helper = _subnets(network)
    lan.serve(server, "--name", "far")
    lan.relay(helper, "10.1.0.1")
    return _until(lan, client, "far")


def relay_on_the_router(network: Network, lan: Lan) -> Sought:
    """The same subnets: a relay on the router, without any hint."""
    server, client, _ = _subnets(network)
    lan.serve(server, "--name", "far")
    lan.relay(Host(network, f"{network.prefix}-router"))
    return _until(lan, client, "far")


def nat(network: Network, lan: Lan) -> Sought:
    """The server is behind NAT with forwarded ports and says so; a relay outside has a hint."""
    inside, outside = network.switch("inside"), network.switch("outside")
    server, router, client, helper = (network.host(name) for name in ("server", "router", "client", "helper"))
    server.plug(inside, "eth0", "192.168.0.2/24")
    router.plug(inside, "eth0", "192.168.0.1/24")
    router.plug(outside, "eth1", "10.0.0.1/24")
    client.plug(outside, "eth0", "10.0.0.2/24")
    helper.plug(outside, "eth0", "10.0.0.3/24")
    server.ip("route", "add", "default", "via", "192.168.0.1")
    router.forward()
    router.firewall(
        "prerouting iif eth1 tcp dport 5050 dnat to 192.168.0.2",
        "prerouting iif eth1 udp dport 5051 dnat to 192.168.0.2",
        "postrouting oif eth1 masquerade",
    )
    lan.serve(server, "--name", "far", "--advertise", "10.0.0.1:5050")
    lan.relay(helper, "10.0.0.1")
    return _until(lan, client, "far")


def two_servers(network: Network, lan: Lan) -> Sought:
    """Two servers; the one used last comes first, wherever it stands."""
    first, client, second = _hosts(network, 3)
    lan.serve(first, "--name", "first")
    lan.serve(second, "--name", "second")
    assert lan.client(client, "--name", "bob", "--server", "10.0.0.3", "--send", "met").returncode == 0
    return lan.seek(client)


def late_address(network: Network, lan: Lan) -> Sought:
    """The server's machine gets its address only after the server has started."""
    switch, server, client = network.switch("switch"), network.host("server"), network.host("client")
    client.plug(switch, "eth0", "10.0.0.2/24")
    lan.serve(server)
    server.plug(switch, "eth0", "10.0.0.1/24")
    return _until(lan, client, "")


def noise(network: Network, lan: Lan) -> Sought:
    """Somebody on the switch sends 50,000 random, forged and replayed datagrams a second to everybody."""
    server, client, attacker = _hosts(network, 3)
    lan.serve(server)
    flood = attacker.start(sys.executable, "-m", "scripts.lan_simulation.noise", "10.0.0.255")
    assert flood.stdout is not None
    flood.stdout.readline()  # it has recorded a beacon, and begins
    return lan.seek(client)


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        *(one_switch, two_interfaces, smaller_mask_at_the_client, smaller_mask_at_the_server, no_broadcast),
        *(no_multicast, isolation, isolation_at_first, vpn, vpn_alone, firewalled_port, nobody, other_subnet),
        *(other_subnet_with_a_relay, relay_on_the_router, nat, two_servers, late_address, noise),
    )
}
"""By name."""


# --- pieces -------------------------------------------------------------------------------------------------------


def _hosts(network: Network, count: int) -> list[Host]:
    """Hosts on one switch: 10.0.0.1, 10.0.0.2 …"""
    switch = network.switch("switch")
    hosts = [network.host(f"h{number}") for number in range(1, count + 1)]
    for number, host in enumerate(hosts, start=1):
        host.plug(switch, "eth0", f"10.0.0.{number}/24")
    return hosts


def _masks(network: Network, lan: Lan, server_address: str, client_address: str) -> Sought:
    switch, server, client = network.switch("switch"), network.host("server"), network.host("client")
    server.plug(switch, "eth0", server_address)
    client.plug(switch, "eth0", client_address)
    lan.serve(server)
    return lan.seek(client)


def _isolated(network: Network) -> tuple[Host, Host]:
    server, client = _hosts(network, 2)
    everybody = "{ 10.0.0.255, 255.255.255.255, 224.0.0.0/4 }"
    client.firewall(f"input ip daddr {everybody} drop")
    server.firewall(f"input ip daddr {everybody} drop")
    return server, client


def _tunnel(host: Host) -> None:
    host.plug(host.network.switch("provider"), "tun0", "172.16.0.9/32")
    host.ip("route", "add", "default", "dev", "tun0")


def _subnets(network: Network) -> tuple[Host, Host, Host]:
    """A server in one subnet, a client and a helper in another, and a router between them."""
    switches: list[Switch] = [network.switch("a"), network.switch("b")]
    server, router, client, helper = (network.host(name) for name in ("server", "router", "client", "helper"))
    server.plug(switches[0], "eth0", "10.1.0.1/24")
    client.plug(switches[1], "eth0", "10.2.0.2/24")
    helper.plug(switches[1], "eth0", "10.2.0.3/24")
    for number, switch in enumerate(switches, start=1):
        router.plug(switch, f"eth{number}", f"10.{number}.0.254/24")
    router.forward()
    server.ip("route", "add", "default", "via", "10.1.0.254")
    for host in (client, helper):
        host.ip("route", "add", "default", "via", "10.2.0.254")
    return server, client, helper


def _until(lan: Lan, client: Host, name: str) -> Sought:
    """Search until the server of that name (any, if empty) is found: others have to learn of it first."""
    deadline = time.monotonic() + PATIENCE
    while True:
        sought = lan.seek(client)
        if any(not name or found == name for found in sought.names) or time.monotonic() > deadline:
            return sought
