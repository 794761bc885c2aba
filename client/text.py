"""Text on the screen: its width in cells, its lines, the colour of a name."""

from __future__ import annotations

import hashlib

import wcwidth
from prompt_toolkit.formatted_text import StyleAndTextTuples

Line = StyleAndTextTuples
"""A line as prompt_toolkit takes it: pieces with their style."""

NAME_COLOURS = 12


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at spaces where there are any; its own breaks stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += wcwidth.wrap(paragraph, width, control_codes="ignore", drop_whitespace=True) or [""]
    return lines


def cut(text: str, width: int) -> str:
    """As much of `text` as fits, with an ellipsis if that isn't all, padded to exactly `width` cells."""
    if wcwidth.width(text) > width:
        text = wcwidth.clip(text, 0, max(0, width - 1)) + "…"
    return text + " " * max(0, width - wcwidth.width(text))


def right(text: str, width: int) -> str:
    """`text` moved to the right edge of `width` cells."""
    return " " * max(0, width - wcwidth.width(text)) + text


def name_style(name: str) -> str:
    """The style of a name: the same colour for the same name, everywhere and always."""
    return f"class:name-{hashlib.sha256(name.encode()).digest()[0] % NAME_COLOURS}"
