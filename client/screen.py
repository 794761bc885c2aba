"""The screen: how the model looks. prompt_toolkit draws it; nothing in here decides anything.

topic of the room
rooms │ messages                    │ members
what commands have shown
state of the link, who is typing, what waits
> input
"""

from __future__ import annotations

from collections.abc import Callable

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
    FormattedTextControl,
    HSplit,
    Layout,
    UIContent,
    UIControl,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType
from prompt_toolkit.styles import Style

from chat.text import safe_text
from chat.values import AWAY, OFFLINE
from client.model import Link, Model, RoomView
from client.text import Line, cut
from client.viewport import Viewport

ROOMS_WIDTH = 18
MEMBERS_WIDTH = 16
WIDE_ENOUGH = 60
"""Columns below which the side panes hide by themselves; the members go first, at half as many more."""
SHOWN_LINES = 14
"""Lines that a command's output takes at the most."""

STYLE = Style.from_dict(
    {
        "bar": "bg:#303446 #d8dee9",
        "bar.server": "bold",
        "bar.bad": "bg:#5c2b2b #ffd7d7",
        "room.current": "bold reverse",
        "room.unread": "bold",
        "room.mention": "bold #ffaf5f",
        "side": "#8a8fa3",
        "away": "#8a8fa3",
        "offline": "#5c6070",
        "time": "#7c8196",
        "date": "#7c8196",
        "fact": "#7c8196 italic",
        "gap": "#ff875f",
        "stopped": "#ff5f87",
        "pending": "#7c8196",
        "refused": "#ff5f5f",
        "mention": "bold #ffd75f",
        "shown": "#9ccfd8",
        "question": "bold #ffd75f",
        "prompt": "bold",
    }
    | {
        f"name-{index}": colour
        for index, colour in enumerate(
            ("#f28779", "#d4bfff", "#73d0ff", "#bae67e", "#ffcc66", "#5ccfe6", "#f29e74", "#95e6cb", "#c3a6ff",
             "#ffd580", "#80bfff", "#e6a8d7")
        )
    }
)  # fmt: skip


class Messages(UIControl):
    """The message pane: asks the viewport for as many lines as the window has, and draws them at its bottom."""

    def __init__(
        self, room: Callable[[], RoomView | None], viewport: Callable[[], Viewport], scroll: Callable[[int], None]
    ) -> None:
        self._room, self._viewport, self._scroll = room, viewport, scroll
        self.width, self.height = 80, 24

    def create_content(self, width: int, height: int) -> UIContent:
        self.width, self.height = width, height
        room = self._room()
        lines = self._viewport().lines(room, width, height) if room is not None else [_hint()]
        padded: list[Line] = [[] for _ in range(height - len(lines))] + lines
        return UIContent(lambda number: padded[number], line_count=len(padded), show_cursor=False)

    def mouse_handler(self, mouse_event: MouseEvent) -> object:
        if mouse_event.event_type is MouseEventType.SCROLL_UP:
            self._scroll(3)
        elif mouse_event.event_type is MouseEventType.SCROLL_DOWN:
            self._scroll(-3)
        else:
            return NotImplemented
        return None


