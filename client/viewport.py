"""The viewport: which lines of a room's messages stand in the window, and how they move when the user scrolls.

Pure. Lines are made from the bottom up and only as many as are seen, so a room of any length costs the same. The
bottom of the window is pinned to an entry, not to a line number: what is fetched above or comes in below moves
nothing under the reader's eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chat.messages import Joined, Left, Said, TopicSet
from chat.text import safe_text
from client.model import Entry, Fate, Model, Own, RoomView, mentions
from client.text import Line, cut, name_style, right, wrap

NAME_WIDTH = 12
TIME_WIDTH = 6
GROUPED = 60.0
"""Seconds within which a person's messages stand together, with the name at the first alone."""

Item = Entry | Own
Fact = (Joined, Left, TopicSet)


class Viewport:
    """The window onto one room."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._bottom: Item | None = None  # None: the live end
        self._hidden = 0  # lines of the bottom item below the window

    @property
    def at_end(self) -> bool:
        return self._bottom is None

    def to_end(self) -> None:
        self._bottom, self._hidden = None, 0

    def lines(self, room: RoomView, width: int, height: int) -> list[Line]:
        """The lines in a window of that size, at most `height` of them, the newest last."""
        items = _items(room)
        at, hidden = self._place(items)
        shown: list[Line] = []
        while at >= 0 and len(shown) < height:
            drawn = self._draw(room, items, at, width)
            shown = drawn[: len(drawn) - hidden] + shown
            at, hidden = at - 1, 0
        return shown[-height:]

    def is_at_top(self, room: RoomView, width: int, height: int) -> bool:
        """Whether the oldest entry that is here is in the window: time to fetch older ones."""
        return len(self.lines(room, width, height + 1)) <= height

    def up(self, room: RoomView, width: int, height: int, count: int) -> None:
        """Scroll towards the past, no further than the oldest line that is here at the top."""
        items = _items(room)
        at, hidden = self._place(items)
        for _ in range(count):
            if self._height_above(room, items, at, hidden, width, height + 1) <= height:
                break
            hidden += 1
            while at > 0 and hidden >= len(self._draw(room, items, at, width)):
                hidden -= len(self._draw(room, items, at, width))
                at -= 1
        if items and (at, hidden) != (len(items) - 1, 0):
            self._bottom, self._hidden = items[at], hidden

    def down(self, room: RoomView, width: int, count: int) -> None:
        """Scroll towards the present; at the live end the window follows it again."""
        items = _items(room)
        at, hidden = self._place(items)
        hidden -= count
        while hidden < 0 and at < len(items) - 1:
            at += 1
            hidden += len(self._draw(room, items, at, width))
        if not items or (at == len(items) - 1 and hidden <= 0):
            self.to_end()
        else:
            self._bottom, self._hidden = items[at], max(0, hidden)

    def go_to(self, room: RoomView, seq: int) -> None:
        """Put message number `seq` at the bottom of the window."""
        for item in room.entries:
            if isinstance(item, Said) and item.seq >= seq:
                self._bottom, self._hidden = item, 0
                return

    def _place(self, items: Sequence[Item]) -> tuple[int, int]:
        if self._bottom is not None:
            for at in range(len(items) - 1, -1, -1):
                if items[at] is self._bottom:
                    return at, self._hidden
        return len(items) - 1, 0

    def _height_above(
        self, room: RoomView, items: Sequence[Item], at: int, hidden: int, width: int, enough: int
    ) -> int:
        total = -hidden
        while at >= 0 and total < enough:
            total += len(self._draw(room, items, at, width))
            at -= 1
        return total

    # --- drawing one item -------------------------------------------------------------------------------------

    def _draw(self, room: RoomView, items: Sequence[Item], at: int, width: int) -> list[Line]:
        item = items[at]
        before = _last_said(items, at)
        lines = _heading(room, before, item, width)
        if isinstance(item, Said):
            return lines + self._message(item, before if at and items[at - 1] is before and not lines else None, width)
        if isinstance(item, Own):
            return lines + _own(item, self._model.me, width)
        if at + 1 < len(items) and isinstance(items[at + 1], Fact) and not _new_day(item, items[at + 1]):
            return []  # drawn with the last fact of its run
        return lines + _facts(items, at, width)

    def _message(self, said: Said, before: Said | None, width: int) -> list[Line]:
        grouped = (
            before is not None
            and before.author == said.author
            and said.time - before.time < GROUPED
            and not (said.action or before.action)
        )
        style = "class:mention" if said.author != self._model.me and mentions(said.text, self._model.me) else ""
        return _message_lines(said.time, said.author, said.text, said.action, grouped, style, width)


def _items(room: RoomView) -> Sequence[Item]:
    return [*room.entries, *room.own] if room.own else room.entries


def _last_said(items: Sequence[Item], at: int) -> Said | None:
    for before in range(at - 1, -1, -1):
        item = items[before]
        if isinstance(item, Said):
            return item
    return None


def _heading(room: RoomView, before: Said | None, item: Item, width: int) -> list[Line]:
    """What stands above an item: a hole, a new day, the place where the user stopped reading."""
    lines: list[Line] = []
    if not isinstance(item, Said):
        return lines
    if before is None or _day(before.time) != _day(item.time):
        lines.append(_rule(datetime.fromtimestamp(item.time).strftime("%A, %-d %B %Y"), "class:date", width))
    if before is not None and item.seq > before.seq + 1:
        missing = item.seq - before.seq - 1
        lines.append(_rule(f"{missing:,} missing; being fetched", "class:gap", width))
    if room.stopped and before is not None and before.seq == room.stopped:
        lines.append(_rule("new", "class:stopped", width))
    return lines


def _rule(text: str, style: str, width: int) -> Line:
    side = "─" * max(2, (width - len(text) - 2) // 2)
    return [(style, f"{side} {text} {side}"[:width])]


def _own(own: Own, me: str, width: int) -> list[Line]:
    pending = own.fate is Fate.PENDING
    style = "class:pending" if pending else "class:refused"
    lines = _message_lines(own.time, me, own.command.text, own.command.action, False, style, width)
    if not pending:
        reason = f"not sent: {safe_text(own.reason)} (Alt+E edits it, Alt+X drops it)"
        lines += [[("class:refused", " " * TIME_WIDTH + row)] for row in wrap(reason, width - TIME_WIDTH)]
    return lines


def _message_lines(
    time: float, author: str, text: str, action: bool, grouped: bool, style: str, width: int
) -> list[Line]:
    clock = "" if grouped else datetime.fromtimestamp(time).strftime("%H:%M")
    shown = safe_text(author)
    if action:
        text = f"{shown} {text}"
    name = "*" if action else "" if grouped else _cut(shown)
    indent = TIME_WIDTH + NAME_WIDTH + 1
    rows = wrap(safe_text(text, keep="\n"), max(10, width - indent)) or [""]
    head: Line = [
        ("class:time", f"{clock:<{TIME_WIDTH}}"),
        (style or name_style(author), right(name, NAME_WIDTH) + " "),
        (style, rows[0]),
    ]
    more: list[Line] = [[(style, " " * indent + row)] for row in rows[1:]]
    return [head, *more]


def _facts(items: Sequence[Item], at: int, width: int) -> list[Line]:
    """A run of joins, leaves and topics as one paragraph."""
    first = at
    while first and isinstance(items[first - 1], Fact) and not _new_day(items[first - 1], items[first]):
        first -= 1
    joined: dict[str, None] = {}
    left: dict[str, None] = {}
    parts: list[str] = []
    for item in items[first : at + 1]:
        match item:
            case Joined(author=author):
                joined[author] = None
                left.pop(author, None)
            case Left(author=author):
                left[author] = None
                joined.pop(author, None)
            case TopicSet(author=author, topic=topic):
                parts.append(f"{author} set the topic: {topic}" if topic else f"{author} removed the topic")
    for people, verb in ((joined, "joined"), (left, "left")):
        if people:
            parts.append(f"{_listed(list(people))} {verb}")
    rows = wrap(safe_text("; ".join(parts)), max(10, width - TIME_WIDTH - 2))
    return [[("class:fact", " " * TIME_WIDTH + ("· " if row is rows[0] else "  ") + row)] for row in rows]


def _listed(people: list[str]) -> str:
    if len(people) > 6:
        return f"{', '.join(people[:5])} and {len(people) - 5} more"
    return ", ".join(people)


def _cut(name: str) -> str:
    return cut(name, NAME_WIDTH).rstrip()


def _day(time: float) -> object:
    return datetime.fromtimestamp(time).date()


def _new_day(one: Item, other: Item) -> bool:
    return _day(one.time) != _day(other.time)
