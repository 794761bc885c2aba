"""The command line of `scripts/lan`: a network of N hosts on one switch, to try things out in."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from scripts.lan_simulation.lan import Lan
from scripts.lan_simulation.network import NAMES, CannotSimulate, Network
from scripts.lan_simulation.scenarios import SCENARIOS

PREFIX = "lan-chat"


def main() -> int:
    parser = argparse.ArgumentParser("scripts/lan", description=__doc__, allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True)
    up = actions.add_parser("up", help="build a network of hosts h1, h2 … with addresses 10.77.0.1, 10.77.0.2 …")
    up.add_argument("hosts", type=int, choices=range(1, 101), metavar="N")
    inside = actions.add_parser("in", help="run a command in a host: scripts/lan in h2 chat-client --who")
    inside.add_argument("host")
    inside.add_argument("command", nargs=argparse.REMAINDER)
    actions.add_parser("down", help="end what runs in the network and remove it")
    actions.add_parser("table", help="look for a server in every network that programs fail in; prints what came of it")
    chosen = parser.parse_args()
    try:
        network = Network(PREFIX)
    except CannotSimulate as lack:
        print(f"scripts/lan: {lack}", file=sys.stderr)
        return 1
    if chosen.action == "in":
        return _enter(chosen.host, chosen.command)
    network.remove()
    if chosen.action == "table":
        _print_table(network)
    if chosen.action == "up":
        switch = network.switch("switch")
        for number in range(1, chosen.hosts + 1):
            network.host(f"h{number}").plug(switch, "eth0", f"10.77.0.{number}/24")
        print(f"{chosen.hosts} hosts; next: scripts/lan in h1 chat-server --data /tmp/lan-chat-h1")
    return 0


def _print_table(network: Network) -> None:
    """Search in each scenario and print a row of a Markdown table as soon as it is known."""
    print("| the network | found after, or explained by |\n|---|---|")
    for scenario in SCENARIOS.values():
        with tempfile.TemporaryDirectory() as folder:
            try:
                sought = scenario(network, Lan(Path(folder)))
            finally:
                network.remove()
        found = sought.trouble if sought.seconds is None else f"{sought.seconds:.2f} s"
        print(f"| {(scenario.__doc__ or '').splitlines()[0]} | {found} |", flush=True)


def _enter(host: str, command: list[str]) -> int:
    namespace = f"{PREFIX}-{host}"
    if not (NAMES / namespace).exists() or not command:
        print("scripts/lan: there is no such host, or no command; see scripts/lan --help", file=sys.stderr)
        return 2
    # A user on each host, so that every host has keys of its own.
    os.environ.setdefault("CHAT_HOME", f"/tmp/{namespace}-home")
    os.environ["PATH"] = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    os.execvp("ip", ["ip", "netns", "exec", namespace, *command])


if __name__ == "__main__":
    sys.exit(main())
