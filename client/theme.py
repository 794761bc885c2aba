"""The themes: which colours each part of the screen has. NO_COLOR in the environment takes all of them away."""

from __future__ import annotations

import os

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

_NAMES_ON_DARK = (
    "#f28779", "#d4bfff", "#73d0ff", "#bae67e", "#ffcc66", "#5ccfe6", "#f29e74", "#95e6cb", "#c3a6ff", "#ffd580",
    "#80bfff", "#e6a8d7",
)  # fmt: skip
_NAMES_ON_LIGHT = (
    "#a4262c", "#6b3fa0", "#00579c", "#3b6e0f", "#8a5a00", "#006e7a", "#a1470e", "#0b6a4f", "#5c2e91", "#7a5c00",
    "#1f4fa3", "#8e2a73",
)  # fmt: skip
_NAMES_IN_16 = (
    "ansired", "ansimagenta", "ansiblue", "ansigreen", "ansiyellow", "ansicyan", "ansibrightred", "ansibrightmagenta",
    "ansibrightblue", "ansibrightgreen", "ansibrightyellow", "ansibrightcyan",
)  # fmt: skip


def _theme(names: tuple[str, ...], **colours: str) -> dict[str, str]:
    """A theme: the parts' colours by kind, and the shapes that all themes share."""
    quiet, faint, bad, good = colours["quiet"], colours["faint"], colours["bad"], colours["good"]
    return {
        "bar": colours["bar"],
        "bar.title": "bold",
        "bar.bad": colours["alarm"],
        "room.current": "bold reverse",
        "room.unread": "bold",
        "mentions": f"bold {good}",
        "side": quiet,
        "away": quiet,
        "offline": faint,
        "time": quiet,
        "date": quiet,
        "fact": f"{quiet} italic",
        "gap": bad,
        "stopped": bad,
        "pending": quiet,
        "refused": bad,
        "mention": f"bold {good}",
        "link": f"underline {colours['link']}",
        "code": colours["code"],
        "shown": colours["link"],
        "question": f"bold {good}",
        "prompt": "bold",
        **{f"name-{number}": colour for number, colour in enumerate(names)},
    }


THEMES: dict[str, dict[str, str]] = {
    "dark": _theme(_NAMES_ON_DARK, quiet="#8a8fa3", faint="#5c6070", bad="#ff6f6f", good="#ffd75f", link="#9ccfd8",
                   code="bg:#2a2d3a #e6c384", bar="bg:#303446 #d8dee9", alarm="bg:#5c2b2b #ffd7d7"),
    "light": _theme(_NAMES_ON_LIGHT, quiet="#5f6470", faint="#8a8f99", bad="#b3261e", good="#8a5a00", link="#00579c",
                    code="bg:#eceff4 #5c4a00", bar="bg:#dfe3ee #1f2430", alarm="bg:#f6d2d0 #601410"),
    "16": _theme(_NAMES_IN_16, quiet="ansibrightblack", faint="ansibrightblack", bad="ansired", good="ansiyellow",
                 link="ansicyan", code="ansiyellow", bar="reverse", alarm="bg:ansired ansiwhite"),
}  # fmt: skip
"""By name: a style for each class."""


def style_of(theme: str) -> Style:
    """The style of a theme; of an unknown one the first's."""
    return Style.from_dict(THEMES.get(theme, THEMES["dark"]))


def colour_depth() -> ColorDepth | None:
    """No colours where the user wants none (no-color.org); else what the terminal can do (None)."""
    return ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
