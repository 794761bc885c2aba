"""The terminal client's full screen, put together: the seat, the screen that draws its model, and the keys.

Everything in this file runs in the main thread, on prompt_toolkit's asyncio loop.
"""

from __future__ import annotations

import asyncio

from prompt_toolkit import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import InMemoryHistory

from chat.messages import Said
from client import commands, searching
from client.cells import paper
from client.command_table import overview
from client.completion import Words
from client.config import Options
from client.door import door_into
from client.home import Home
from client.keys import bindings, hear_focus
from client.pace import Pace
from client.roomview import Own
from client.screen import Screen
from client.seat import Seat
from client.settings import keys_of
from client.theme import colour_depth, style_of
from client.viewport import Viewport

FOCUS_REPORTS = "\x1b[?1004h", "\x1b[?1004l"
"""What asks the terminal to tell when it gets or loses the focus, and what ends that."""


def run(options: Options, home: Home) -> int:
    """Open the terminal UI; returns when the user quits. Raises `Failure` if there is nothing to be connected to."""
    return asyncio.run(_run(options, home))


async def _run(options: Options, home: Home) -> int:
    return await App(options, home).run()


class App:
    """One terminal: the `seat.Face` that shows the model, and what `keys.ACTIONS` call."""

    def __init__(self, options: Options, home: Home) -> None:
        self._seat = Seat(options, home, self, door_into(asyncio.get_running_loop()))
        self.model = self._seat.model
        self._viewports: dict[str, Viewport] = {}
        self._focused = True
        self._draft = Document()
        self._redrawing = Pace(0.02, lambda: self._application.invalidate())  # what is typed is drawn at once
        self._places = Condition(lambda: self._seat.dialogues.question == commands.GO_TO)
        self.typed = Buffer(
            history=InMemoryHistory(),
            completer=Words(self.model, self._places),
            complete_while_typing=self._places,
            multiline=True,
            on_text_changed=lambda _: self._seat.typing(self.typed.text),
        )
        self.screen = Screen(self._seat, self.typed, self._viewport, self.scroll)
        hear_focus()
        self._application: Application[int] = Application(
            layout=self.screen.layout(),
            key_bindings=bindings(self, self.typed, keys_of(home)),
            style=style_of(self._seat.settings.theme),
            color_depth=colour_depth(),
            output=paper(),
            full_screen=True,
            mouse_support=True,
            after_render=lambda _: self._drawn(),
        )
        self._application.timeoutlen = 0.3  # seconds that Esc waits for the second half of an Alt key
        self._application.ttimeoutlen = 0.05

    async def run(self) -> int:
        self._seat.connect()
        self._application.key_processor.before_key_press += lambda _: self._seat.is_active()
        self.write(FOCUS_REPORTS[0])
        try:
            await self._application.run_async()
        finally:
            self.write(FOCUS_REPORTS[1])
            self._seat.close()
        if self._seat.failure is not None:
            raise self._seat.failure
        return 0

    def _viewport(self) -> Viewport | None:
        """The window onto the room that is shown; each room keeps its own place."""
        name = self.model.current
        if name not in self.model.rooms:
            return None
        if name not in self._viewports:
            self._viewports[name] = Viewport(self.model, name)
        return self._viewports[name]

    def _drawn(self) -> None:
        self._redrawing.done()
        self._seat.drawn()
        self._fetch()
        self._seat.read()

    def _fetch(self) -> None:
        """Ask for the messages that the window wants and that aren't here."""
        viewport, room = self._viewport(), self.model.room
        wanted = viewport.wanted() if viewport is not None else None
        if wanted is not None and room is not None:
            self._seat.send(*self.model.fetch(room, *wanted))

    # --- the face ---------------------------------------------------------------------------------------------

    def changed(self) -> None:
        self._redrawing.ask()

    def opened(self, room: str) -> None:
        viewport, view = self._viewport(), self.model.rooms[room]
        if viewport is None:
            return
        viewport.to_end()
        if view.stopped is not None:
            viewport.seek(view.stopped + 1, at_top=True)

    def called(self, said: Said, title: str) -> None:
        """The list of rooms shows it."""

    def at_end(self) -> bool:
        viewport = self._viewport()
        return viewport is not None and viewport.at_end and self._focused and self._seat.insight is None

    def seek(self, seq: int) -> None:
        viewport = self._viewport()
        if viewport is not None and seq:
            viewport.seek(seq)
        elif viewport is not None:
            viewport.to_end()

    def asking(self, begins: bool) -> None:
        if begins:
            self._draft = self.typed.document
        self.typed.set_document(Document() if begins else self._draft)

    def restyle(self) -> None:
        self._application.style = style_of(self._seat.settings.theme)
        self.changed()

    def write(self, sequence: str) -> None:
        self._application.output.write_raw(sequence)
        self._application.output.flush()

    def end(self) -> None:
        if self._application.is_running:
            self._application.exit(result=0)

    # --- what keys do -----------------------------------------------------------------------------------------

    def submit(self) -> None:
        line = self.typed.text
        self.typed.reset(append_to_history=not self._seat.dialogues.question)
        self._seat.submit(line)

    def scroll(self, lines: int) -> None:
        """Move what is shown by some lines, towards the past if there are more than none."""
        viewport = self._viewport()
        if self._seat.insight is not None or self.screen.notices_hidden():
            self.screen.scroll_text(-lines)
        elif viewport is not None and lines > 0:
            viewport.up(lines)
            self._fetch()
        elif viewport is not None:
            viewport.down(-lines)

    def scroll_pages(self, pages: float) -> None:
        self.scroll(int(pages * max(1, self.screen.messages.rows - 2)))

    def to_newest(self) -> None:
        self.seek(0)

    def first_unread(self) -> None:
        viewport, room = self._viewport(), self.model.room
        if viewport is not None and room is not None:
            viewport.seek(min(room.last, 1 + (room.seen if room.stopped is None else room.stopped)), at_top=True)

    def next_room(self, step: int) -> None:
        rooms = [room.name for room in self.model.order()]
        if rooms:
            at = rooms.index(self.model.current) if self.model.current in rooms else -step
            self._seat.open_room(rooms[(at + step) % len(rooms)])

    def go_to_place(self, place: int) -> None:
        rooms = self.model.order()
        if place <= len(rooms):
            self._seat.open_room(rooms[place - 1].name)

    def next_with_news(self) -> None:
        room = self.model.next_with_news()
        if room is not None:
            self._seat.open_room(room.name)

    def jump(self) -> None:
        self._seat.dialogues.start(lambda: commands.jump(self._seat, ""))

    def find(self) -> None:
        self._seat.dialogues.start(lambda: searching.find(self._seat, ""))

    def escape(self) -> None:
        if self._seat.dialogues.question:
            self._seat.dialogues.cancel("", questions=True)
        self._seat.watch_models(False)
        self._seat.show()

    def edit_refused(self) -> None:
        """Take back the newest message that was refused, into the input line."""
        own = self._drop()
        if own is not None:
            self.typed.insert_text(own.command.text)

    def drop_refused(self) -> None:
        self._drop()

    def _drop(self) -> Own | None:
        own = self.model.refused()
        return self.model.drop_own(own.command.label) if own is not None else None

    def ask_about_paste(self, text: str) -> None:
        def paste() -> None:
            if self._seat.ask(f"Paste {len(text.splitlines())} lines? (y/n)").lower() in ("y", "yes"):
                self.typed.insert_text(text)

        self._seat.dialogues.start(paste)

    def toggle_models(self) -> None:
        self._seat.watch_models(self._seat.insight is None)

    def toggle_rooms(self) -> None:
        self.screen.rooms_shown = not self.screen.rooms_shown

    def toggle_members(self) -> None:
        self.screen.members_shown = not self.screen.members_shown

    def focus(self, focused: bool) -> None:
        self._focused = focused
        self._seat.read()

    def help(self) -> None:
        self._seat.show(*overview())
