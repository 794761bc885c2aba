"""`--send` and `--tail`: the chat for scripts and pipes. Both are plain loops over `redial`'s connections."""

from __future__ import annotations

import json
import sys
import threading

from chat.messages import Said
from chat.text import safe_text
from client.config import Options
from client.follower import Follower
from client.home import Home
from client.locate import locate
from client.redial import redial
from client.sender import Sender
from client.standard_input import checked, lines

PATIENCE = 60.0
"""Seconds that `--send`, once it was connected, tries to reach the server again before it gives up."""

STDIN = 0


def send(options: Options, home: Home) -> int:
    """Send `options.send`, print `ROOM #NUMBER` for each message once it is stored, and return the exit status."""
    assert options.send is not None
    sender = Sender(options.room)
    if options.send == "-":
        stdin = lines(STDIN, options.encoding)
        threading.Thread(target=sender.read, args=(stdin,), name="input", daemon=True).start()
    else:
        sender.read(iter([checked(options.send, "The message")]))
    for said in sender.run(redial(options, home, locate(options, home), PATIENCE)):
        _print(f"{safe_text(said.room)} #{said.seq}")
    return 0


def tail(options: Options, home: Home) -> int:
    """Print a room's messages as JSON until interrupted, or until there were `options.count`; the exit status."""
    follower = Follower(options.room, options.since)
    printed = 0
    for connection in redial(options, home, locate(options, home), None):
        for said in follower.messages(connection):
            _print(as_json(said))
            printed += 1
            if printed == options.count:
                return 0
    raise AssertionError("redial doesn't end by itself")


def as_json(said: Said) -> str:
    """One line. Text that could move a terminal's cursor, or turn what stands around it, is written in escapes."""
    texts = (said.room, said.author, said.text, said.label)
    harmless = all(safe_text(text, keep="\n\t") == text for text in texts)
    fields = {name: getattr(said, name) for name in ("room", "seq", "author", "time", "text", "label")}
    return json.dumps(fields, ensure_ascii=not harmless)


def _print(line: str) -> None:
    # Bytes: JSON is UTF-8 whatever the terminal's encoding is, and so are rooms' names in a pipe.
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()
