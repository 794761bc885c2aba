"""Frames come out whole however the stream was cut, and no more than one incomplete frame stays behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.frames import MAX_FRAME, Cutter, frame

PAYLOADS = [b"", b"a", b"hello", bytes(300)]
STREAM = b"".join(map(frame, PAYLOADS))


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_a_stream_cut_at_any_byte_gives_the_same_frames(cut: int) -> None:
    cutter = Cutter()
    assert cutter.feed(STREAM[:cut]) + cutter.feed(STREAM[cut:]) == PAYLOADS
    assert cutter.waiting == 0


def test_byte_by_byte() -> None:
    cutter = Cutter()
    frames = [whole for byte in STREAM for whole in cutter.feed(bytes([byte]))]
    assert frames == PAYLOADS


def test_a_frame_is_given_as_soon_as_its_last_byte_is_there() -> None:
    cutter = Cutter()
    assert cutter.feed(frame(b"hello")[:-1]) == []
    assert cutter.feed(b"o") == [b"hello"]


@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 30), min_size=1))
def test_pieces_of_any_size_give_the_same_frames(payloads: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(map(frame, payloads))
    cutter = Cutter()
    frames: list[bytes] = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)]
        frames += cutter.feed(stream[:size])
        stream, turn = stream[size:], turn + 1
    assert frames == payloads


def test_the_largest_frame_fits_and_bounds_what_waits() -> None:
    cutter = Cutter()
    largest = frame(bytes(MAX_FRAME))
    assert cutter.feed(largest[:-1]) == []
    assert cutter.waiting == MAX_FRAME - 1  # the length was taken off; the payload waits for its last byte
    assert cutter.feed(largest[-1:]) == [bytes(MAX_FRAME)]


def test_a_payload_that_two_bytes_cannot_count_is_our_own_fault() -> None:
    with pytest.raises(OverflowError):
        frame(bytes(MAX_FRAME + 1))
