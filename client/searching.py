"""/search and /find: words for the server's index, hits to choose from, and a jump to the one that is chosen."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from chat.messages import Hit, Search, SearchEnd
from client.commands import Desk, here, needed
from client.connection import new_label
from client.dialogue import Cancelled

SHOWN = 80
"""Characters of a hit's text that are listed."""


def search(desk: Desk, rest: str) -> None:
    """In all rooms that the user is in."""
    _search(desk, parse(needed(rest, "/search WORDS [from:NAME] [in:ROOM] [after:DATE] [before:DATE]"), new_label()))


def find(desk: Desk, rest: str) -> None:
    """In the room that is shown."""
    words = rest or desk.ask("Find in this room:")
    _search(desk, dataclasses.replace(parse(needed(words, "/find WORDS"), new_label()), room=here(desk).name))


def parse(line: str, label: str) -> Search:
    """The search that `line` describes. Raises `Cancelled` if a date in it isn't one."""
    words: list[str] = []
    narrowed = Search(label, "")
    for word in line.split():
        kind, colon, value = word.partition(":")
        if not colon or not value:
            words.append(word)
        elif kind == "from":
            narrowed = dataclasses.replace(narrowed, author=value.removeprefix("@"))
        elif kind == "in":
            narrowed = dataclasses.replace(narrowed, room=value.removeprefix("#"))
        elif kind == "before":
            narrowed = dataclasses.replace(narrowed, before=_moment(value))
        elif kind == "after":
            narrowed = dataclasses.replace(narrowed, after=_moment(value))
        else:
            words.append(word)
    return dataclasses.replace(narrowed, words=" ".join(words))


def _search(desk: Desk, wanted: Search) -> None:
    answers = desk.request(wanted)
    hits = [answer for answer in answers if isinstance(answer, Hit)]
    more = any(isinstance(answer, SearchEnd) and answer.more for answer in answers)
    if not hits:
        desk.show("Nothing was found.")
        return
    titles = {room.name: room.title for room in desk.model.rooms.values()}
    lines = [f"{number:>3}  {datetime.fromtimestamp(hit.time):%Y-%m-%d %H:%M}  {titles.get(hit.room, hit.room)}  "
             f"{hit.author}: {_short(hit.text)}" for number, hit in enumerate(hits, start=1)]  # fmt: skip
    desk.show(*lines, *(["There are more; add words to narrow it."] if more else []))
    chosen = desk.ask(f"Go to which one? (1 to {len(hits)}, Enter for none)")
    desk.show()
    if chosen:
        if not (chosen.isascii() and chosen.isdigit() and 1 <= int(chosen) <= len(hits)):
            raise Cancelled(f"{chosen} isn't one of 1 to {len(hits)}.")
        hit = hits[int(chosen) - 1]
        desk.seek(hit.room, hit.seq)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise Cancelled(f"{text} isn't a date; write it as 2026-11-30.") from None
