"""The form of what `--tail` prints."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from chat.messages import Said
from chat.text import safe_text
from client.headless import as_json


def said(text: str, author: str = "bob") -> Said:
    return Said("lobby", 17, 1700000000.5, author, "l1", text)


def test_the_keys_and_their_order() -> None:
    line = '{"room": "lobby", "seq": 17, "author": "bob", "time": 1700000000.5, "text": "hi", "label": "l1"}'
    assert as_json(said("hi")) == line


def test_harmless_text_stays_readable() -> None:
    assert "Grüße 你好 👩‍👩‍👧" in as_json(said("Grüße 你好 👩‍👩‍👧"))


def test_what_could_harm_a_terminal_goes_out_in_escapes() -> None:
    assert as_json(said("\x1b]0;gotcha\x07 \x9b31m \u202e\x7f")).isascii()
    assert "\\u202e" in as_json(said("hi", author="b\u202eob"))
    assert as_json(said("e" + "\u0301" * 8000)).isascii()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_back_whole_and_prints_safely(text: str) -> None:
    line = as_json(said(text))
    assert json.loads(line)["text"] == text
    assert safe_text(line) == line
