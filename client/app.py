"""The terminal client, put together: the model in the middle, and around it the threads that never touch it.

    main thread       prompt_toolkit on its asyncio loop; the model, the screen, the command greenlets
    receiver, sender  blocking calls on the connection (client/receiver.py)
    timers            a gevent hub (client/timers.py)

The others reach the main thread through `call_soon_threadsafe` alone, so everything in this file runs in one thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prompt_toolkit import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.history import InMemoryHistory

from chat.messages import Command, Join, RoomState, Say, Status, Tell, Typing, Typist
from client.commands import COMMANDS, KEYS
from client.commands import run as run_command
from client.completion import Words
from client.config import Options
from client.connection import Incoming, new_label
from client.dialogue import Cancelled, Dialogues
from client.failures import Failure
from client.home import Home
from client.keys import bindings
from client.link import LinkKeeper
from client.model import Fate, Link, Model, Own
from client.screen import STYLE, Screen
from client.timers import Timers
from client.viewport import Viewport

TYPING_TOLD = 3.0
"""Seconds between two notices that the user is typing."""
TYPING_SHOWN = 6.0
"""Seconds that somebody's typing is shown without another notice."""
IDLE = 300.0
"""Seconds without a key after which the user counts as away."""
MARK_DELAY = 1.0
"""Seconds until the server is told what was read: once for many messages."""


def run(options: Options, home: Home) -> int:
    """Open the terminal UI; returns when the user quits. Raises `Failure` if there is nothing to be connected to."""
    return asyncio.run(_run(options, home))


async def _run(options: Options, home: Home) -> int:
    app = App(options, home)
    try:
        return await app.run()
    finally:
        app.close()


