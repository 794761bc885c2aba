"""Lines of standard input through a real pipe, in several encodings, cut anywhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chat.fields import MAX_TEXT
from client.failures import Usage
from client.standard_input import checked, lines


@contextmanager
def pipe(*pieces: bytes) -> Iterator[int]:
    reading, writing = os.pipe()

    def write() -> None:
        for piece in pieces:
            os.write(writing, piece)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield reading
    finally:
        thread.join(10)
        os.close(reading)


def read(*pieces: bytes, encoding: str = "utf-8") -> list[str]:
    with pipe(*pieces) as descriptor:
        return list(lines(descriptor, encoding))


def test_lines_lose_their_ends_and_empty_ones_are_left_out() -> None:
    assert read(b"one\r\n\n\r\ntwo\n three ") == ["one", "two", " three "]
    assert read(b"") == []
    assert read(b"\n") == []


def test_only_a_newline_ends_a_line() -> None:
    assert read("a\u2028b\x0bc\x85\n".encode()) == ["a\u2028b\x0bc\x85"]


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030", "shift_jis", "utf-16", "iso2022_jp"])
def test_a_character_cut_anywhere_is_whole(encoding: str) -> None:
    text = "漢字\nかな\n"
    data = text.encode(encoding)
    assert read(*[data[i : i + 1] for i in range(len(data))], encoding=encoding) == ["漢字", "かな"]


@pytest.mark.parametrize(
    ("data", "encoding", "number", "byte"),
    [
        (b"good\nbad \xff\n", "utf-8", 2, "0xFF"),
        (b"good\n\nbad \xc4", "utf-8", 3, "0xC4"),
        (b"good\n\xff\n", "gbk", 2, "0xFF"),
        ("good\n字".encode(), "ascii", 2, "0xE5"),
    ],
)
def test_a_wrong_byte_is_named_with_its_line_after_the_good_ones(
    data: bytes, encoding: str, number: int, byte: str
) -> None:
    got: list[str] = []
    with pipe(data) as descriptor, pytest.raises(Usage) as caught:
        got.extend(lines(descriptor, encoding))
    assert str(caught.value).startswith(f"Line {number} of the input holds the byte {byte}, which isn't {encoding}")


def test_the_lines_before_a_wrong_byte_are_given() -> None:
    with pipe(b"one\ntwo\nthr\xff") as descriptor:
        iterator = lines(descriptor, "utf-8")
        assert [next(iterator), next(iterator)] == ["one", "two"]
        with pytest.raises(Usage):
            next(iterator)


def test_the_longest_line_passes_and_one_byte_more_does_not() -> None:
    assert read(b"x" * MAX_TEXT + b"\n") == ["x" * MAX_TEXT]
    assert read(("ä" * (MAX_TEXT // 2)).encode()) == ["ä" * (MAX_TEXT // 2)]
    with pipe(b"ok\n" + b"x" * (MAX_TEXT + 1)) as descriptor, pytest.raises(Usage, match="Line 2 of the input is too"):
        list(lines(descriptor, "utf-8"))


def test_a_line_without_an_end_is_given_up_before_it_fills_the_memory() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x" * (MAX_TEXT + 1))  # and nothing more: the pipe stays open
    with pytest.raises(Usage, match="too long"):
        list(lines(reading, "utf-8"))
    os.close(writing)
    os.close(reading)


def test_what_is_not_text_is_refused_before_it_is_sent() -> None:
    assert checked("fine", "The message") == "fine"
    with pytest.raises(Usage, match="The message is empty"):
        checked("", "The message")
    with pytest.raises(Usage, match="isn't valid text"):
        checked("\udcff", "The message")
