"""The user's seat: everything of a client that has no face yet. The model, the link that keeps it, the timers, the
commands under way; the full screen and the plain mode sit down in it.

    main thread       an asyncio loop; the model, the face, the command greenlets: all that is in this file
    receiver, sender  blocking calls on the connection (client/receiver.py)
    timers            a gevent hub (client/timers.py)

The others reach the main thread through the door (client/door.py) alone.
"""

from __future__ import annotations

from typing import Protocol

from chat.messages import Command, Join, RoomState, Said, Say, Statistics, Status, Tell, Trail, Typing, Typist
from client import attention, explain
from client.command_table import run
from client.config import Options
from client.connection import Incoming, new_label
from client.dialogue import Cancelled, Dialogues
from client.door import Door
from client.failures import Failure
from client.home import Home
from client.insight import Insight
from client.link import LinkKeeper
from client.model import Link, Model
from client.settings import Settings
from client.timers import Timers
from client.tracer import Tracer

TYPING_TOLD = 3.0
"""Seconds between two notices that the user is typing."""

TYPING_SHOWN = 6.0
"""Seconds that somebody's typing is shown without another notice."""

IDLE = 300.0
"""Seconds without a key after which the user counts as away."""

MARK_DELAY = 1.0
"""Seconds until the server is told what was read: once for many messages."""

LOOK = 1.0
"""Seconds between two looks at the server's figures."""


class Face(Protocol):
    """What the seat asks of whatever shows the model."""

    def changed(self) -> None:
        """The model has changed: draw it anew, soon."""
        ...

    def opened(self, room: str) -> None:
        """A room was opened: show it from where the user stopped reading."""
        ...

    def called(self, said: Said, title: str) -> None:
        """A message that isn't before the user's eyes calls for them."""
        ...

    def at_end(self) -> bool:
        """Whether the newest message of the current room is before the user's eyes."""
        ...

    def seek(self, seq: int) -> None:
        """Show this message of the current room."""
        ...

    def asking(self, begins: bool) -> None:
        """A question takes the line that is typed, or gives it back."""
        ...

    def restyle(self) -> None:
        """The settings have changed."""
        ...

    def write(self, sequence: str) -> None:
        """Write a control sequence to the terminal."""
        ...

    def end(self) -> None:
        """The user quits, or can't go on."""
        ...


