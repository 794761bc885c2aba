"""Blocking, one client at a time: the simplest server that there is, and the home of the short connection.

**What it is.** One thread, one socket. `accept`, `recv` and `send` wait for as long as it takes, and the program is
always where it seems to be: at this line, with this client. Nobody else's message can come in between, so nothing
is shared and nothing needs a lock.

**What it costs.** A recv and a send for each message, the least of all models; and everybody else's time.

**Where it ends.** At the second client. That one waits in the kernel's backlog, connected, and can't know that
nobody has accepted it. What makes the model bearable is the *short* connection, as in the first HTTP: come, ask, go,
and let the next one in. `chat-client --send` is such a client. One that wants to stay is asked to go at its first
pause once somebody waits behind it; it reconnects by itself and stands in line again: polling, by turns.
"""

from __future__ import annotations

import select
import time

from server.children import log
from server.models.door import TICK, Door
from server.models.exchange import Exchange
from server.models.line import READ_SIZE, Line, Terms
from server.parcels import Departed, Intake

PAUSE = 1.0
"""Seconds of silence after which a client that others wait for has had its turn."""

SEND_LIMIT = 1.0
"""Seconds that a client may take for what is sent in one go: meanwhile everybody waits."""


def serve(door: Door, terms: Terms) -> None:
    exchange = Exchange(terms, Line)
    door.listener.settimeout(TICK)
    while True:
        sock = door.accept()
        if sock is not None:
            line = exchange.connect(sock)
            try:
                converse(line, exchange, door)
            except OSError:
                pass  # it has gone, or doesn't take what it asked for
            line.shut_down()
            exchange.work([Departed(line.number)])
            line.sock.close()


def converse(line: Line, exchange: Exchange[Line], door: Door) -> None:
    """One client, from its first byte to its last."""
    heard = time.monotonic()
    while not line.broken and not line.finished:
        line.sock.settimeout(exchange.patience)
        intake: list[Intake] = []
        reply = b""
        try:
            data = line.sock.recv(READ_SIZE)
            if not data:
                return
            heard = time.monotonic()
            intake, reply = line.receive(data)
        except TimeoutError:
            if door.closed:
                exchange.close()
            elif time.monotonic() - heard > PAUSE and knocking(door):
                log.warning("one client at a time: this one has to go, for another waits")
                line.expire()
        exchange.work(intake)
        line.sock.settimeout(SEND_LIMIT)
        line.sock.sendall(reply)
        while line.waiting:
            line.sock.sendall(line.seal(line.take()))


def knocking(door: Door) -> bool:
    """Whether somebody waits to be accepted."""
    return bool(select.select([door.listener], [], [], 0)[0])
