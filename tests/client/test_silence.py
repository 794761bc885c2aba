"""`Connection` and silence: who says nothing is asked, and given up at last; who is asked says that they live."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from chat.messages import Join, Message, Ping, Pong, Unknown
from chat.protocol import DEAD_LINK, PROBE_AFTER
from client import connection as module
from client.failures import Unreachable
from tests.client.peers import Peer, open_as_bob, served, wait_for_hangup
from tests.waiting import UNIT


@pytest.mark.parametrize("steps", ["accept", "hello", "proof"])
def test_a_silent_server_is_given_up_within_the_limit(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_LIMIT", 0.3 * UNIT)

    def script(peer: Peer) -> None:
        if steps == "hello":
            peer.frame()
        if steps == "proof":
            peer.shake_hands()
            peer.read()
        wait_for_hangup(peer)

    with served(script) as address, pytest.raises(Unreachable, match="broke off the login"):
        open_as_bob(address, tmp_path, heartbeat=0.05)


def test_a_server_that_drips_does_not_outlast_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_LIMIT", 0.3 * UNIT)

    def script(peer: Peer) -> None:
        stop = threading.Event()
        peer.sock.sendall(b"\xff\xff")
        try:
            while not stop.wait(0.02):
                peer.sock.sendall(b"x")
        except OSError:
            pass

    with served(script) as address, pytest.raises(Unreachable):
        open_as_bob(address, tmp_path)


@pytest.mark.parametrize("heartbeat", [0.05 * UNIT, 60 * UNIT])
def test_silence_is_pinged_and_then_given_up(heartbeat: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener asks when the heartbeat is due, and whoever said something asks as soon as the answer is late."""
    monkeypatch.setattr(module, "DEAD", 0.3 * UNIT)
    monkeypatch.setattr(module, "EAGER", 0.1 * UNIT)
    heard: list[Message | Unknown] = []

    def script(peer: Peer) -> None:
        peer.welcome()
        with suppress(OSError):
            while True:
                heard.extend(peer.read())

    with served(script) as address, open_as_bob(address, tmp_path, heartbeat=heartbeat) as connection:
        if heartbeat > UNIT:
            connection.send(Join("j", "lobby"))
        assert list(connection) == []
        assert connection.ended.startswith("The server was silent")
    assert [type(message) for message in heard[-1:]] == [Ping]
    assert len(heard) == (2 if heartbeat > UNIT else 1)


def test_the_kernel_is_told_when_a_link_is_dead(tmp_path: Path) -> None:
    with served(lambda peer: peer.welcome()) as address, open_as_bob(address, tmp_path) as connection:
        sock = connection._socket
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1_000 * DEAD_LINK
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == PROBE_AFTER


def test_who_only_listens_in_a_busy_room_still_says_that_they_live(tmp_path: Path) -> None:
    pings: list[Message | Unknown] = []

    def script(peer: Peer) -> None:
        peer.welcome()
        peer.sock.settimeout(0.005 * UNIT)
        for _ in range(2_000):  # never silent for a heartbeat
            peer.write(Pong("busy"))
            with suppress(TimeoutError):
                pings.extend(peer.read())
            if len(pings) >= 2:
                return

    with served(script) as address, open_as_bob(address, tmp_path, heartbeat=0.05 * UNIT) as connection:
        assert Pong("busy") in list(connection)
    assert len(pings) >= 2
