"""A program in a terminal of its own: a pseudo-terminal with an emulator behind it, to type into and to look at.

with Terminal(["chat-client", "--name", "bob"], 120, 40, environment) as terminal:
    terminal.wait_for("lobby")
    terminal.type("hello\\r")
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping
from typing import Self

import pyte

LIMIT = 20.0
"""Seconds that `wait_for` waits."""

KEPT = 8192
"""Bytes that the program wrote last, kept as they are in `written`: the emulator knows no second screen."""


class Terminal:
    """A running program and its screen. Keys are sent as a terminal sends them: `\\r` is Enter, `\\x1b` Esc."""

    def __init__(self, command: list[str], columns: int, rows: int, environment: Mapping[str, str]) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._closed = False
        self.written = b""
        self._changed = threading.Condition(self._lock)
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        try:
            self.process = subprocess.Popen(
                command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env={**environment, **TERM}
            )
        finally:
            os.close(slave)
        self._thread = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._thread.start()

    def type(self, text: str) -> None:
        """Send keys, all at once."""
        os.write(self._master, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size; the program is told, as by any terminal."""
        with self._lock:
            self._screen.resize(rows, columns)
        self._set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def lines(self) -> list[str]:
        """What is on the screen now, without trailing blanks."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    def wait_for(self, *what: str | Callable[[list[str]], object], seconds: float = LIMIT) -> list[str]:
        """Wait until all of these texts are on the screen and conditions on its lines hold; gives these lines.

        All at once: a screen is drawn in pieces, so the rest of it may be of before. TimeoutError shows it.
        """

        def holds(each: str | Callable[[list[str]], object], lines: list[str]) -> bool:
            return bool(each(lines)) if callable(each) else any(each in line for line in lines)

        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                lines = [line.rstrip() for line in self._screen.display]
                if all(holds(each, lines) for each in what):
                    return lines
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise TimeoutError(f"not on the screen: {what}\n" + "\n".join(lines))

    def cells(self) -> list[list[pyte.screens.Char]]:
        """Each cell with its character and colours; the second half of a wide character is empty."""
        with self._lock:
            rows, columns = range(self._screen.lines), range(self._screen.columns)
            return [[self._screen.buffer[row][column] for column in columns] for row in rows]

    def close(self) -> None:
        """End the program, if it still runs, by hanging up as a closed window does. May be called again."""
        if self._closed:
            return
        self._closed = True
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._thread.join(LIMIT)
        os.close(self._master)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError as error:
                if error.errno == errno.EIO:  # nobody has the other end open any more
                    return
                raise
            if not data:
                return
            with self._changed:
                self.written = (self.written + data)[-KEPT:]
                self._stream.feed(data)
                self._changed.notify_all()

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


TERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PROMPT_TOOLKIT_NO_CPR": "1"}
