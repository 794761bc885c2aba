"""Cells: text put on the screen grapheme by grapheme, and written so that no terminal's opinion on widths can shift it.

prompt_toolkit adds up the widths of code points, so 👩‍👩‍👧 takes six cells there, and terminals disagree on such things
among themselves. So a `Pane` puts whole graphemes into the cells of prompt_toolkit's screen, with their own widths;
and `Paper`, the output, writes each of those between "save the cursor" and "restore the cursor, go right by its
width": what follows stands in its column, whatever the terminal made of the grapheme. Links (OSC 8) are written the
same way, as a property of cells, so a link that is wrapped or drawn anew in part stays whole.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import wcwidth
from prompt_toolkit.key_binding import KeyBindingsBase
from prompt_toolkit.layout import Container, Dimension
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Char, Screen, WritePosition
from prompt_toolkit.mouse_events import MouseEvent
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output

from client.text import Line, graphemes

_LINK = "\x1f"
"""Stands in a cell between the grapheme and the address that it links to; safe_text lets none through."""


class Cell(Char):
    """A grapheme with the width that it has as a whole."""

    def __init__(self, char: str, style: str, width: int) -> None:
        self.char, self.style, self.width = char, style, width


@functools.lru_cache(maxsize=8192)
def _cell(grapheme: str, style: str, url: str) -> Cell:
    width = 1 if grapheme.isascii() else wcwidth.width(grapheme, control_codes="ignore")
    return Cell(f"{grapheme}{_LINK}{url}" if url else grapheme, style, width)


_REST_OF_WIDE = Char("", "")


class Pane(Container):
    """A part of the screen that shows the lines which `draw(width, height)` gives, from its top.

    `width` and `height(width)` are what it takes, the height no more than half of what there is; without them it
    takes what is left.
    """

    def __init__(
        self,
        draw: Callable[[int, int], list[Line]],
        *,
        width: int | None = None,
        height: Callable[[int], int] | None = None,
        style: str = "",
        mouse: Callable[[MouseEvent], Any] | None = None,
    ) -> None:
        self._draw = draw
        self._width, self._height = width, height
        self._style = style
        self._mouse = mouse
        self.columns, self.rows = 80, 24
        """The size when it was drawn last."""

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        left, top = write_position.xpos, write_position.ypos
        self.columns, self.rows = write_position.width, write_position.height
        base = f"{parent_style} {self._style}".strip()
        lines = self._draw(self.columns, self.rows) if self.rows > 0 else []
        for y in range(self.rows):
            row = screen.data_buffer[top + y]
            x, end = left, left + self.columns
            for style, text, url in lines[y] if y < len(lines) else ():
                whole = f"{base} {style}" if base else style
                for grapheme in graphemes(text):
                    cell = _cell(grapheme, whole, url)
                    if x + cell.width > end:
                        break
                    row[x] = cell
                    if cell.width == 2:
                        row[x + 1] = _REST_OF_WIDE
                    x += cell.width
            if base:
                blank = _cell(" ", base, "")
                for column in range(x, end):
                    row[column] = blank
        if self._mouse is not None:
            handlers = mouse_handlers
            handlers.set_mouse_handler_for_range(
                x_min=left, x_max=left + self.columns, y_min=top, y_max=top + self.rows, handler=self._at(left, top)
            )

    def _at(self, left: int, top: int) -> Callable[[MouseEvent], Any]:
        """A handler for events on the whole screen, in terms of this pane."""
        assert self._mouse is not None
        mouse = self._mouse

        def handle(event: MouseEvent) -> Any:
            place = type(event.position)(x=event.position.x - left, y=event.position.y - top)
            return mouse(MouseEvent(place, event.event_type, event.button, event.modifiers))

        return handle

    def preferred_width(self, max_available_width: int) -> Dimension:
        return Dimension.exact(self._width) if self._width is not None else Dimension()

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        if self._height is None:
            return Dimension()
        wanted = max(1, min(self._height(width), max_available_height // 2))
        return Dimension.exact(wanted)

    def reset(self) -> None:
        pass

    def is_modal(self) -> bool:
        return False

    def get_key_bindings(self) -> KeyBindingsBase | None:
        return None

    def get_children(self) -> list[Container]:
        return []


class Paper(Vt100_Output):
    """The terminal, with cells written as said above."""

    _link = ""

    def write(self, data: str) -> None:
        grapheme, _, url = data.partition(_LINK)
        self._go_to_link(url)
        if len(grapheme) == 1 or grapheme.isascii():
            super().write(grapheme)
        else:
            width = wcwidth.width(grapheme, control_codes="ignore")
            self.write_raw(f"\x1b7\x1b[{width}X")  # else one that takes it for narrower leaves an old cell
            super().write(grapheme)
            self.write_raw(f"\x1b8\x1b[{width}C")

    def flush(self) -> None:
        self._go_to_link("")
        super().flush()

    def erase_end_of_line(self) -> None:
        self._go_to_link("")
        super().erase_end_of_line()

    def erase_down(self) -> None:
        self._go_to_link("")
        super().erase_down()

    def _go_to_link(self, url: str) -> None:
        if url != self._link:
            self._link = url
            address = quote(url, safe=":/?#[]@!$&'()*+,=%~")  # in ASCII, as OSC 8 wants it
            self.write_raw(f"\x1b]8;id={hash(url) & 0xFFFF:x};{address}\x1b\\" if url else "\x1b]8;;\x1b\\")


def paper() -> Output:
    """The output to draw on: a `Paper` on whatever speaks VT100, else what the platform has."""
    if sys.platform == "win32" or not sys.stdout.isatty():
        return create_output()
    return Paper.from_pty(sys.stdout, term=os.environ.get("TERM"))