class Seat:
    """What `commands.Desk` asks for. Made in the loop that it lives in; `connect` begins, `close` ends it."""

    def __init__(self, options: Options, home: Home, face: Face, door: Door) -> None:
        self.model = Model(new_label)
        self.settings = Settings.load(home)
        self.failure: Failure | None = None
        self.tracer = Tracer()
        self.insight: Insight | None = None
        """The picture of /models, while it is shown."""
        self.timers = Timers(door)
        self.dialogues = Dialogues(self.send, self.show, door)
        self._options, self._home, self._face = options, home, face
        self._wanted: str | None = options.room
        self._link = LinkKeeper(
            options,
            home,
            self.model,
            self.timers,
            door,
            heard=self._heard,
            settled=self._settled,
            failed=self._failed,
            sent=self.tracer.sent,
        )
        self._away = self._away_until_back = False
        self._obey_settings()

    def connect(self) -> None:
        self._link.connect()
        self.is_active()

    def close(self) -> None:
        self.timers.stop()
        self._link.close()

    # --- what happens -----------------------------------------------------------------------------------------

    def _heard(self, messages: list[Incoming]) -> None:
        for message in messages:
            match message:
                case Typist():
                    self._expect_end_of_typing(message)
                case Trail():
                    self.tracer.taken_in(message)
                case Statistics() if self.insight is not None:
                    self.insight.learn(message)
            if way := self.tracer.ends_with(message):
                self.show(*way)
            self.dialogues.offer(message)
        if self.model.link is not Link.ONLINE:
            self.dialogues.cancel("The link is down; try again when it is back.")
        self._call_attention()
        self.read()
        self._face.changed()

    def _settled(self) -> None:
        room, self._wanted = self._wanted, None
        if self.settings.name != self.model.me:
            self.settings.name = self.model.me
            self.settings.save(self._home)
        if self._away:
            self.send(Status(True))
        for each in self.model.rooms.values():
            if each.unread and not each.entries:  # which of them are mentions?
                self.send(*self.model.fetch(each, each.last + 1))
        if room is not None and room.startswith("@"):
            self.show(f"Say something to {room[1:]} with /msg {room[1:]} TEXT.")
        elif room is not None:
            self.dialogues.start(lambda: self._enter(room))
        elif self.model.current not in self.model.rooms and self.model.rooms:
            self.open_room(self.model.order()[0].name)

    def _enter(self, room: str) -> None:
        for answer in self.request(Join(new_label(), room)):
            if isinstance(answer, RoomState):
                self.open_room(answer.room)

    def _failed(self, failure: Failure) -> None:
        self.failure = failure
        self._face.end()

    def _expect_end_of_typing(self, typist: Typist) -> None:
        def forget() -> None:
            room = self.model.rooms.get(typist.room)
            if room is not None:
                room.typing.pop(typist.name, None)
                self._face.changed()

        self.timers.once(f"typing {typist.room} {typist.name}", TYPING_SHOWN, forget)

    def _call_attention(self) -> None:
        calls, self.model.calls = self.model.calls, []
        for said in calls:
            room = self.model.rooms[said.room]
            if said.seq > room.seen and not (said.room == self.model.current and self._face.at_end()):
                self._notify(said, room.title)

    def _notify(self, said: Said, title: str) -> None:
        self._face.called(said, title)
        if self.settings.bell:
            self._face.write(attention.bell())
        if self.settings.desktop:
            about = said.author if title == said.author else f"{said.author} in {title}"
            self._face.write(attention.notification(about, said.text))
            attention.on_desktop(about, said.text)

    # --- what the face reports --------------------------------------------------------------------------------

    def submit(self, line: str) -> None:
        """The user has typed a line: an answer, a command or a message."""
        if self.dialogues.question:
            self.dialogues.answer(line.strip())
        elif line.strip():
            self.model.notices = []
            self.tracer.typed()
            self.dialogues.start(lambda: self._carry_out(line))

    def _carry_out(self, line: str) -> None:
        if line.startswith("/") and not line.startswith("//"):
            run(self, line.strip())
        else:
            self.say(line.removeprefix("/") if line.startswith("//") else line.rstrip())

    def typing(self, text: str) -> None:
        """The user is writing; the others are told, now and then."""
        room = self.model.room
        if room is None or not text or text.startswith("/") or "typing" in self.timers.pending():
            return
        if not self.dialogues.question:
            self.send(Typing(room.name))
            self.timers.once("typing", TYPING_TOLD, lambda: None)

    def is_active(self) -> None:
        """The user is there: a key was pressed."""
        if self._away and not self._away_until_back:
            self._tell_away(False)
        self.timers.once("idle", IDLE, lambda: self._tell_away(True))

    def read(self) -> None:
        """If the newest message is before the user's eyes, the server is told, soon."""
        if self._face.at_end() and "mark" not in self.timers.pending():
            self.timers.once("mark", MARK_DELAY, self._mark)

    def _mark(self) -> None:
        room = self.model.room
        if room is not None and self._face.at_end():
            self.send(*self.model.mark(room))
            self._face.changed()

    def drawn(self) -> None:
        """The screen shows the model as it is now."""
        self.send(*self.tracer.drawn(self.model.me))
        if way := self.tracer.own():
            self.show(*way)

    # --- what commands ask for --------------------------------------------------------------------------------

    def request(self, command: Command) -> list[Incoming]:
        if self.model.link is not Link.ONLINE:
            raise Cancelled("There is no link now; try again when it is back.")
        return self.dialogues.request(command)

    def send(self, *commands: Command) -> None:
        self._link.send(*commands)

    def ask(self, question: str) -> str:
        self._face.asking(True)
        try:
            return self.dialogues.ask(question)
        finally:
            self._face.asking(False)

    def show(self, *lines: str) -> None:
        self.model.notices = list(lines)
        self._face.changed()

    def open_room(self, name: str) -> None:
        if name in self.model.rooms:
            self.model.show(name)
            self._face.opened(name)
            self.read()
            self._face.changed()

    def seek(self, room: str, seq: int) -> None:
        self.open_room(room)
        self._face.seek(seq)

    def say(self, text: str, *, action: bool = False) -> None:
        room = self.model.room
        if room is None:
            raise Cancelled("You are in no room; /join ROOM takes you into one.")
        command = Say(new_label(), room.name, text, action, trace=self.tracer.on)
        self.tracer.begin(command)
        self._link.say(command)
        self.tracer.kept(command)
        self._face.seek(0)

    def tell(self, person: str, text: str) -> str:
        command = Tell(new_label(), person, text)
        self._link.say(command)
        said = next(each for each in self.dialogues.answers(command.label) if isinstance(each, Said))
        return said.room

    def set_away(self, away: bool) -> None:
        self._away_until_back = away
        self._tell_away(away)

    def _tell_away(self, away: bool) -> None:
        self._away = self._link.away = away
        self.send(Status(away))

    def copy(self, text: str) -> None:
        try:
            self._face.write(attention.clipboard(text))
        except ValueError as error:
            raise Cancelled(str(error)) from error

    def settings_changed(self) -> None:
        self.settings.save(self._home)
        self._obey_settings()
        self._face.restyle()

    def _obey_settings(self) -> None:
        self.model.muted, self.model.ignored = set(self.settings.muted), set(self.settings.ignored)
        self.model.notify = self.settings.notify

    def network(self) -> list[str]:
        verdicts = self.dialogues.in_thread(lambda: explain.check(self._options, self._home))
        return [*self._link.state(), *(line for verdict in verdicts for line in str(verdict).splitlines())]

    def trace(self) -> bool:
        self.tracer.on = not self.tracer.on
        return self.tracer.on

    def watch_models(self, watched: bool) -> None:
        if not watched:
            self.insight = None
            self.timers.cancel("models")
        elif self.insight is None:
            self.insight = Insight(self.timers, self.dialogues, lambda: self._link.receiver)
            self.timers.every("models", LOOK, self._look)
            self._look()
        self._face.changed()

    def _look(self) -> None:
        self.send(*(self.insight.ask() if self.insight is not None else ()))
        self._face.changed()

    def quit(self) -> None:
        self._face.end()
