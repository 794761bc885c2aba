"""The viewport: which lines of a room's messages stand in the window, and how they move when the user scrolls.

Pure. Lines are made from the bottom up and only as many as are seen, so a room of any length costs the same. The
bottom of the window is pinned to an entry, not to a line number: what is fetched above or comes in below moves
nothing under the reader's eyes.
"""

from __future__ import annotations

from collections.abc import Sequence

from chat.messages import Said
from client.entries import Item, draw
from client.model import PAGE, Model
from client.roomview import Own, RoomView
from client.text import Line

AHEAD = 40
"""Entries above the window within which a hole is fetched before the user comes to it."""


class Viewport:
    """The window onto one room. `size` is the pane's when it was drawn last: width and height."""

    def __init__(self, model: Model, name: str) -> None:
        self._model = model
        self._name = name
        self._bottom: Item | None = None  # None: the live end
        self._hidden = 0  # lines of the bottom item below the window
        self._sought = 0  # the number of a message to go to as soon as it is here
        self._top_sought = False
        self.size = (80, 24)

    @property
    def at_end(self) -> bool:
        return self._bottom is None and not self._sought

    def to_end(self) -> None:
        self._pin(None, 0)

    def lines(self, width: int, height: int) -> list[Line]:
        """The lines in a window of that size, at most `height` of them, the newest last."""
        self.size = (width, height)
        self._seek()
        items = self._items()
        at, hidden = self._place(items)
        shown: list[Line] = []
        while at >= 0 and len(shown) < height:
            drawn = self._draw(items, at)
            shown = [*drawn[: len(drawn) - hidden], *shown]
            at, hidden = at - 1, 0
        return shown[-height:]

    def up(self, count: int) -> None:
        """Scroll towards the past, until the oldest line that is here stands at the top."""
        self._room.cleared = 0
        items = self._items()
        at, hidden = self._place(items)
        room_left = self._height(items, at, hidden, self.size[1] + count) - self.size[1]
        hidden += max(0, min(count, room_left))
        while at > 0 and hidden >= len(self._draw(items, at)):
            hidden -= len(self._draw(items, at))
            at -= 1
        if items and (at, hidden) != (len(items) - 1, 0):
            self._pin(items[at], hidden)

    def down(self, count: int) -> None:
        """Scroll towards the present, no further than a hole; at the live end the window follows it again."""
        items = self._items()
        at, hidden = self._place(items)
        hidden -= count
        while hidden < 0 and at < len(items) - 1 and not _hole(items, at):
            at += 1
            hidden += len(self._draw(items, at))
        if not items or (at == len(items) - 1 and hidden <= 0):
            self.to_end()
        else:
            self._pin(items[at], max(0, hidden))

    def seek(self, seq: int, *, at_top: bool = False) -> None:
        """Go to message number `seq`, now or as soon as it is here."""
        self._sought, self._top_sought = seq, at_top

    def wanted(self) -> tuple[int, int] | None:
        """What should be fetched for this window, if anything: up to so many messages before that number."""
        room = self._room
        if self._sought and room.said(self._sought) is None:
            return min(self._sought + PAGE // 2, room.last + 1), PAGE
        items = self._items()
        at, _ = self._place(items)
        if at >= 0 and (missing := _hole(items, at)):
            before = _number(items, at) + 1 + min(PAGE, missing)
            return before, min(PAGE, missing)
        budget = self.size[1] + AHEAD
        while at >= 0 and budget:
            if _first(items, at) <= room.cleared and room.cleared:
                return None
            if missing := _hole(items, at - 1):
                return _first(items, at), min(PAGE, missing)
            at, budget = at - 1, budget - 1
        if budget and not room.oldest and room.last > room.cleared:
            return room.last + 1, PAGE
        return None

    # --- inside -----------------------------------------------------------------------------------------------

    @property
    def _room(self) -> RoomView:
        return self._model.rooms[self._name]

    def _items(self) -> Sequence[Item]:
        room = self._room
        return [*room.entries, *room.own] if room.own else room.entries

    def _pin(self, item: Item | None, hidden: int) -> None:
        self._bottom, self._hidden, self._sought = item, hidden, 0
        self._room.held = item is not None

    def _place(self, items: Sequence[Item]) -> tuple[int, int]:
        """The index of the bottom item, and how many of its lines are below the window."""
        bottom = self._bottom
        if isinstance(bottom, Said):
            at = self._room.at(bottom.seq)
            if at < len(items) and items[at] is bottom:
                return at, self._hidden
        if bottom is not None:
            for at in range(len(items) - 1, -1, -1):
                if items[at] is bottom:
                    return at, self._hidden
        return len(items) - 1, 0

    def _seek(self) -> None:
        said = self._room.said(self._sought) if self._sought else None
        if said is None:
            return
        at_top = self._top_sought
        self._pin(said, 0)
        items = self._items()
        if at_top:
            at, _ = self._place(items)
            self.down(max(0, self.size[1] - len(self._draw(items, at))))
        else:
            self.down(self.size[1] // 2)

    def _height(self, items: Sequence[Item], at: int, hidden: int, enough: int) -> int:
        """How many lines there are from the window's bottom upwards, counted no further than `enough`."""
        total = -hidden
        while at >= 0 and total < enough:
            total += len(self._draw(items, at))
            at -= 1
        return total

    def _draw(self, items: Sequence[Item], at: int) -> list[Line]:
        return draw(self._room, self._model.me, self._model.ignored, items, at, self.size[0])


def _hole(items: Sequence[Item], at: int) -> int:
    """How many messages are missing between item `at` (-1: the beginning) and the one after it."""
    if at + 1 >= len(items) or isinstance(items[at + 1], Own):
        return 0
    return max(0, _first(items, at + 1) - 1 - (_number(items, at) if at >= 0 else 0))


def _first(items: Sequence[Item], at: int) -> int:
    """The number before which everything belongs above item `at`."""
    item = items[at]
    return 0 if isinstance(item, Own) else item.seq


def _number(items: Sequence[Item], at: int) -> int:
    """The number of the newest message that stands at `at` or before it; 0 if there is none."""
    item = items[at]
    if isinstance(item, Said):
        return item.seq
    return 0 if isinstance(item, Own) else item.seq - 1
