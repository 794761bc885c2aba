"""select: one thread asks the kernel which of its sockets are ready. The oldest such call, and still everywhere.

**What it is.** `select(readers, writers, [], timeout)` gives back those that won't block just now. Between two
calls one thread does everything, so the rooms need no lock; a socket that doesn't take what it should is asked
about among the writers until it does. What is ready and left alone is reported again: level-triggered.

**What it costs.** The question is the same each time and as long as there are connections: Python makes three sets
of bits of the lists, the kernel looks at every descriptor in them, and Python looks at every bit of the answer.
With one busy connection among a thousand that is a thousand looks for one message.

**Where it ends.** At the descriptor 1,024: a set has FD_SETSIZE bits, fixed when the C library was built. A client
beyond it is turned away here; where nobody checks, C programs write past the end of the set.
"""

from __future__ import annotations

import select

from chat.frames import frame
from chat.secure import alert
from server.children import log
from server.models import wire
from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import Line, Terms
from server.parcels import Intake

FD_SETSIZE = 1024


def serve(door: Door, terms: Terms) -> None:
    exchange = Exchange(terms, Line)
    lines: dict[int, Line] = {}  # by descriptor
    full: set[int] = set()  # those whose socket didn't take everything
    door.listener.setblocking(False)
    listener = door.listener.fileno()
    try:
        while True:
            readable, writable, _ = select.select([listener, *lines], full, [], exchange.patience)
            intake: list[Intake] = []
            for fileno in readable:
                if fileno != listener:
                    intake += wire.read(lines[fileno]) or []
                elif (sock := door.accept()) is not None:
                    if sock.fileno() < FD_SETSIZE:
                        sock.setblocking(False)
                        lines[sock.fileno()] = exchange.connect(sock)
                    else:
                        log.warning("turning a client away: a set for select ends before descriptor %d", FD_SETSIZE)
                        sock.send(frame(alert("too_many_connections")))
                        sock.close()
            for line in {*exchange.work(intake), *(lines[fileno] for fileno in writable)}:
                fileno = line.sock.fileno()
                if wire.write(line):
                    full.discard(fileno)
                else:
                    full.add(fileno)
                if line.gone:
                    del lines[fileno]
    except Closed:
        wire.say_farewell(exchange)
