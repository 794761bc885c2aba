"""epoll, edge-triggered: the kernel says once that something came, and the rest is the program's to remember.

**What it is.** An *edge* is a change: bytes came, room came. It is reported once, to be used up: read until EAGAIN,
write until EAGAIN. So each socket is registered once and for all, for both directions, and never modified: a full
socket that gets room reports itself. What happens between two calls of `poll` comes as one event.

**What it costs.** The `recv` that finds nothing, once for each edge. And a debt: whoever stops before EAGAIN, so that
one busy client doesn't have the loop to itself, owes that socket a read, for which no event will come. `owed` below
is that debt; while there is any, `poll` doesn't wait. Leave the line out that adds to it, and a client that sends
more than a turn's share hangs, sometimes, until it sends again: the lost edge. Level-triggered, that can't happen.

**Where it ends.** At one core, as with a level. The gain over it, a few `epoll_ctl` and repeated events less, is
seen only when sockets are often full or seldom read empty; the comparison in CONCURRENCY.md says how much it is.
The default server's reader (server/reader.py) is this model grown up, and says more.
"""

from __future__ import annotations

import select

from server.models import wire
from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import Line, Terms
from server.parcels import Intake

EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET

READS_A_TURN = 4
"""How often one line is read before it is the others' turn."""


def serve(door: Door, terms: Terms) -> None:
    exchange = Exchange(terms, Line)
    lines: dict[int, Line] = {}  # by descriptor
    owed: set[Line] = set()  # those that were not read empty
    door.listener.setblocking(False)
    with select.epoll() as epoll:
        epoll.register(door.listener, select.EPOLLIN | select.EPOLLET)
        try:
            while True:
                touched: set[Line] = set()
                for fileno, event in epoll.poll(0 if owed else exchange.patience):
                    if fileno == door.listener.fileno():
                        admit_all(door, exchange, lines, epoll)
                        continue
                    if event & ~select.EPOLLOUT:
                        owed.add(lines[fileno])
                    if event & select.EPOLLOUT:
                        touched.add(lines[fileno])
                intake: list[Intake] = []
                owed = {line for line in owed if not drain(line, intake)}
                for line in touched.union(exchange.work(intake)):
                    if line.gone:
                        del lines[line.sock.fileno()]
                    wire.write(line)  # what a full socket refuses is sent at its next edge
        except Closed:
            wire.say_farewell(exchange)


def drain(line: Line, intake: list[Intake]) -> bool:
    """Read a line's share of a turn; False if there may be more."""
    for _ in range(READS_A_TURN):
        came = wire.read(line)
        if came is None:
            return True
        intake += came
    return line.gone


def admit_all(door: Door, exchange: Exchange[Line], lines: dict[int, Line], epoll: select.epoll) -> None:
    """All who wait: the edge came once for them all. A new socket's first edge comes with its registration."""
    while (sock := door.accept()) is not None:
        sock.setblocking(False)
        lines[sock.fileno()] = exchange.connect(sock)
        epoll.register(sock, EDGES)
