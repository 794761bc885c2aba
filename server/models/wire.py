"""Reading and writing lines without ever blocking: for the models that are told when a socket is ready, or ask."""

from __future__ import annotations

from server.models.exchange import Exchange, L
from server.models.line import READ_SIZE, Line
from server.parcels import Departed, Intake


def read(line: Line) -> list[Intake] | None:
    """What one `recv` brings, as intake; None if there is nothing to read (EAGAIN).

    Its end is an item like the others, and the last one.
    """
    if line.gone:
        return None
    try:
        data = line.sock.recv(READ_SIZE)
    except BlockingIOError:
        return None
    except OSError:
        data = b""
    intake, reply = line.receive(data) if data else ([], b"")
    if reply:
        try:
            line.sock.send(reply)  # so few bytes, and the first ones: there is room
        except OSError:
            line.broken = True
    if not data or line.broken:
        line.gone = True
        intake.append(Departed(line.number))
    return intake


def write(line: Line) -> bool:
    """Send what waits. False if the socket is full: come again when it has room."""
    if line.gone:
        line.sock.close()
        return True
    try:
        while line.unsent or line.waiting:
            line.unsent = line.unsent or memoryview(line.seal(line.take()))
            line.unsent = line.unsent[line.sock.send(line.unsent) :]
    except BlockingIOError:
        return False
    except OSError:
        line.shut_down()
        return True
    if line.finished:
        line.shut_down()
    return True


def say_farewell(exchange: Exchange[L]) -> None:
    """The end of the server: a goodbye to whoever has room for it."""
    for line in exchange.close():
        write(line)
        line.shut_down()