class Screen:
    """The layout over a model. `rooms_shown` and `members_shown` say which side panes the user wants."""

    def __init__(
        self,
        model: Model,
        input_buffer: Buffer,
        viewport: Callable[[], Viewport],
        question: Callable[[], str],
        scroll: Callable[[int], None],
        open_room: Callable[[str], None],
    ) -> None:
        self._model = model
        self._question = question
        self._open_room = open_room
        self.rooms_shown = self.members_shown = True
        self.messages = Messages(lambda: model.room, viewport, scroll)
        self._viewport = viewport
        self.input = Window(
            BufferControl(input_buffer, input_processors=[BeforeInput(self._prompt)], focus_on_click=True),
            height=Dimension(min=1, max=8),
            dont_extend_height=True,
            wrap_lines=True,
        )

    def layout(self) -> Layout:
        rooms = Window(FormattedTextControl(self._rooms, focusable=False), width=ROOMS_WIDTH)
        members = Window(FormattedTextControl(self._members, focusable=False), width=MEMBERS_WIDTH)
        line = Window(width=1, char="│", style="class:side")
        body = VSplit(
            [
                ConditionalContainer(VSplit([rooms, line]), Condition(self._has_rooms)),
                Window(self.messages, wrap_lines=False),
                ConditionalContainer(VSplit([line, members]), Condition(self._has_members)),
            ]
        )
        shown = Window(FormattedTextControl(self._shown), wrap_lines=True, dont_extend_height=True,
                       height=Dimension(max=SHOWN_LINES))  # fmt: skip
        root = HSplit(
            [
                Window(FormattedTextControl(self._top), height=1, style="class:bar"),
                body,
                ConditionalContainer(shown, Condition(lambda: bool(self._model.notices))),
                Window(FormattedTextControl(self._status), height=1, style="class:bar"),
                self.input,
            ]
        )
        menu = Float(CompletionsMenu(max_height=8, scroll_offset=1), xcursor=True, ycursor=True)
        return Layout(FloatContainer(root, [menu]), focused_element=self.input)

    def _has_rooms(self) -> bool:
        return self.rooms_shown and get_app().output.get_size().columns >= WIDE_ENOUGH

    def _has_members(self) -> bool:
        return self.members_shown and get_app().output.get_size().columns >= WIDE_ENOUGH * 3 // 2

    # --- the parts --------------------------------------------------------------------------------------------

    def _top(self) -> StyleAndTextTuples:
        room = self._model.room
        if room is None:
            return [("class:bar.server", f" {safe_text(self._model.server)}")]
        people = f"{room.count} here" if not room.direct else "direct"
        return [("class:bar.server", f" {safe_text(room.title)}"), ("", f"  {safe_text(room.topic)}  ({people})")]

    def _rooms(self) -> StyleAndTextTuples:
        lines: StyleAndTextTuples = []
        for number, room in enumerate(self._model.order(), start=1):
            current = room.name == self._model.current
            style = "class:room.current" if current else "class:room.unread" if room.unread else "class:side"
            sign = "@" if room.direct else "#"
            count = "" if current or not room.unread else f" {min(room.unread, 999)}"
            mentions = "" if current or not room.mentions else f" !{min(room.mentions, 99)}"
            place = f"{number}" if number < 10 else " "
            name = cut(f"{place} {sign}{safe_text(room.title)}", ROOMS_WIDTH - len(count) - len(mentions))
            go = self._opener(room.name)
            lines.append((style, name, go))
            lines.append((style, count, go))
            lines.append(("class:room.mention", mentions, go))
            lines.append(("", "\n"))
        return lines

    def _opener(self, name: str) -> Callable[[MouseEvent], object]:
        def handle(event: MouseEvent) -> object:
            if event.event_type is not MouseEventType.MOUSE_UP:
                return NotImplemented
            self._open_room(name)
            return None

        return handle

    def _members(self) -> StyleAndTextTuples:
        room = self._model.room
        if room is None:
            return []
        ranks = {"online": 0, AWAY: 1, OFFLINE: 2}
        people = sorted(room.members.items(), key=lambda member: (ranks.get(member[1], 1), member[0]))
        lines: StyleAndTextTuples = []
        for name, status in people:
            sign = {AWAY: "◦", OFFLINE: " "}.get(status, "●")
            typing = "…" if name in room.typing else ""
            style = {AWAY: "class:away", OFFLINE: "class:offline"}.get(status, "")
            lines.append((style, cut(f"{sign} {safe_text(name)}{typing}", MEMBERS_WIDTH) + "\n"))
        if not people and room.count:
            lines.append(("class:side", f"{room.count:,} people\n/who lists them"))
        return lines

    def _shown(self) -> StyleAndTextTuples:
        lines = self._model.notices[-SHOWN_LINES:]
        return [("class:shown", "\n".join(f" {safe_text(line)}" for line in lines))]

    def _status(self) -> StyleAndTextTuples:
        model, room = self._model, self._model.room
        parts: StyleAndTextTuples = [self._link()]
        if model.pending:
            parts.append(("", f"  {model.pending} pending"))
        if not self._viewport().at_end:
            parts.append(("class:question", "  ↓ End for the newest"))
        if room is not None and room.typing:
            people = ", ".join(safe_text(name) for name in list(room.typing)[:3])
            parts.append(("", f"  {people} {'is' if len(room.typing) == 1 else 'are'} typing"))
        if model.toast:
            parts.append(("class:mention", f"  {safe_text(model.toast)}"))
        return parts

    def _link(self) -> tuple[str, str]:
        model = self._model
        match model.link:
            case Link.ONLINE:
                ping = f", {1000 * model.round_trip:.0f} ms" if model.round_trip is not None else ""
                return "", f" ● {safe_text(model.me)} on {safe_text(model.server)}{ping}"
            case Link.CONNECTING:
                return "class:bar.bad", " ◌ connecting "
            case Link.WAITING:
                why = safe_text(model.trouble)
                return "class:bar.bad", f" ○ offline, next try in {model.retry_in} s: {why} "
        return "class:bar.bad", f" ✕ {safe_text(model.trouble)} "

    def _prompt(self) -> StyleAndTextTuples:
        if question := self._question():
            return [("class:question", f"{safe_text(question)} ")]
        room = self._model.room
        return [("class:prompt", f"{safe_text(room.title) if room else ''}> ")]


def _hint() -> Line:
    return [("class:fact", "  You are in no room. /join ROOM takes you into one, /rooms lists what there is.")]
