"""What a byte stream, a datagram and a text in bytes are not. Each test shows the pitfall; CONCURRENCY.md tells it."""

from __future__ import annotations

import codecs
import errno
import socket

import pytest

from chat.frames import Cutter, frame
from tests.waiting import wait_for

# --- TCP: a stream, not messages ----------------------------------------------------------------------------------


def test_two_sends_can_be_one_recv() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"hello")
        here.sendall(b"world")
        assert there.recv(65_536) == b"helloworld"
        here.sendall(frame(b"hello") + frame(b"world"))
        assert Cutter().feed(there.recv(65_536)) == [b"hello", b"world"]


def test_send_may_take_a_part_only() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        everything = bytes(10_000_000)
        assert 0 < here.send(everything) < len(everything)
        with pytest.raises(BlockingIOError):
            here.send(everything)


def test_recv_of_nothing_is_the_end_and_recv_of_nothing_yet_is_an_error() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.setblocking(False)
        with pytest.raises(BlockingIOError) as not_yet:
            there.recv(1)
        assert not_yet.value.errno == errno.EAGAIN
        here.shutdown(socket.SHUT_WR)
        assert there.recv(1) == b""
        there.sendall(b"still")  # only one direction has ended
        assert here.recv(5) == b"still"


def test_connected_is_not_accepted() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname(), timeout=1) as client,
    ):
        client.sendall(b"anybody there?")  # nobody has called accept: the kernel did all this
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(100) == b"anybody there?"


def test_a_timeout_makes_sendall_forget_how_much_it_sent() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(0.01)
        with pytest.raises(TimeoutError) as lost:
            here.sendall(bytes(10_000_000))
        assert there.recv(1) == b"\0"  # some of it has gone; the error doesn't say how much
        assert lost.value.args == ("timed out",)


# --- UDP: messages, not a stream -----------------------------------------------------------------------------------


@pytest.fixture
def datagrams() -> tuple[socket.socket, socket.socket]:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.setblocking(False)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(receiver.getsockname())
    return sender, receiver


def test_what_does_not_fit_the_buffer_is_cut_off_without_a_word(datagrams: tuple[socket.socket, socket.socket]) -> None:
    sender, receiver = datagrams
    with sender, receiver:
        sender.send(b"hello")
        sender.send(b"world")
        assert receiver.recv(3) == b"hel"
        assert receiver.recv(3) == b"wor"  # the "lo" is nowhere
        sender.send(b"hello")
        assert receiver.recvmsg(3)[2] & socket.MSG_TRUNC  # only who asks is told


def test_a_full_receiver_loses_datagrams_and_the_sender_succeeds(
    datagrams: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = datagrams
    with sender, receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(100):
            assert sender.send(bytes(1000)) == 1000
        arrived = 0
        with pytest.raises(BlockingIOError):
            while receiver.recv(2000):
                arrived += 1
        assert 0 < arrived < 100


def test_a_broadcast_has_to_be_asked_for_and_passes_by_who_is_bound_to_one_address() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        with pytest.raises(PermissionError):
            sender.sendto(b"?", ("127.255.255.255", 9))
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anywhere,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        ):
            anywhere.bind(("0.0.0.0", 0))
            one.bind(("127.0.0.1", 0))
            for listener in (anywhere, one):
                listener.setblocking(False)
                sender.sendto(b"?", ("127.255.255.255", listener.getsockname()[1]))
            assert wait_for(lambda: anywhere.recv(1), "a broadcast") == b"?"
            with pytest.raises(BlockingIOError):
                one.recv(1)


# --- text in bytes --------------------------------------------------------------------------------------------------


def test_a_character_can_be_cut_by_any_recv() -> None:
    first, second = "你".encode()[:1], "你".encode()[1:]
    with pytest.raises(UnicodeDecodeError):
        first.decode()
    decoder = codecs.getincrementaldecoder("utf-8")()
    assert decoder.decode(first) + decoder.decode(second) == "你"


def test_a_wrong_encoding_is_not_always_an_error() -> None:
    sent = "你好".encode("gbk")
    assert sent.decode("latin-1") == "ÄãºÃ"  # nonsense, and no exception
    with pytest.raises(UnicodeDecodeError):
        sent.decode("utf-8")  # UTF-8 notices nearly always: one reason more to have it on the wire


def test_bytes_of_a_character_can_look_like_another() -> None:
    assert b"\\" in "表".encode("shift_jis")  # so a parser must not look for its marks in undecoded text
    assert all(byte >= 0x80 for byte in "表".encode())


def test_a_limit_in_characters_is_none_in_bytes() -> None:
    assert [len(text.encode()) for text in ("a", "é", "你", "🙂")] == [1, 2, 3, 4]
    assert len("👩‍👩‍👧") == 5 and len("👩‍👩‍👧".encode()) == 18  # one picture on the screen
