"""epoll, level-triggered: the kernel keeps the list of what one waits for, and answers with what is ready alone.

**What it is.** Each socket is registered once; the kernel hangs a callback on it, and whoever makes the socket ready
puts it on a list. `poll` hands out that list. *Level* means: as long as there is something to read, the socket is on
the list each time. Whatever is left for later is named again, so nothing needs to be remembered, and one `recv` for
each event will do. It is the mode in which a mistake costs time and not messages.

**What it costs.** A wait costs what is ready, not what is registered: with one busy connection among 5,000 it is
one. Writing is where a level is awkward: a socket has room nearly always, so EPOLLOUT is asked for only while a
socket is full, and every stumble costs two `epoll_ctl` more. And a socket that stays ready is put back on the list
by every `poll`, whether anybody reads it or not.

**Where it ends.** At one core, like every loop: what one connection asks for, all others wait for.
"""

from __future__ import annotations

import select

from server.models import wire
from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import Line, Terms
from server.parcels import Intake


def serve(door: Door, terms: Terms) -> None:
    exchange = Exchange(terms, Line)
    lines: dict[int, Line] = {}  # by descriptor
    full: set[Line] = set()  # those that are asked about with EPOLLOUT
    door.listener.setblocking(False)
    with select.epoll() as epoll:
        epoll.register(door.listener, select.EPOLLIN)
        try:
            while True:
                intake: list[Intake] = []
                touched: set[Line] = set()
                for fileno, event in epoll.poll(exchange.patience):
                    if fileno == door.listener.fileno():
                        admit(door, exchange, lines, epoll)
                        continue
                    if event & ~select.EPOLLOUT:  # data, an end, or an error: reading tells which
                        intake += wire.read(lines[fileno]) or []
                    if event & select.EPOLLOUT:
                        touched.add(lines[fileno])
                for line in touched.union(exchange.work(intake)):
                    if line.gone:
                        del lines[line.sock.fileno()]  # epoll forgets it by itself when its last descriptor closes
                        full.discard(line)
                        wire.write(line)
                    elif wire.write(line) == (line in full):
                        full ^= {line}
                        epoll.modify(line.sock, select.EPOLLIN | (select.EPOLLOUT if line in full else 0))
        except Closed:
            wire.say_farewell(exchange)


def admit(door: Door, exchange: Exchange[Line], lines: dict[int, Line], epoll: select.epoll) -> None:
    """One client for each event: if there are more, the level will say so."""
    sock = door.accept()
    if sock is not None:
        sock.setblocking(False)
        lines[sock.fileno()] = exchange.connect(sock)
        epoll.register(sock, select.EPOLLIN)
