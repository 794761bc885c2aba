"""The benchmark's short form, and that its checker finds what is wrong: figures of a broken stream mean nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.ciphers import SendingHalf
from chat.frames import frame
from scripts.benchmark.members import text_of
from scripts.benchmark.receiver import Failed, Receiver, Stream

KEY = b"k" * 32


class Heard:
    """A receiver, and what it is sent."""

    def __init__(self, key: bytes | None) -> None:
        self.server, client = socket.socketpair()
        self.client = client
        self.receiver = Receiver()
        self.receiver.add(client, Stream(key, 0))

    def turn(self, data: bytes) -> int:
        self.server.sendall(data)
        return self.receiver.turn(1.0, 64, timed=True)


@pytest.fixture
def plain() -> Iterator[Heard]:
    yield from _heard(None)


@pytest.fixture
def encrypted() -> Iterator[Heard]:
    yield from _heard(KEY)


def _heard(key: bytes | None) -> Iterator[Heard]:
    heard = Heard(key)
    yield heard
    heard.receiver.close()
    heard.server.close()
    heard.client.close()


def texts(*numbers: int) -> bytes:
    return b"".join(text_of(number, 1_000).encode() for number in numbers)


def test_what_comes_in_pieces_is_counted_once(plain: Heard) -> None:
    stream = texts(1, 2, 3)
    assert [plain.turn(part) for part in (stream[:120], stream[120:250], stream[250:])] == [1, 2, 0]
    assert plain.turn(b"noise # of #12 others" + texts(4)) == 1
    assert len(plain.receiver.take_latencies()) == 4 and plain.receiver.take_latencies() == []


@pytest.mark.parametrize("numbers", [(2,), (1, 3), (1, 1), (2, 1)])
def test_a_hole_a_double_and_another_order_are_found(plain: Heard, numbers: tuple[int, ...]) -> None:
    with pytest.raises(Failed, match="a member got"):
        plain.turn(texts(*numbers))


def test_a_double_in_the_next_piece_is_found(plain: Heard) -> None:
    assert plain.turn(texts(1, 2)) == 2
    with pytest.raises(Failed, match="a member got 1 when 3 was next"):
        plain.turn(texts(1, 2))


def test_frames_are_decrypted_in_their_order(encrypted: Heard) -> None:
    half = SendingHalf(KEY)
    one, two, three = (frame(half.encrypt(texts(number))) for number in (1, 2, 3))
    assert [encrypted.turn(part) for part in (one[:1], one[1:50], one[50:] + two)] == [0, 0, 2]
    with pytest.raises(Failed, match="decrypted"):
        encrypted.turn(two + three)


def test_an_end_is_found(plain: Heard) -> None:
    plain.server.shutdown(socket.SHUT_RDWR)
    with pytest.raises(Failed, match="closed"):
        plain.receiver.turn(1.0, 64)


def test_the_short_form_measures_the_server_beside_the_floor(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmark", "--short", "--runs", "1", "--against"]
    command += ["--json", str(tmp_path / "figures.json"), "--only", "saturated", "latency", "rooms"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "figures.json").read_text())["results"]
    assert set(results) == {"relay", "chat"}
    assert results["chat"]["deliveries_per_s"][0] > 0.02 * results["relay"]["deliveries_per_s"][0]
    assert "20 rooms of 10: CPU µs a delivery" in done.stdout
