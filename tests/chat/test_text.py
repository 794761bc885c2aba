"""Nothing that another person wrote can move a cursor, ring, colour, turn text around or cover the lines around it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.text import MAX_MARKS, safe_text

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
hostile = st.text(st.sampled_from(BIDIRECTIONAL + CONTROLS + "\u0301\u0489\ufe0f\u200dab\U0001f469") | st.characters())


def is_harmless(char: str) -> bool:
    category = unicodedata.category(char)
    return category not in ("Cc", "Cs", "Zl", "Zp") and char not in BIDIRECTIONAL


@given(hostile)
def test_no_control_or_bidirectional_character_passes(text: str) -> None:
    assert all(map(is_harmless, safe_text(text)))


@pytest.mark.parametrize("char", BIDIRECTIONAL + CONTROLS, ids=lambda char: f"U+{ord(char):04X}")
def test_each_of_them_is_shown(char: str) -> None:
    assert safe_text(f"a{char}b") == f"a<U+{ord(char):04X}>b"


@given(hostile, st.sampled_from(["", "\n", "\n\t"]))
def test_what_is_safe_stays_so(text: str, keep: str) -> None:
    once = safe_text(text, keep=keep)
    assert safe_text(once, keep=keep) == once


def test_only_what_is_named_is_kept() -> None:
    assert safe_text("a\nb\tc", keep="\n") == "a\nb<U+0009>c"
    assert safe_text("\x1b[2Jboo") == "<U+001B>[2Jboo"


@pytest.mark.parametrize(
    "text", ["plain", "naïve", "日本語", "مرحبا", "👩‍👩‍👧", "🏳️‍🌈", "❤️", "क्षि", "می‌خواهم", "Zürich 🇨🇭", ""]
)
def test_ordinary_text_of_any_script_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def marks_on_one_place(text: str) -> int:
    """The most marks that a terminal would draw over each other."""
    most = here = 0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            here += not "\ufe00" <= char <= "\ufe0f"
        elif category != "Cf":
            here = 0
        most = max(most, here)
    return most


@given(st.text(st.sampled_from("a\u0301\u0489\ufe0f\u200d\u200c"), max_size=60))
def test_marks_never_pile_up(text: str) -> None:
    assert marks_on_one_place(safe_text(text)) <= MAX_MARKS


def test_marks_are_counted_not_drawn() -> None:
    assert safe_text("a" + "\u0301" * 8_000 + "b") == "a" + "\u0301" * MAX_MARKS + "<…>b"
    assert marks_on_one_place(safe_text("a" + "\u0301\u0301\u0301\ufe0f" * 99)) == MAX_MARKS
