"""Non-blocking sockets and nothing else: ask everybody, all the time.

**What it is.** `setblocking(False)` makes a call that would wait fail with EAGAIN instead (`BlockingIOError`). So one
thread can try each socket in turn: the listener, then a `recv` from every connection, then a `send` to every one
that has something waiting. Nobody can hold it up, and it needs nothing that the kernel has to offer but sockets.

**What it costs.** A whole core, always. A turn makes one system call for each connection whether anything happens
or not, so an empty server is the busiest of all. In return nothing reacts sooner: there is no sleep to wake from,
and with few connections its latency is the best here. Where a core is paid for anyway, that is done in earnest
(DPDK, trading).

**Where it ends.** A turn takes as long as there are connections, and that long a message waits: at 5,000 of them
some milliseconds of pure asking. Sleeping between turns would trade the burning for latency, whose right measure
nobody knows; to be told by the kernel instead is what `select` was made for.
"""

from __future__ import annotations

from server.models import wire
from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import Line, Terms
from server.parcels import Intake


def serve(door: Door, terms: Terms) -> None:
    exchange = Exchange(terms, Line)
    full: set[Line] = set()  # those whose socket didn't take everything
    door.listener.setblocking(False)
    try:
        while True:
            sock = door.accept()
            if sock is not None:
                sock.setblocking(False)
                exchange.connect(sock)
            intake: list[Intake] = []
            for line in exchange.lines.values():
                intake += wire.read(line) or []
            full = {line for line in {*exchange.work(intake), *full} if not wire.write(line)}
    except Closed:
        wire.say_farewell(exchange)
