"""The way to one client, over a real pair of sockets: backlog, edges, bounds and farewells."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from chat.ciphers import ReceivingHalf, SendingHalf
from chat.codec import MAX_PLAINTEXT, decode, encode
from chat.frames import Cutter
from chat.messages import Goodbye, Pong
from server import delivery
from server.delivery import LOW_BACKLOG, MAX_BACKLOG, Delivery, Tally
from server.flusher import Flusher
from server.gauges import FLUSHER, Panel
from tests.waiting import wait_for

KEY = b"k" * 32


class Client:
    """The other end of a delivery."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._cutter = Cutter()
        self._cipher = ReceivingHalf(KEY)

    def read(self, count: int | None = None) -> list[bytes]:
        """Plaintexts until so many bytes of them have come, or until the end."""
        texts: list[bytes] = []
        while count is None or sum(map(len, texts)) < count:
            data = self.sock.recv(1 << 20)
            if not data:
                break
            texts += [self._cipher.decrypt(payload) for payload in self._cutter.feed(data)]
        return texts


@pytest.fixture
def pair() -> Iterator[tuple[Delivery, Client]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(20)
    with theirs:
        way = Delivery(1, ours, KEY)
        yield way, Client(theirs)
        way.close()


def new_flusher() -> Flusher:
    panel = Panel(memoryview(bytearray(8 * len(FLUSHER))).cast("q"), FLUSHER, 0)
    return Flusher(lambda delivery: None, panel)


@pytest.fixture
def flusher() -> Iterator[Flusher]:
    flusher = new_flusher()
    flusher.start()
    yield flusher
    flusher.stop()


def test_an_idle_socket_gets_it_at_once_and_in_one_send(pair: tuple[Delivery, Client]) -> None:
    way, client = pair
    tally = Tally()
    assert way.write([b"one", b"two", b"three"], tally)
    assert way.waiting == 0
    assert client.read(11) == [b"onetwothree"]  # one frame
    assert (tally.sends, tally.full_sockets) == (1, 0)


def test_messages_are_packed_into_as_few_frames_as_fit(pair: tuple[Delivery, Client]) -> None:
    way, client = pair
    way.write([b"x" * 30_000] * 3, Tally())
    assert [len(text) for text in client.read(90_000)] == [60_000, 30_000]
    assert 60_000 < MAX_PLAINTEXT < 90_000


def test_what_a_full_socket_refuses_waits_for_the_edge(pair: tuple[Delivery, Client], flusher: Flusher) -> None:
    way, client = pair
    flusher.add(way)
    tally = Tally()
    messages = [bytes([number]) * 50_000 for number in range(60)]
    assert way.write(messages, tally)
    assert way.waiting > 0 and tally.full_sockets == 1
    assert way.write([b"last"], tally)
    assert tally.full_sockets == 1  # not tried again: the flusher has it in hand
    assert b"".join(client.read(3_000_004)) == b"".join(messages) + b"last"
    assert way.waiting == 0
    flusher.remove(way)


def test_two_threads_never_mix_frames_or_counters(pair: tuple[Delivery, Client], flusher: Flusher) -> None:
    way, client = pair
    flusher.add(way)

    def write() -> None:
        for number in range(2_000):
            assert way.write([number.to_bytes(4, "big") * 100], Tally())

    thread = threading.Thread(target=write)
    thread.start()
    received = b"".join(client.read(800_000))  # a counter used twice or out of turn would not decrypt
    thread.join()
    assert received == b"".join(number.to_bytes(4, "big") * 100 for number in range(2_000))
    flusher.remove(way)


def test_a_backlog_has_a_bound(pair: tuple[Delivery, Client]) -> None:
    way, _ = pair
    tally = Tally()
    message = b"x" * 60_000
    for _ in range(2 * MAX_BACKLOG // len(message)):
        if not way.write([message], tally):
            break
    else:
        raise AssertionError("a client that never reads was given everything")
    assert LOW_BACKLOG < way.waiting <= MAX_BACKLOG


def test_one_message_larger_than_the_bound_still_goes_to_an_idle_client(pair: tuple[Delivery, Client]) -> None:
    way, client = pair
    batch = [b"x" * 60_000] * (1 + MAX_BACKLOG // 60_000)
    assert way.write(batch, Tally())
    assert client.sock.recv(10)


def test_who_is_dropped_can_still_read_the_farewell(pair: tuple[Delivery, Client], flusher: Flusher) -> None:
    way, client = pair
    flusher.add(way)
    way.write([encode(Pong("p"))] * 400_000, Tally())
    assert way.waiting > LOW_BACKLOG
    goodbye = Goodbye("too_slow", "Too slow.")
    way.say_farewell([encode(goodbye)], Tally())
    assert way.write([b"late"], Tally())  # whatever is still on its way is void, and no reason to drop it again
    texts = client.read()  # to the end: the connection was shut down after it
    assert list(decode(texts[-1])) == [goodbye]
    assert b"late" not in texts[-1]
    flusher.remove(way)


def test_a_farewell_that_nobody_reads_has_its_time(
    pair: tuple[Delivery, Client], flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FAREWELL_LIMIT", 0.05)
    way, client = pair
    way.write([b"x" * 60_000] * 60, Tally())
    flusher.add(way)
    way.say_farewell([encode(Goodbye("stopping", "Bye."))], Tally())
    flusher.expect_end(way)
    wait_for(lambda: way.sock.fileno() >= 0 and ended(client.sock), "the connection is shut down")
    flusher.remove(way)


def ended(sock: socket.socket) -> bool:
    """Whether the other side has shut down, once all that it sent before is read."""
    sock.settimeout(0)
    try:
        while sock.recv(1 << 20):
            pass
    except BlockingIOError:
        return False
    return True


def test_a_client_that_is_gone_costs_nothing(pair: tuple[Delivery, Client]) -> None:
    way, client = pair
    client.sock.close()
    assert way.write([b"x"], Tally())
    assert way.waiting == 0
    assert way.write([b"x"], Tally())  # nothing raises, and nothing waits
    assert way.waiting == 0


def test_a_closed_copy_is_watched_no_more(pair: tuple[Delivery, Client]) -> None:
    """A descriptor that was passed is a duplicate: `close` alone would leave the watch on, under a number that
    is soon another connection's."""
    way, _ = pair
    flusher = new_flusher()  # its thread isn't started: the test polls
    flusher.add(way)
    assert flusher._epoll.poll(0)
    with way.sock.dup():  # the reader's
        flusher.remove(way)
        way.close()  # shuts down too, which is an edge for whoever watches
        assert flusher._epoll.poll(0) == []


def test_a_cipher_that_has_rested_goes_on_where_it_was(
    pair: tuple[Delivery, Client], flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.flusher.REST_INTERVAL", 0.0)
    _, client = pair
    woken: list[SendingHalf] = []

    def wake(cipher: SendingHalf) -> None:
        woken.append(cipher)
        flusher.awake.append(cipher)

    way = Delivery(1, pair[0].sock, KEY, wake)
    for number in range(3):
        assert way.write([bytes([number])], Tally())
        assert len(woken) == number + 1
        flusher.add(way)  # an edge: the flusher's thread wakes
        wait_for(lambda: not flusher.awake, "the cipher rests")
        assert client.read(1) == [bytes([number])]  # a counter that began anew would not decrypt
        flusher.remove(way)
