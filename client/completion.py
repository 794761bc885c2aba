"""What Tab offers: commands after a slash, and then what the command takes; names, rooms and emoji elsewhere."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from chat.text import safe_text
from client.command_table import COMMANDS
from client.model import Model

_EMOJI = ((0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FB00), (0x2600, 0x27C0))
"""Where Unicode keeps them, from and up to."""


class Words(Completer):
    """Completes from what the model holds. While `places` says so, rooms and people to go to are offered."""

    def __init__(self, model: Model, places: Callable[[], bool]) -> None:
        self._model = model
        self._places = places

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        word = before.rsplit(None, 1)[-1] if before and not before[-1].isspace() else ""
        if self._places():
            for room in self._model.order():
                if before.strip().casefold() in room.title:
                    yield Completion(room.title, start_position=-len(before), display=safe_text(room.title))
        elif word.startswith(":") and len(word) > 2:
            for name, emoji in _emoji().items():
                if word[1:].lower() in name:
                    yield Completion(emoji, start_position=-len(word), display=f"{emoji} :{name}:")
        else:
            for offered in sorted(set(self._offers(before, word))):
                if offered.startswith(word.casefold()) and offered != word:
                    yield Completion(offered, start_position=-len(word), display=safe_text(offered))

    def _offers(self, before: str, word: str) -> Iterable[str]:
        people, rooms = self._model.people(), [room.name for room in self._model.rooms.values() if not room.direct]
        if before.startswith("/"):
            name, space, rest = before[1:].partition(" ")
            if not space:
                return (f"/{command} " for command in COMMANDS)
            completes = COMMANDS[name].completes if name in COMMANDS else ""
            if " " not in rest:
                match completes:
                    case "room":
                        return rooms
                    case "person":
                        return (f"{person} " for person in people)
                    case "command":
                        return COMMANDS
                    case _ if completes:
                        return completes.split()
            if word.startswith("from:"):
                return (f"from:{person} " for person in people)
            if word.startswith("in:"):
                return (f"in:{room} " for room in rooms)
        if word.startswith("#"):
            return (f"#{room} " for room in rooms)
        sign = "@" if word.startswith("@") else ""
        end = ": " if before == word and not sign else " "
        return (f"{sign}{person}{end}" for person in people)


@functools.cache
def _emoji() -> dict[str, str]:
    names = ((unicodedata.name(chr(code), ""), chr(code)) for start, end in _EMOJI for code in range(start, end))
    return {name.lower().replace(" ", "_"): char for name, char in names if name}
