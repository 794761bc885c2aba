"""Writing to many: a room's messages reach everyone once and in order, whatever becomes of the others."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chat.ciphers import TAG, ReceivingHalf, SendingHalf, encrypt_each
from chat.frames import Cutter
from server import delivery
from server.bursts import BURST, BURST_BYTES, Bursts
from server.delivery import Delivery, Tally

COUNT = 3 * BURST + 1


def key_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


class Member:
    """A delivery and its other end, which decrypts."""

    def __init__(self, number: int) -> None:
        ours, self.sock = socket.socketpair()
        ours.setblocking(False)
        self.sock.settimeout(20)
        self.delivery = Delivery(number, ours, key_of(number))
        self._cutter = Cutter()
        self._cipher = ReceivingHalf(key_of(number))

    def read(self) -> list[bytes]:
        """One frame or more, as messages."""
        return [self._cipher.decrypt(payload) for payload in self._cutter.feed(self.sock.recv(1 << 20))]


@pytest.fixture
def room() -> Iterator[list[Member]]:
    members = [Member(number) for number in range(COUNT)]
    yield members
    for member in members:
        member.delivery.close()
        member.sock.close()


def test_encrypting_for_each_is_encrypting_one_by_one() -> None:
    one, two = ([SendingHalf(key_of(number), counter=number) for number in range(3)] for _ in range(2))
    for text in (b"a", b"b" * 1000):
        buffers = [memoryview(bytearray(len(text) + TAG)) for _ in one]
        encrypt_each(one, text, buffers)
        assert [bytes(buffer) for buffer in buffers] == [half.encrypt(text) for half in two]


def test_everybody_gets_the_rooms_messages_once_and_in_order(room: list[Member]) -> None:
    tally = Tally()
    bursts = Bursts(tally)
    for text in (b"one", b"two" * (BURST_BYTES // 30), b"three", b"forty"):  # the long one in bursts of a few
        pieces = (text,)
        assert bursts.write_all({member.delivery: pieces for member in room}) == []
        assert [member.read() for member in room] == [[text]] * COUNT
    assert tally.sends == 4 * COUNT and tally.full_sockets == 0


def test_rooms_and_single_messages_in_one_round(room: list[Member]) -> None:
    here, there = (b"here",), (b"there",)
    outgoing: dict[Delivery, tuple[bytes, ...]] = {}
    for number, member in enumerate(room):
        outgoing[member.delivery] = (b"%d" % number, b" both") if number % 10 == 7 else there if number % 3 else here
    Bursts(Tally()).write_all(outgoing)
    for member in room:
        assert member.read() == [b"".join(outgoing[member.delivery])]


def test_one_that_is_full_and_one_that_is_gone_cost_the_others_nothing(
    room: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    full, gone = room[1], room[2]
    tally = Tally()
    while not tally.full_sockets:
        full.delivery.write([b"x" * 60_000], tally)
    gone.sock.close()
    pieces = (b"for all",)
    assert Bursts(Tally()).write_all({member.delivery: pieces for member in room}) == []
    assert full.delivery.waiting >= len(b"for all")  # behind what the socket hasn't taken yet
    assert [member.read() for member in room if member not in (full, gone)] == [[b"for all"]] * (COUNT - 2)
    monkeypatch.setattr(delivery, "MAX_BACKLOG", full.delivery.waiting)
    assert Bursts(Tally()).write_all({member.delivery: pieces for member in room if member is not gone}) == [
        full.delivery
    ]


def test_what_a_socket_takes_a_part_of_is_sent_on(room: list[Member]) -> None:
    member = room[0]
    member.delivery.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    text = b"y" * 30_000
    tally = Tally()
    bursts = Bursts(tally)
    count = 0
    while not tally.full_sockets:
        bursts.write_all({member.delivery: (text,)})
        count += 1
    got: list[bytes] = []
    while len(got) < count:
        got += member.read()
        member.delivery.flush(tally)
    assert got == [text] * count
