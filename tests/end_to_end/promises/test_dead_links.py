"""A half-open connection: the network swallows every packet, and neither side is told. Both notice within 30 s."""

from __future__ import annotations

import json
import time
from pathlib import Path

from scripts.lan_simulation.lan import Lan
from scripts.lan_simulation.network import Network
from scripts.terminal import Terminal
from tests.end_to_end.conftest import Report
from tests.waiting import UNIT, wait_for

PROMISED = 30 * UNIT
"""Seconds until both sides have noticed."""


def test_a_cut_cable_is_noticed_by_both_sides_and_what_was_typed_is_sent_when_it_is_mended(
    tmp_path: Path, report: Report
) -> None:
    with Network() as network:
        switch = network.switch("switch")
        server, bob, alice = (network.host(name) for name in ("server", "bob", "alice"))
        server.plug(switch, "eth0", "10.0.0.1/24")
        cable = bob.plug(switch, "eth0", "10.0.0.2/24")
        alice.plug(switch, "eth0", "10.0.0.3/24")
        lan = Lan(tmp_path)
        lan.serve(server)

        def states() -> dict[str, str]:
            done = lan.client(alice, "--name", "alice", "--who", "--json", "--wait", "0.5")
            return {person["name"]: person["status"] for person in json.loads(done.stdout)[0]["people"]}

        with Terminal(bob.command("chat-client", "--name", "bob"), 100, 30, lan.environment(bob)) as terminal:
            terminal.wait_for("bob on ", "1 #lobby")
            assert lan.client(alice, "--name", "alice", "--send", "hello bob").returncode == 0
            terminal.wait_for("hello bob")
            assert states() == {"bob": "online"}
            switch.cut(cable)
            cut = time.monotonic()
            terminal.type("into the void\r")
            terminal.wait_for("1 pending", "offline", seconds=PROMISED)
            client = time.monotonic() - cut
            wait_for(lambda: "bob" not in states(), "the server knows", cut / UNIT + 30 - time.monotonic() / UNIT)
            everybody = time.monotonic() - cut
            report(f"a cut cable: its client knows after {client:.1f} s, everybody after {everybody:.1f} s")
            switch.mend(cable)
            terminal.wait_for("bob on ", lambda lines: not any("pending" in line for line in lines), seconds=PROMISED)
        heard = lan.client(alice, "--name", "alice", "--tail", "--since", "0", "--count", "2").stdout
    assert [json.loads(line)["text"] for line in heard.splitlines()] == ["hello bob", "into the void"]
