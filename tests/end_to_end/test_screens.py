"""Golden screens: what the client shows of a fixed past, through a real pseudo-terminal, at three sizes.

`CHAT_GOLDEN=write pytest tests/end_to_end/test_screens.py` writes them anew; look at the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.connection import Connection
from client.home import Home
from scripts.terminal import Terminal
from tests.end_to_end import past
from tests.end_to_end.people import CLIENT
from tests.end_to_end.server_process import ServerProcess

SCREENS = Path(__file__).parent / "screens"
SIZES = [(80, 24), (120, 40), (200, 60)]
PAGE_UP, ENTER, CTRL_K, F1 = "\x1b[5~", "\r", "\x0b", "\x1bOP"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    homes = {name: Home(tmp_path / name) for name in ("bob", "alice")}
    past.write(tmp_path / "data", homes)
    with (
        ServerProcess(tmp_path / "data", "--name", "studio", "--workers", "1") as server,
        Connection.open(server.address, home=homes["alice"], name="alice"),
    ):
        yield server


def show(server: ServerProcess, columns: int, rows: int, **more: str) -> Terminal:
    """bob's terminal, on a screen on which everything has come."""
    home = str(server.data.parent / "bob")
    environment = {**os.environ, "CHAT_HOME": home, "CHAT_DISCOVERY": "loopback", "TZ": "UTC", **more}
    command = [CLIENT, "--name", "bob", "--server", server.where]
    return Terminal(command, columns, rows, environment)


def golden(name: str, lines: list[str]) -> None:
    """Compare a screen with the one that is kept under this name."""
    file = SCREENS / f"{name}.txt"
    shown = "\n".join(steady(line) for line in lines) + "\n"
    if os.environ.get("CHAT_GOLDEN") == "write":
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def steady(line: str) -> str:
    """A line without what differs from run to run: how long a ping took."""
    return re.sub(r", \d+ ms\b", "", line).rstrip()


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_room_where_one_stopped_reading(server: ServerProcess, columns: int, rows: int) -> None:
    with show(server, columns, rows) as bob:
        lines = bob.wait_for("* carol waves", "alice good morning!", "bob on studio, ", "!1")
        golden(f"room-{columns}x{rows}", lines)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_help(server: ServerProcess, columns: int, rows: int) -> None:
    with show(server, columns, rows) as bob:
        bob.wait_for("bob on studio, ")
        bob.type(F1)
        lines = bob.wait_for("/join ROOM", "Esc closes")
        golden(f"help-{columns}x{rows}", [line for line in lines if "/" in line])


def test_without_colours_nothing_is_coloured(server: ServerProcess) -> None:
    with show(server, 120, 40, NO_COLOR="1") as bob:
        bob.wait_for("* carol waves", "alice good morning!", "bob on studio, ")
        cells = [cell for row in bob.cells() for cell in row]
    assert {cell.fg for cell in cells} == {cell.bg for cell in cells} == {"default"}
    assert any(cell.bold or cell.reverse for cell in cells)


def test_what_follows_a_grapheme_stands_in_its_column(server: ServerProcess) -> None:
    """Whatever a terminal takes a family or a flag for, the border beside the text stands straight."""
    with show(server, 120, 40) as bob:
        bob.wait_for("* carol waves", "alice good morning!", "bob on studio, ")
        cells = bob.cells()
    borders = [[x for x, cell in enumerate(row) if cell.data == "│"] for row in cells]
    assert {tuple(border) for border in borders if border} == {(18, 103)}
