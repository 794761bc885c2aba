"""A key press and its letter on the screen: at rest, with the server stopped, with the link dead, and in a flood.

Measured outside of the client, through a pseudo-terminal: from the write of the key to the moment at which a terminal
emulator has the letter on its screen, so the emulator's own work counts too.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from chat.messages import Join, RoomState, Say
from client.connection import Connection, new_label
from client.home import Home
from scripts.own_server import OwnServer
from scripts.terminal import Terminal

COLUMNS, ROWS = 100, 30
FLOOD = 10_000
"""Messages that arrive within about a second."""

GAPS = (0.03, 0.12)
"""Seconds between two keys, from and to, as of somebody who types fast."""

LETTERS = "acegikmoqsuwy"
BACKSPACE = "\x7f"
ROOM = "lobby"


def measure(presses: int) -> Iterator[tuple[str, list[float]]]:
    """Each situation, with the seconds that the presses took."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        server = ends.enter_context(OwnServer())
        terminal = ends.enter_context(client(server.address, folder, "bob"))
        terminal.wait_for("bob on ")
        yield "a key, at rest", press(terminal, presses)
        yield "a key, while 10,000 messages arrive", in_a_flood(server.address, folder, terminal, presses)
        server.main.send_signal(signal.SIGSTOP)
        try:
            yield "a key, with the server stopped", press(terminal, presses)
        finally:
            server.main.send_signal(signal.SIGCONT)
        server.kill_main()
        terminal.wait_for("offline")
        yield "a key, with the link dead", press(terminal, presses)


def client(address: tuple[str, int], folder: Path, name: str, *options: str) -> Terminal:
    """A terminal client of its own home in `folder`."""
    environment = {**os.environ, "CHAT_HOME": str(folder / name), "CHAT_DISCOVERY": "loopback"}
    command = [str(Path(sys.executable).with_name("chat-client")), "--name", name]
    return Terminal([*command, "--server", f"{address[0]}:{address[1]}", *options], COLUMNS, ROWS, environment)


def press(terminal: Terminal, times: int, more: threading.Event | None = None) -> list[float]:
    """Seconds from a key to its letter in the input line, so many times, or as long as `more` isn't set."""
    taken = []
    line = f"{ROOM}> "
    for number in range(times):
        if more is not None and more.is_set():
            break
        line += LETTERS[number % len(LETTERS)]
        time.sleep(random.uniform(*GAPS))
        taken.append(_until(terminal, line[-1], line))
        if len(line) > COLUMNS // 2:
            line = f"{ROOM}> "
            terminal.type(BACKSPACE * COLUMNS)
            terminal.wait_for(lambda lines: lines[-1].rstrip() == f"{ROOM}>")
    terminal.type(BACKSPACE * COLUMNS)
    terminal.wait_for(lambda lines: lines[-1].rstrip() == f"{ROOM}>")
    return taken


def in_a_flood(address: tuple[str, int], folder: Path, terminal: Terminal, times: int) -> list[float]:
    """The same while `FLOOD` messages at a time arrive in the room that is shown."""
    over = threading.Event()
    with Connection.open(address, home=Home(folder / "alice"), name="alice") as alice:
        alice.send(Join(new_label(), ROOM))
        next(message for message in alice if isinstance(message, RoomState))

        def flood() -> None:
            last = ""
            for _ in range(FLOOD):
                last = new_label()
                alice.send(Say(last, ROOM, "one of many, each of them about as long as what people write"))
            next(message for message in alice if getattr(message, "label", "") == last)
            over.set()

        taken: list[float] = []
        while len(taken) < times:
            over.clear()
            thread = threading.Thread(target=flood, name="flood", daemon=True)
            thread.start()
            taken += press(terminal, times - len(taken), over)
            thread.join()
    return taken


def _until(terminal: Terminal, key: str, line: str) -> float:
    begun = time.perf_counter()
    terminal.type(key)
    terminal.wait_for(lambda lines: lines[-1] == line)
    return time.perf_counter() - begun