class App:
    """One terminal: what `commands.Desk` and `keys.Actions` ask for."""

    def __init__(self, options: Options, home: Home) -> None:
        self.model = Model(new_label)
        self._wanted: str | None = options.room
        self._timers = Timers(asyncio.get_running_loop())
        self._link = LinkKeeper(
            options, home, self.model, self._timers, heard=self._heard, settled=self._settled, failed=self._failed
        )
        self._dialogues = Dialogues(self._link.send, self.show)
        self._viewports: dict[str, Viewport] = {}
        self._away = False
        self._failure: Failure | None = None
        self.typed = Buffer(
            history=InMemoryHistory(),
            completer=Words(self.model),
            multiline=True,
            on_text_changed=lambda _: self._tell_typing(),
        )
        self.screen = Screen(
            self.model, self.typed, self._viewport, lambda: self._dialogues.question, self.scroll, self.open_room
        )
        self._application: Application[int] = Application(
            layout=self.screen.layout(),
            key_bindings=bindings(self, self.typed),
            style=STYLE,
            full_screen=True,
            mouse_support=True,
            min_redraw_interval=0.02,
        )
        self._application.timeoutlen = 0.3  # seconds that Esc waits for the second half of an Alt key
        self._application.ttimeoutlen = 0.05

    async def run(self) -> int:
        self._link.connect()
        self._application.key_processor.before_key_press += lambda _: self._is_active()
        self._is_active()
        status = await self._application.run_async()
        if self._failure is not None:
            raise self._failure
        return status

    def close(self) -> None:
        self._timers.stop()
        self._link.close()

    # --- what happens -----------------------------------------------------------------------------------------

    def _heard(self, messages: list[Incoming]) -> None:
        for message in messages:
            if isinstance(message, Typist):
                self._expect_end_of_typing(message)
            self._dialogues.offer(message)
        if self.model.link is not Link.ONLINE:
            self._dialogues.cancel("The link is down; try again when it is back.")
        if self.model.current and self._viewport().at_end:
            self._mark_later()
        self._application.invalidate()

    def _settled(self) -> None:
        room, self._wanted = self._wanted, None
        if room is not None and room.startswith("@"):
            self.show(f"Say something to {room[1:]} with /msg {room[1:]} TEXT.")
        elif room is not None:
            self._dialogues.start(lambda: self._enter(room))
        elif self.model.current not in self.model.rooms and self.model.rooms:
            self.open_room(self.model.order()[0].name)

    def _enter(self, room: str) -> None:
        for answer in self.request(Join(new_label(), room)):
            if isinstance(answer, RoomState):
                self.open_room(answer.room)

    def _failed(self, failure: Failure) -> None:
        self._failure = failure
        if self._application.is_running:
            self._application.exit(result=failure.status)

    def _expect_end_of_typing(self, typist: Typist) -> None:
        def forget() -> None:
            room = self.model.rooms.get(typist.room)
            if room is not None:
                room.typing.pop(typist.name, None)
                self._application.invalidate()

        self._timers.once(f"typing {typist.room} {typist.name}", TYPING_SHOWN, forget)

    def _tell_typing(self) -> None:
        room = self.model.room
        text = self.typed.text
        if room is None or not text or text.startswith("/") or "typing" in self._timers.pending():
            return
        self._link.send(Typing(room.name))
        self._timers.once("typing", TYPING_TOLD, lambda: None)

    def _is_active(self) -> None:
        if self._away:
            self._set_away(False)
        self._timers.once("idle", IDLE, lambda: self._set_away(True))

    def _set_away(self, away: bool) -> None:
        self._away = away
        self._link.send(Status(away))

    def _mark_later(self) -> None:
        if "mark" not in self._timers.pending():
            self._timers.once("mark", MARK_DELAY, self._mark)

    def _mark(self) -> None:
        room = self.model.room
        if room is not None and self._viewport().at_end:
            self._link.send(*self.model.mark(room))

    # --- what commands ask for --------------------------------------------------------------------------------

    def request(self, command: Command) -> list[Incoming]:
        if self.model.link is not Link.ONLINE:
            raise Cancelled("There is no link now; try again when it is back.")
        return self._dialogues.request(command)

    def ask(self, question: str) -> str:
        return self._dialogues.ask(question)

    def show(self, *lines: str) -> None:
        self.model.notices = list(lines)
        self._application.invalidate()

    def open_room(self, name: str) -> None:
        if name in self.model.rooms:
            self._link.send(*self.model.show(name))
            self._viewport().to_end()
            self._application.invalidate()

    def say(self, text: str, *, action: bool = False) -> None:
        room = self.model.room
        if room is None:
            raise Cancelled("You are in no room; /join ROOM takes you into one.")
        self._link.say(Say(new_label(), room.name, text, action))
        self._viewport().to_end()

    def tell(self, person: str, text: str) -> None:
        self._link.say(Tell(new_label(), person, text))

    def quit(self) -> None:
        if self._application.is_running:
            self._application.exit(result=0)

    # --- what keys do -----------------------------------------------------------------------------------------

    def submit(self) -> None:
        line = self.typed.text
        if self._dialogues.question:
            self.typed.reset()
            self._dialogues.answer(line.strip())
        elif line.strip():
            self.typed.reset(append_to_history=True)
            self.model.notices = []
            self._dialogues.start(lambda: self._carry_out(line))

    def _carry_out(self, line: str) -> None:
        if line.startswith("/") and not line.startswith("//"):
            run_command(self, line.strip())
        else:
            self.say(line.removeprefix("/") if line.startswith("//") else line.rstrip())

    def scroll(self, lines: int) -> None:
        """Move the messages by some lines, towards the past if there are more than none."""
        room = self.model.room
        if room is None:
            return
        pane, viewport = self.screen.messages, self._viewport()
        if lines > 0:
            viewport.up(room, pane.width, pane.height, lines)
            if viewport.is_at_top(room, pane.width, pane.height + lines):
                self._link.send(*self.model.fetch_older(room))
        else:
            viewport.down(room, pane.width, -lines)

    def scroll_pages(self, pages: float) -> None:
        self.scroll(int(pages * max(1, self.screen.messages.height - 2)))

    def to_newest(self) -> None:
        self._viewport().to_end()
        self._mark_later()

    def next_room(self, step: int) -> None:
        rooms = [room.name for room in self.model.order()]
        if rooms:
            at = rooms.index(self.model.current) if self.model.current in rooms else -step
            self.open_room(rooms[(at + step) % len(rooms)])

    def go_to_place(self, place: int) -> None:
        rooms = self.model.order()
        if place <= len(rooms):
            self.open_room(rooms[place - 1].name)

    def next_with_news(self) -> None:
        waiting = [room for room in self.model.order() if room.unread and room.name != self.model.current]
        if waiting:
            self.open_room(max(waiting, key=lambda room: room.mentions).name)

    def escape(self) -> None:
        if self._dialogues.question:
            self._dialogues.cancel("", questions=True)
        self.model.notices = []

    def edit_refused(self) -> None:
        """Take back the newest message that was refused, into the input line."""
        self._with_refused(lambda own: self.typed.insert_text(own.command.text))

    def drop_refused(self) -> None:
        self._with_refused(lambda own: None)

    def _with_refused(self, do: Callable[[Own], None]) -> None:
        room = self.model.room
        refused = [own for own in room.own if own.fate is Fate.REFUSED] if room is not None else []
        if refused:
            do(refused[-1])
            self.model.drop_own(refused[-1].command.label)

    def toggle_rooms(self) -> None:
        self.screen.rooms_shown = not self.screen.rooms_shown

    def toggle_members(self) -> None:
        self.screen.members_shown = not self.screen.members_shown

    def help(self) -> None:
        self.show(*(f"{command.usage:<24} {command.help}" for command in COMMANDS.values()), KEYS)

    def _viewport(self) -> Viewport:
        """The window onto the room that is shown; each room keeps its own place."""
        if self.model.current not in self._viewports:
            self._viewports[self.model.current] = Viewport(self.model)
        return self._viewports[self.model.current]
