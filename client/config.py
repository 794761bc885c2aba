"""`Options`: what a person asked for on the command line, checked. client/cli.py makes it, all read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from client.failures import Usage

Address = tuple[str, int]
"""Host and port of a server."""

DEFAULT_PORT = 5050
BEACON_PORT = 5051
DEFAULT_ROOM = "lobby"

Discovery = Literal["lan", "loopback"]
"""Where servers are looked for: on every interface, or on this machine alone."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which of `send`, `tail` and `who` is set says what is wanted; without any, the terminal UI opens."""

    name: str | None = None
    """As typed: the server's Welcome holds the name that counts. None only with `who`."""
    server: Address | None = None
    """None: the server is to be found by its beacon (client/finder.py)."""
    roaming: bool = False
    """`server` was found, not named: should it move to another address, its key is followed."""
    plain: bool = False
    """The terminal UI as lines that come one after the other, not as a full screen."""
    room: str = DEFAULT_ROOM
    """As typed; `@alice` means the direct room with alice."""
    send: str | None = None
    """The text to send; "-" stands for the lines of standard input."""
    tail: bool = False
    since: int | None = None
    """With `tail`: show what came after this number first. None: only what is new."""
    count: int | None = None
    """With `tail`: end after that many messages."""
    encoding: str = "utf-8"
    """Of standard input."""
    who: bool = False
    json: bool = False
    """With `who`: one JSON document, not a table."""
    wait: float | None = None
    """With `who`: seconds to wait for servers' answers. None: the finder's own choice."""
    watch: bool = False
    """With `who`: go on until interrupted, showing each change."""
    verbose: bool = False
    """With `who`: explain for each interface what was tried and what came of it."""
    passphrase_file: Path | None = None
    discovery: Discovery = "lan"
    beacon_port: int = BEACON_PORT

    def passphrase(self) -> str | None:
        """What the passphrase file says, or None without one. Raises `Usage` if it can't be read."""
        path = self.passphrase_file
        if path is None:
            return None
        try:
            text = path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise Usage(f"Can't read the passphrase from {path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise Usage(f"The passphrase in {path} isn't UTF-8 text.") from error
        if not text:
            raise Usage(f"{path} is empty; it should hold the passphrase.")
        return text


def parse_address(text: str) -> Address:
    """`HOST`, `HOST:PORT`, `[::1]:PORT` or a bare IPv6 address, as host and port. Raises `ValueError`."""
    host, port = text, str(DEFAULT_PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        if rest:
            if not rest.startswith(":"):
                raise ValueError(f"{text!r} isn't an address; write [ADDRESS]:PORT.")
            port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or any(char.isspace() for char in host):
        raise ValueError(f"{text!r} isn't an address; write HOST or HOST:PORT.")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        raise ValueError(f"{port!r} isn't a port; write HOST:PORT with a port from 1 to 65535.")
    return host, int(port)
