"""What Tab offers: commands after a slash, and then what the command takes; names of people and rooms elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from chat.text import safe_text
from client.commands import COMMANDS
from client.model import Model


class Words(Completer):
    """Completes from what the model holds."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        word = before.rsplit(None, 1)[-1] if before and not before[-1].isspace() else ""
        for offered in sorted(set(self._offers(before, word))):
            if offered.startswith(word.casefold()) and offered != word:
                yield Completion(offered, start_position=-len(word), display=safe_text(offered))

    def _offers(self, before: str, word: str) -> Iterable[str]:
        if before.startswith("/"):
            name, space, rest = before[1:].partition(" ")
            if not space:
                return (f"/{command} " for command in COMMANDS)
            completes = COMMANDS[name].completes if name in COMMANDS else ""
            if completes == "room":
                return (room.name for room in self._model.rooms.values() if not room.direct)
            if completes == "command":
                return COMMANDS
            if completes == "person" and " " not in rest:
                return (f"{person} " for person in self._people())
        if before == word:  # at the beginning of a line one addresses somebody
            return (f"{person}: " for person in self._people())
        if word.startswith("@"):
            return (f"@{person} " for person in self._people())
        return (f"{person} " for person in self._people())

    def _people(self) -> set[str]:
        people = {person for room in self._model.rooms.values() for person in room.members}
        return people - {self._model.me}
