"""A pipeline as lines of text: a box a stage, and between two what carries values from one to the other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

ARROW_AT = 12


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name, the concurrency model that it runs on, its process, and what it does now."""

    name: str
    model: str
    where: str
    """Process and threads, such as "process 4711, thread 4712"."""
    facts: tuple[tuple[str, str], ...]
    """Each a figure and what it counts, such as ("12.5", "wake-ups/s")."""
    feeds: str = ""
    """What takes its values to the next stage; nothing for one beside the path."""


def draw(stages: Sequence[Stage], width: int) -> list[str]:
    """The stages in `width` columns, at least 40. The text is the program's own: figures, names of its parts."""
    lines: list[str] = []
    for stage in stages:
        lines += _box(stage, max(40, width))
        if stage.feeds:
            lines.append(f"{'':{ARROW_AT}}▼ {stage.feeds}")
    return lines


def _box(stage: Stage, width: int) -> list[str]:
    inner = width - 4
    where = f" {stage.where} ╮"
    title = textwrap.shorten(f"╭ {stage.name} · {stage.model}", width - len(where) - 2, placeholder="…")
    top = f"{title} {'─' * (width - len(title) - 1 - len(where))}{where}"
    body = textwrap.wrap(" · ".join(f"{figure} {what}".replace(" ", "\xa0") for figure, what in stage.facts), inner)
    middle = [f"│ {line.replace(chr(160), ' '):<{inner}} │" for line in body]
    bottom = f"╰{'─' * (width - 2)}╯"
    if stage.feeds:
        bottom = f"{bottom[:ARROW_AT]}┬{bottom[ARROW_AT + 1 :]}"
    return [top, *middle, bottom]
