"""Widths, wrapping and emphasis: what takes how many cells, and that a line never takes more than it may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.text import cut, graphemes, right, width, wrap, wrapped

FAMILY, FLAG, HEART = "👩‍👩‍👧", "🇩🇪", "❤️"
TEXTS = st.lists(st.sampled_from([*"ab 你éעש\n*`_", "e\u0301", FAMILY, FLAG, HEART]), max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "cells"),
    [("abc", 3), ("你好", 4), ("é", 1), ("e\u0301", 1), (FAMILY, 2), (FLAG, 2), (HEART, 2), ("שלום", 4), ("", 0)],
)
def test_a_text_takes_the_cells_that_unicode_says(text: str, cells: int) -> None:
    assert width(text) == cells


@pytest.mark.parametrize("text", [FAMILY, FLAG, HEART, "e\u0301", "👍🏽"])
def test_what_a_reader_takes_for_one_character_is_one_grapheme(text: str) -> None:
    assert list(graphemes(f"a{text}b")) == ["a", text, "b"]


@given(TEXTS, st.integers(4, 30))
def test_no_line_is_wider_than_it_may_be_and_nothing_but_spaces_gets_lost(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXTS, st.integers(4, 30))
def test_emphasis_changes_styles_and_not_the_text(text: str, columns: int) -> None:
    plain = ["".join(piece.text for piece in line) for line in wrapped(text, columns)]
    assert plain == wrap(text, columns)


@given(TEXTS.map(lambda text: text.replace("\n", "")), st.integers(1, 30))
def test_cut_takes_exactly_so_many_cells(text: str, columns: int) -> None:
    assert width(cut(text, columns)) == columns


def test_right_moves_to_the_right_edge() -> None:
    assert right("你", 4) == "  你"


@pytest.mark.parametrize(
    ("text", "marked", "style"),
    [
        ("so *very* good", "*very*", "bold"),
        ("so **very** good", "**very**", "bold"),
        ("so _very_ good", "_very_", "italic"),
        ("run `rm -i x` now", "`rm -i x`", "class:code"),
        ("see https://example.org/a_b?c=1.", "https://example.org/a_b?c=1", "class:link"),
        ("a\n```\n*x* = 1\n```\nb", "*x* = 1", "class:code"),
    ],
)
def test_marks_give_a_style(text: str, marked: str, style: str) -> None:
    pieces = [piece for line in wrapped(text, 60) for piece in line]
    assert [piece.text for piece in pieces if style in piece.style and piece.text.strip("`")] == [marked]


@pytest.mark.parametrize("text", ["2 * 3 * 4", "snake_case_name", "a*b*c", "`", "https://", "* item"])
def test_what_only_looks_like_a_mark_is_plain(text: str) -> None:
    assert all(not piece.style.strip() for line in wrapped(text, 60) for piece in line)


def test_a_wrapped_link_is_whole_in_each_of_its_parts() -> None:
    url = "https://example.org/" + "long/" * 10
    url = url.rstrip("/") + "/end"
    pieces = [piece for line in wrapped(f"see {url} there", 20) for piece in line]
    parts = [piece for piece in pieces if piece.url]
    assert len(parts) > 2 and {part.url for part in parts} == {url}
    assert "".join(part.text for part in parts) == url
