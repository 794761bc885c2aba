"""A line's two directions, without a socket's help: who is too slow, and who is silent, learns it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chat.ciphers import ReceivingHalf, SendingHalf
from chat.codec import decode, encode
from chat.frames import Cutter, frame
from chat.messages import Goodbye, Login, Message, Unknown
from chat.secure import Initiator, new_private_key
from server.models.line import MAX_BACKLOG, Line, Terms
from server.models.rooms import Letter
from server.parcels import Arrived, Asked


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def shake_hands(line: Line) -> tuple[SendingHalf, ReceivingHalf]:
    """The client's two ciphers."""
    initiator = Initiator(new_private_key(), None, lambda key: None)
    intake, reply = line.receive(frame(initiator.hello()))
    assert intake == []
    intake, nothing = line.receive(frame(initiator.answer(*Cutter().feed(reply))))
    assert [type(item) for item in intake] == [Arrived] and nothing == b""
    assert initiator.keys is not None
    return SendingHalf(initiator.keys.sending), ReceivingHalf(initiator.keys.receiving)


def read(cipher: ReceivingHalf, data: bytes) -> list[Message | Unknown]:
    return [message for payload in Cutter().feed(data) for message in decode(cipher.decrypt(payload))]


@pytest.fixture
def line(pair: tuple[socket.socket, socket.socket]) -> Line:
    return Line(7, pair[0], Terms("here", new_private_key(), None, 0))


def test_commands_become_intake(line: Line) -> None:
    sending, _ = shake_hands(line)
    intake, reply = line.receive(frame(sending.encrypt(encode(Login("ann")))))
    (asked,) = intake
    assert isinstance(asked, Asked) and asked.connection == 7 and asked.command == Login("ann") and reply == b""


def test_letters_become_frames_in_order(line: Line) -> None:
    _, receiving = shake_hands(line)
    logins = [Login(f"name{number}") for number in range(5)]
    for login in logins:
        line.put(Letter([encode(login)]))
    assert read(receiving, line.seal(line.take())) == logins
    assert line.waiting == 0 and line.take() == []


def test_one_letter_too_many_is_replaced_by_the_last(line: Line) -> None:
    _, receiving = shake_hands(line)
    letter = Letter([b"x" * 60_000])
    while line.waiting + 60_000 <= MAX_BACKLOG:
        line.put(letter)
    line.put(letter)
    line.put(letter)  # comes too late
    (goodbye,) = read(receiving, line.seal(line.take()))
    assert isinstance(goodbye, Goodbye) and goodbye.code == "too_slow"
    assert line.finished


def test_silence_ends_a_handshake_with_an_alert(line: Line, pair: tuple[socket.socket, socket.socket]) -> None:
    line.expire()
    assert pair[1].recv(100) and pair[1].recv(100) == b""


def test_silence_after_the_handshake_is_told_before_the_end(line: Line) -> None:
    _, receiving = shake_hands(line)
    line.expire()
    assert not line.finished
    (goodbye,) = read(receiving, line.seal(line.take()))
    assert isinstance(goodbye, Goodbye) and goodbye.code == "silent"
    assert line.finished
