"""A desk for commands without a server: a model, answers prepared beforehand, and what the commands did."""

from __future__ import annotations

from collections.abc import Callable

from chat.messages import Command
from client.connection import Incoming
from client.dialogue import Cancelled, Dialogues
from client.model import Model
from client.settings import Settings


class TestDesk:
    """Satisfies `client.commands.Desk`. `answers[type]` makes the server's answers to a command of that type."""

    __test__ = False

    def __init__(self, model: Model) -> None:
        self.model = model
        self.settings = Settings()
        self.answers: dict[type, Callable[[Command], list[Incoming]]] = {}
        self.shown: list[str] = []
        self.sent: list[Command] = []
        self.done: list[tuple[object, ...]] = []
        self.link = ["connected"]
        self.traced = self.watched = False
        self.dialogues = Dialogues(self.sent.append, lambda sentence: self.show(sentence), lambda call: call())

    def request(self, command: Command) -> list[Incoming]:
        if type(command) not in self.answers:
            raise Cancelled("There is no link now.")
        self.sent.append(command)
        return self.answers[type(command)](command)

    def send(self, *commands: Command) -> None:
        self.sent += commands

    def ask(self, question: str) -> str:
        return self.dialogues.ask(question)

    def show(self, *lines: str) -> None:
        self.shown = list(lines)

    def open_room(self, name: str) -> None:
        self.done.append(("open", name))

    def seek(self, room: str, seq: int) -> None:
        self.done.append(("seek", room, seq))

    def say(self, text: str, *, action: bool = False) -> None:
        self.done.append(("say", text, action))

    def tell(self, person: str, text: str) -> str:
        self.done.append(("tell", person, text))
        return f"@{person}@bob"

    def set_away(self, away: bool) -> None:
        self.done.append(("away", away))

    def copy(self, text: str) -> None:
        self.done.append(("copy", text))

    def settings_changed(self) -> None:
        self.done.append(("settings",))

    def network(self) -> list[str]:
        return self.link

    def trace(self) -> bool:
        self.traced = not self.traced
        return self.traced

    def watch_models(self, watched: bool) -> None:
        self.watched = watched

    def quit(self) -> None:
        self.done.append(("quit",))
