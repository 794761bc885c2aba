"""Getting the user's attention: bell, the terminal's own notifications, the desktop's notifier.

Terminals know three sequences for it (OSC 9, OSC 777, OSC 99) and pass over those that aren't theirs; tmux lets them
through when they are wrapped. What is written comes from other people, so all of it has been through `safe_text`.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys

from chat.text import safe_text

TITLE, BODY = 80, 200
"""Characters of a notification that are shown."""

_CLIPBOARD = 74_994
"""Bytes that terminals take at the most for OSC 52."""


def bell() -> str:
    return "\a"


def notification(title: str, body: str) -> str:
    """What makes a terminal show a notification."""
    title, body = _plain(title, TITLE), _plain(body, BODY)
    sequences = (
        f"\x1b]9;{title}: {body}\x1b\\",
        f"\x1b]777;notify;{title};{body}\x1b\\",
        f"\x1b]99;i=lan-chat:d=0;{title}\x1b\\\x1b]99;i=lan-chat:p=body;{body}\x1b\\",
    )
    # A terminal shows one of them; which one is its own, and OSC 9 is a progress bar in some if it begins with 4;.
    return "".join(through_tmux(sequence) for sequence in sequences)


def clipboard(text: str) -> str:
    """What puts text on the clipboard (OSC 52). Raises `ValueError` if it is too long for terminals."""
    data = base64.b64encode(text.encode())
    if len(data) > _CLIPBOARD:
        raise ValueError("That is too much for a terminal's clipboard.")
    return through_tmux(f"\x1b]52;c;{data.decode()}\x1b\\")


def through_tmux(sequence: str) -> str:
    """The sequence as it has to be written where this program runs."""
    if not os.environ.get("TMUX"):
        return sequence
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def on_desktop(title: str, body: str) -> None:
    """Ask the desktop's notifier, where there is one. Doesn't wait for it."""
    title, body = _plain(title, TITLE), _plain(body, BODY)
    if sys.platform.startswith("linux") and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        program = shutil.which("notify-send")
        command = [program, "--app-name=lan-chat", "--", title, body.replace("&", "&amp;").replace("<", "&lt;")]
    else:
        return
    if program is not None:
        nothing = subprocess.DEVNULL
        subprocess.Popen([each for each in command if each], stdin=nothing, stdout=nothing, stderr=nothing)


def _plain(text: str, most: int) -> str:
    line = safe_text(" ".join(text.split()))
    line = line if len(line) <= most else line[: most - 1] + "…"
    return line.replace(";", ",")
