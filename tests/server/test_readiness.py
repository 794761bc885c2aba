"""sd_notify: what systemd is told, over the socket that it would listen on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from server.readiness import READY, notify
from tests.waiting import UNIT


def test_one_datagram_to_the_socket_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (str(tmp_path / "notify"), f"@{tmp_path}/abstract"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(address.replace("@", "\0"))
            systemd.settimeout(5 * UNIT)
            monkeypatch.setenv("NOTIFY_SOCKET", address)
            notify(READY)
            assert systemd.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(READY)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify(READY)
