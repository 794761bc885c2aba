"""What is encoded comes back; what a peer sends instead is a `PeerFault` with a code, and never anything else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.codec import MAX_PLAINTEXT, chunks, decode, decode_commands, encode
from chat.faults import CODES, PeerFault
from chat.fields import MAX_TEXT
from chat.kinds import KINDS
from chat.messages import Command, Join, Ping, Pong, Presence, RoomState, Say, Unknown
from tests.chat.strategies import messages, near_misses

SAY = Say("label", "lobby", "hello")


def packed(*arrays: Any) -> bytes:
    return b"".join(msgpack.packb(array) for array in arrays)


def until_fault(decoded: Iterator[Any]) -> list[Any]:
    """All that a decoder gives, with the fault that ends it, if one does, at the end."""
    given: list[Any] = []
    try:
        given.extend(decoded)  # keeps what came before an exception
    except PeerFault as fault:
        assert fault.code in CODES and fault.sentence
        given.append(fault)
    return given


def the_fault(data: bytes) -> PeerFault:
    (fault,) = until_fault(decode_commands(data))
    assert isinstance(fault, PeerFault)
    return fault


@given(messages())
def test_every_kind_comes_back_as_it_was(message: Any) -> None:
    assert list(decode(encode(message))) == [message]


@given(st.lists(messages(*(cls for cls in KINDS.values() if issubclass(cls, Command))), max_size=5))
def test_commands_one_behind_the_other_come_back_in_order(commands: list[Any]) -> None:
    pieces = chunks([encode(command) for command in commands])  # the largest don't fit one frame together
    assert [command for piece in pieces for command in decode_commands(piece)] == commands


@given(st.binary(max_size=200) | near_misses | st.lists(near_misses, max_size=4).map(b"".join))
def test_any_bytes_are_messages_or_a_fault(data: bytes) -> None:
    until_fault(decode(data))
    for command in until_fault(decode_commands(data)):
        assert isinstance(command, Command | PeerFault)


@given(messages(), st.data())
def test_a_changed_byte_is_a_message_or_a_fault(message: Any, data: st.DataObject) -> None:
    encoded = bytearray(encode(message))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    until_fault(decode(bytes(encoded)))
    until_fault(decode_commands(bytes(encoded)))


def test_a_message_cut_at_any_byte_is_malformed_and_those_before_it_count() -> None:
    whole = encode(SAY)
    for cut in range(1, len(whole)):
        first, fault = until_fault(decode_commands(whole + whole[:cut]))
        assert first == SAY
        assert fault.code == "malformed"


@pytest.mark.parametrize("data", [b"\xc0", b"\x00", b"\xa3say", b"\x90", b"\x91\x01", b"\x81\xa1a\x01", b"\xc1"])
def test_what_is_no_array_with_a_kind_is_malformed(data: bytes) -> None:
    assert the_fault(data).code == "malformed"


def test_declared_lengths_cost_nothing() -> None:
    for bomb in (b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"):
        assert the_fault(bomb).code == "malformed"
        assert the_fault(b"\x92\xa3say" + bomb).code == "malformed"
    assert the_fault(b"\x91" * 60_000).code == "malformed"  # deep nesting


@pytest.mark.parametrize("value", [[None] * 1025, {"a": 1}, b"x", "x" * (MAX_TEXT + 2), msgpack.ExtType(1, b"x")])
def test_the_limits_hold_for_what_nobody_looks_into(value: Any) -> None:
    with pytest.raises(PeerFault) as fault:
        list(decode(packed(["edited", "lobby", value])))
    assert fault.value.code == "malformed"


def test_a_wrong_command_is_a_fault_in_its_place_with_its_label() -> None:
    data = packed(["say", "one", 7, "hello"]) + encode(SAY) + packed(["fly", "two"])
    wrong, said, unknown = decode_commands(data)
    assert isinstance(wrong, PeerFault) and isinstance(unknown, PeerFault)
    assert (wrong.code, wrong.label) == ("malformed", "one")
    assert said == SAY
    assert (unknown.code, unknown.label) == ("unknown_kind", "two")


@pytest.mark.parametrize("label", [7, None, "", "é", "\x1b[2J", "x" * 33, ["one"]])
def test_a_label_that_is_none_is_not_sent_back(label: Any) -> None:
    assert the_fault(packed(["say", label, 7, 7])).label == ""


def test_an_event_is_no_command() -> None:
    assert the_fault(encode(Pong("label"))).code == "unknown_kind"


def test_a_kind_that_is_not_known_is_shown_as_such() -> None:
    assert list(decode(packed(["edited", "lobby", 7]))) == [Unknown("edited", ("lobby", 7))]


def test_fields_of_a_newer_peer_are_ignored_and_missing_ones_take_their_default() -> None:
    newer, older = packed(["ping", "label", "new", 1]), packed(["join", "label", "lobby"])
    assert list(decode_commands(newer + older)) == [Ping("label"), Join("label", "lobby", None)]


def test_a_message_too_large_for_a_frame_is_refused_before_it_is_sent() -> None:
    crowd = RoomState("", "lobby", False, "x" * (MAX_PLAINTEXT + 1), 0, 0)
    with pytest.raises(PeerFault) as refusal:
        encode(crowd)
    assert refusal.value.code == "too_large"


def test_an_empty_frame_holds_nothing() -> None:
    assert list(decode(b"")) == [] == list(decode_commands(b""))
    assert encode(Presence(()))


@given(st.lists(st.integers(1, MAX_PLAINTEXT), max_size=12))
def test_chunks_keep_order_cut_no_message_and_fit_a_frame(sizes: list[int]) -> None:
    encoded = [bytes([index]) * size for index, size in enumerate(sizes)]
    pieces = chunks(encoded)
    assert b"".join(pieces) == b"".join(encoded)
    assert all(0 < len(piece) <= MAX_PLAINTEXT for piece in pieces)
    ends = {sum(sizes[:count]) for count in range(len(sizes) + 1)}
    assert all(sum(map(len, pieces[:count])) in ends for count in range(len(pieces) + 1))
    assert all(len(one) + len(other) > MAX_PLAINTEXT for one, other in itertools.pairwise(pieces))  # no piece too many
