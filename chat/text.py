"""`safe_text`: what another person wrote, fit for a terminal, a title, a notification or a log.

Nothing is dropped: what could move a cursor, ring, colour or turn text around is shown as <U+202E>.
"""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls, DEL, bidirectional controls, other invisible formatting that changes neighbours, line and
# paragraph separators, tags, unassigned "specials", lone surrogates. ZWJ, ZWNJ and variation selectors stay: emoji
# and several scripts need them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)

MAX_MARKS = 4
"""Combining marks kept on one character, as UTS 39 (section 5.4) advises; more are counted, not drawn, for they would
cover the lines around."""


def safe_text(text: str, *, keep: str = "") -> str:
    """`text` with each unsafe character written out; those in `keep` (a newline, say) pass."""
    shown = _UNSAFE.sub(lambda match: match[0] if match[0] in keep else f"<U+{ord(match[0]):04X}>", text)
    return shown if shown.isascii() else _limit_marks(shown)


def _limit_marks(text: str) -> str:
    result: list[str] = []
    marks = 0
    for char in text:
        marks = _marks_after(char, marks)
        if marks <= MAX_MARKS or not _stacks(char):
            result.append(char)
        elif marks == MAX_MARKS + 1:
            result.append("<…>")
    return "".join(result)


def _marks_after(char: str, marks: int) -> int:
    if _stacks(char):
        return marks + 1
    # Variation selectors and joiners take no place of their own: a mark after one still stands on what was before.
    return marks if unicodedata.category(char) in ("Mn", "Cf") else 0


def _stacks(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me") and not _is_selector(char)


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
