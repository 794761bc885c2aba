"""The screen: where the parts of the model stand. prompt_toolkit lays out and draws; nothing in here decides anything.

topic of the room
rooms │ messages                    │ members
what commands have shown
state of the link, who is typing, what waits
> input
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from chat.text import safe_text
from client import panes
from client.cells import Pane
from client.seat import Seat
from client.text import Line, Piece
from client.viewport import Viewport

ROOMS_WIDTH = 18
MEMBERS_WIDTH = 16

ROOMS_FROM = 70
"""Columns below which the rooms hide by themselves, and the members:"""
MEMBERS_FROM = 100

HINT: Line = [Piece("class:fact", "  You are in no room. /join ROOM takes you into one, /rooms lists what there is.")]


class Screen:
    """The layout over a seat's model. `viewport` gives the window onto the current room."""

    def __init__(
        self, seat: Seat, typed: Buffer, viewport: Callable[[], Viewport | None], scroll: Callable[[int], None]
    ) -> None:
        self._seat = seat
        self._model = model = seat.model
        self._viewport, self._scroll = viewport, scroll
        self.rooms_shown = self.members_shown = True
        """Whether the user wants the side panes where there is room for them."""
        self._text_from = 0
        """The first line that is shown of what commands have printed, or of the models' picture."""
        self.messages = Pane(self._draw_messages, mouse=self._on_messages)
        self.notices = Pane(self._draw_notices, height=lambda width: len(panes.notices(model, width)))
        self.input = Window(
            BufferControl(typed, input_processors=[BeforeInput(self._prompt)], focus_on_click=True),
            height=Dimension(min=1, max=8),
            dont_extend_height=True,
            wrap_lines=True,
        )

    def layout(self) -> Layout:
        model = self._model
        rooms = Pane(lambda width, height: panes.rooms(model, width), width=ROOMS_WIDTH, mouse=self._on_rooms)
        members = Pane(self._draw_members, width=MEMBERS_WIDTH)
        line = Window(width=1, char="│", style="class:side")
        body = VSplit(
            [
                ConditionalContainer(VSplit([rooms, line]), Condition(self._has_rooms)),
                self.messages,
                ConditionalContainer(VSplit([line, members]), Condition(self._has_members)),
            ]
        )
        root = HSplit(
            [
                Pane(lambda width, height: [panes.topic(model)], height=lambda width: 1, style="class:bar"),
                body,
                ConditionalContainer(self.notices, Condition(lambda: bool(model.notices))),
                Pane(self._draw_status, height=lambda width: 1, style="class:bar"),
                self.input,
            ]
        )
        menu = Float(CompletionsMenu(max_height=8, scroll_offset=1), xcursor=True, ycursor=True)
        return Layout(FloatContainer(root, [menu]), focused_element=self.input)

    def _has_rooms(self) -> bool:
        return self._seat.insight is None and self.rooms_shown and get_app().output.get_size().columns >= ROOMS_FROM

    def _has_members(self) -> bool:
        return self._seat.insight is None and self.members_shown and get_app().output.get_size().columns >= MEMBERS_FROM

    # --- the parts --------------------------------------------------------------------------------------------

    def _draw_messages(self, width: int, height: int) -> list[Line]:
        if self._seat.insight is not None:
            return self._from([[Piece("", line)] for line in self._seat.insight.lines(width)], height)
        viewport = self._viewport()
        lines = viewport.lines(width, height) if viewport is not None else [HINT]
        return [[] for _ in range(height - len(lines))] + lines

    def _draw_members(self, width: int, height: int) -> list[Line]:
        return panes.members(self._model.room, width, height) if self._model.room is not None else []

    def _draw_notices(self, width: int, height: int) -> list[Line]:
        return self._from(panes.notices(self._model, width), height)

    def _from(self, lines: list[Line], height: int) -> list[Line]:
        self._text_from = max(0, min(self._text_from, len(lines) - height))
        return lines[self._text_from : self._text_from + height]

    def scroll_text(self, lines: int) -> None:
        """Move what commands have printed, or the models' picture, down by some lines."""
        self._text_from += lines

    def notices_hidden(self) -> bool:
        """Whether there is more printed than is shown."""
        return bool(self._model.notices) and len(panes.notices(self._model, self.notices.columns)) > self.notices.rows

    def _draw_status(self, width: int, height: int) -> list[Line]:
        viewport = self._viewport()
        line = panes.status(self._model, viewport is None or viewport.at_end)
        return [[*line, Piece("class:question", "  PgUp/PgDn scroll, Esc closes")] if self._model.notices else line]

    def _prompt(self) -> StyleAndTextTuples:
        if question := self._seat.dialogues.question:
            return [("class:question", f"{safe_text(question)} ")]
        room = self._model.room
        return [("class:prompt", f"{safe_text(room.title) if room else ''}> ")]

    # --- the mouse --------------------------------------------------------------------------------------------

    def _on_messages(self, event: MouseEvent) -> Any:
        if event.event_type is MouseEventType.SCROLL_UP:
            self._scroll(3)
        elif event.event_type is MouseEventType.SCROLL_DOWN:
            self._scroll(-3)
        else:
            return NotImplemented
        return None

    def _on_rooms(self, event: MouseEvent) -> Any:
        order = self._model.order()
        if event.event_type is MouseEventType.MOUSE_UP and event.position.y < len(order):
            self._seat.open_room(order[event.position.y].name)
            return None
        return NotImplemented
