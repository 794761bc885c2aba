"""Text on the screen: its width in cells, its lines, what is emphasised in it, the colour of a name. Pure.

A cell holds a grapheme: what a reader takes for one character, however many code points it has. Widths are those of
the Unicode rules as `wcwidth` knows them, by grapheme: 你 and 👩‍👩‍👧 take two cells, é takes one in both spellings.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import wcwidth

NAME_COLOURS = 12

TAB = "    "


class Piece(NamedTuple):
    """Some text in one style; with `url`, a link."""

    style: str
    text: str
    url: str = ""


Line = list[Piece]

_MARKS = re.compile(
    r"(?P<fence>^```[^\n]*\n.*?(?:^```[^\S\n]*$|\Z))"
    r"|(?P<code>`[^`\n]+`)"
    r"|(?P<link>\bhttps?://[^\s<>\"`]+[^\s<>\"`.,;:!?)\]}'*_])"
    r"|(?<![\w*])(?P<strong>\*\*?(?=\S)[^*\n]+(?<=\S)\*\*?)(?![\w*])"
    r"|(?<![\w_])(?P<soft>_(?=\S)[^_\n]+(?<=\S)_)(?![\w_])",
    re.DOTALL | re.MULTILINE,
)
_STYLES = {"fence": "class:code", "code": "class:code", "link": "class:link", "strong": "bold", "soft": "italic"}


def width(text: str) -> int:
    """How many cells the text takes."""
    return len(text) if text.isascii() else wcwidth.width(text, control_codes="ignore")


def graphemes(text: str) -> Iterator[str]:
    """The text, cell by cell."""
    return iter(text) if text.isascii() else wcwidth.iter_graphemes(text)


def wrap(text: str, columns: int) -> list[str]:
    """`text` in lines of at most `columns` cells, broken at spaces where there are any; its own breaks stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if width(paragraph) <= columns:
            lines.append(paragraph)
        else:
            lines += wcwidth.wrap(paragraph, columns, control_codes="ignore", drop_whitespace=True) or [""]
    return lines


@functools.lru_cache(maxsize=4096)
def wrapped(text: str, columns: int, style: str = "") -> tuple[Line, ...]:
    """`text` as lines, with links, code and emphasis in styles of their own; their marks stay to be read."""
    lines: list[Line] = []
    spans = [(mark.start(), mark.end(), mark) for mark in _MARKS.finditer(text)]
    at = 0
    for row in wrap(text, columns):
        at = max(at, text.find(row, at))  # only spaces and line breaks stand between a row and the next
        line: Line = []
        end = at + len(row)
        for start, stop, mark in spans:
            if stop <= at or start >= end:
                continue
            if start > at:
                line.append(Piece(style, text[at:start]))
            at = max(at, start)
            kind = mark.lastgroup or ""
            url = mark[0] if kind == "link" else ""
            line.append(Piece(f"{style} {_STYLES[kind]}", text[at : min(stop, end)], url))
            at = min(stop, end)
        if at < end or not line:
            line.append(Piece(style, text[at:end]))
        lines.append(line)
        at = end
    return tuple(lines)


def cut(text: str, columns: int) -> str:
    """As much of `text` as fits, with an ellipsis if that isn't all, padded to exactly `columns` cells."""
    if width(text) > columns:
        text = wcwidth.clip(text, 0, max(0, columns - 1)) + "…"
    return text + " " * max(0, columns - width(text))


def right(text: str, columns: int) -> str:
    """`text` moved to the right edge of `columns` cells."""
    return " " * max(0, columns - width(text)) + text


def name_style(name: str) -> str:
    """The style of a name: the same colour for the same name, everywhere and always."""
    return f"class:name-{hashlib.sha256(name.encode()).digest()[0] % NAME_COLOURS}"
