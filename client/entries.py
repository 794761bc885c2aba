"""How one entry of a room looks: a message, a paragraph of joins, a line between days. Pure: entries in, lines out."""

from __future__ import annotations

import functools
from collections.abc import Container, Sequence
from datetime import date, datetime

from chat.messages import Joined, Left, Said, TopicSet
from chat.text import safe_text
from client.model import mentions
from client.roomview import Entry, Fate, Own, RoomView
from client.text import TAB, Line, Piece, cut, name_style, right, wrap, wrapped

NAME_WIDTH = 12
TIME_WIDTH = 6
INDENT = TIME_WIDTH + NAME_WIDTH + 1
NARROW = 50
"""Columns below which names get less room."""

GROUPED = 60.0
"""Seconds within which a person's messages stand together, with the name at the first alone."""

Item = Entry | Own
FACTS = (Joined, Left, TopicSet)


def draw(room: RoomView, me: str, ignored: Container[str], items: Sequence[Item], at: int, width: int) -> list[Line]:
    """The lines of item `at`: what stands above it, and the item; none for somebody who is ignored."""
    item = items[at]
    if not isinstance(item, Own) and item.seq <= room.cleared:
        return []
    if isinstance(item, Own):
        return _own(item, me, width)
    if isinstance(item, FACTS):
        follower = items[at + 1] if at + 1 < len(items) else None
        if isinstance(follower, FACTS) and _day(item.time) == _day(follower.time):
            return []  # it is drawn with the last of its run
        return _facts(items, at, width)
    if item.author in ignored:
        return []
    before = _last_said(items, at)
    lines = _heading(room, before, item, width)
    grouped = (
        not lines
        and before is items[at - 1]
        and isinstance(before, Said)
        and before.author == item.author
        and item.time - before.time < GROUPED
        and not (item.action or before.action)
    )
    style = "class:mention" if item.author != me and mentions(item.text, me) else ""
    return lines + _message(item.time, item.author, item.text, item.action, grouped, style, width)


def _heading(room: RoomView, before: Said | None, item: Said, width: int) -> list[Line]:
    """What stands above a message: a hole, a new day, the place where the user stopped reading."""
    lines: list[Line] = []
    missing = item.seq - (before.seq if before is not None else 0) - 1
    if missing:
        lines.append(_rule(f"{missing:,} earlier, being fetched" if room.paging else f"{missing:,} earlier",
                           "class:gap", width))  # fmt: skip
    if before is None or _day(before.time) != _day(item.time):
        lines.append(_rule(f"{_day(item.time):%A}, {_day(item.time).day} {_day(item.time):%B %Y}", "class:date", width))
    if room.stopped is not None and item.seq == room.stopped + 1:
        lines.append(_rule("new", "class:stopped", width))
    return lines


def _rule(text: str, style: str, width: int) -> Line:
    side = "─" * max(2, (width - len(text) - 2) // 2)
    return [Piece(style, f"{side} {text} {side}"[:width])]


def _own(own: Own, me: str, width: int) -> list[Line]:
    pending = own.fate is Fate.PENDING
    style = "class:pending" if pending else "class:refused"
    lines = _message(own.time, me, own.command.text, own.command.action, False, style, width)
    if not pending:
        reason = f"not sent: {safe_text(own.reason)} (Alt+E edits it, Alt+X drops it)"
        lines = [*lines, *([Piece(style, " " * TIME_WIDTH + row)] for row in wrap(reason, width - TIME_WIDTH))]
    return lines


@functools.lru_cache(maxsize=2048)
def _message(time: float, author: str, text: str, action: bool, grouped: bool, style: str, width: int) -> list[Line]:
    shown = safe_text(author)
    name_width = NAME_WIDTH if width >= NARROW else NAME_WIDTH // 2
    clock = "" if grouped else f"{datetime.fromtimestamp(time):%H:%M}"
    name = "*" if action else "" if grouped else cut(shown, name_width).rstrip()
    indent = TIME_WIDTH + name_width + 1
    body = safe_text(text.replace("\t", TAB), keep="\n")
    rows = wrapped(f"{shown} {body}" if action else body, max(10, width - indent), style)
    name_piece = Piece(style or name_style(author), right(name, name_width) + " ")
    head = [Piece("class:time", f"{clock:<{TIME_WIDTH}}"), name_piece, *rows[0]]
    return [head, *([Piece("", " " * indent), *row] for row in rows[1:])]


def _facts(items: Sequence[Item], at: int, width: int) -> list[Line]:
    """A run of joins, leaves and topics as one paragraph. Who came and went again isn't worth a word."""
    first = at
    while first and isinstance(items[first - 1], FACTS) and _day(items[first - 1].time) == _day(items[at].time):
        first -= 1
    joined: dict[str, None] = {}
    left: dict[str, None] = {}
    parts: list[str] = []
    for item in items[first : at + 1]:
        match item:
            case Joined(author=author) if author in left:
                left.pop(author)
            case Joined(author=author):
                joined[author] = None
            case Left(author=author) if author in joined:
                joined.pop(author)
            case Left(author=author):
                left[author] = None
            case TopicSet(author=author, topic=topic):
                parts.append(f"{author} set the topic: {topic}" if topic else f"{author} removed the topic")
    parts += [f"{_listed(list(people))} {verb}" for people, verb in ((joined, "joined"), (left, "left")) if people]
    if not parts:
        return []
    rows = wrap(safe_text("; ".join(parts)), max(10, width - TIME_WIDTH - 2))
    signs = ["· ", *("  " for _ in rows)]
    return [[Piece("class:fact", " " * TIME_WIDTH + sign + row)] for sign, row in zip(signs, rows, strict=False)]


def _listed(people: list[str]) -> str:
    if len(people) > 6:
        return f"{', '.join(people[:5])} and {len(people) - 5} more"
    return ", ".join(people)


def _last_said(items: Sequence[Item], at: int) -> Said | None:
    for before in range(at - 1, -1, -1):
        item = items[before]
        if isinstance(item, Said):
            return item
    return None


@functools.lru_cache(maxsize=4096)
def _day(time: float) -> date:
    return datetime.fromtimestamp(time).date()
