"""Greenlets: functions that can be left in the middle, however deep, and the hub that they switch to when they wait.

**What it is.** A greenlet has a piece of C stack of its own, which is copied away while another runs. `switch` leaves
this one, wherever in its calls it is, and goes on with that one, wherever that was. So a plain function deep down can
wait: it notes at the hub what it waits for and switches there; the hub switches back when it is time. Nobody in
between is written for it. That is what generators can't do, and all that gevent is at heart.

**What it costs.** A switch copies some hundred bytes to a few kilobytes of stack, no system call. And what an `await`
shows is hidden: any call may be the one in which the others get their turn.

**Where it ends.** At one thread: a greenlet can be switched to in the thread that made it only (`greenlet.error`
elsewhere). At one core. And at the hub: a greenlet that waits for anything but the hub stops them all.
"""

from __future__ import annotations

import socket

from greenlet import getcurrent, greenlet

from server.models import wire
from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import Line, Terms
from server.models.waits import READ, WRITE, Waits
from server.parcels import Intake


def serve(door: Door, terms: Terms) -> None:
    exchange = Exchange(terms, Line)
    hub = Hub(exchange)
    try:
        hub.run(greenlet(lambda: receive_clients(hub, door)))
    except Closed:  # raised in a greenlet, and not caught there: so it comes out of its parent, which is this one
        wire.say_farewell(exchange)


def receive_clients(hub: Hub, door: Door) -> None:
    door.listener.setblocking(False)
    while True:
        hub.wait(door.listener, READ)
        sock = door.accept()
        if sock is not None:
            sock.setblocking(False)
            line = hub.exchange.connect(sock)
            for task in (listen, speak):
                hub.start(greenlet(lambda task=task, line=line: task(hub, line)))


def listen(hub: Hub, line: Line) -> None:
    """One client's words, up to its end."""
    while not line.gone:
        hub.wait(line.sock, READ)
        hub.work(wire.read(line) or [])
    line.shut_down()  # wakes a `speak` that waits for a client who doesn't read


def speak(hub: Hub, line: Line) -> None:
    """One client's letters, up to its end."""
    while not line.gone:
        hub.wait_for_letters(line)
        while not wire.write(line):
            hub.wait(line.sock, WRITE)


class Hub:
    """Runs in the greenlet that made it, the parent of all others; they come here to wait."""

    def __init__(self, exchange: Exchange[Line]) -> None:
        self.exchange = exchange
        self._self = getcurrent()
        self._ready: list[greenlet] = []
        self._waits: Waits[greenlet] = Waits()
        self._without_letters: dict[Line, greenlet] = {}

    def run(self, first: greenlet) -> None:
        self._ready.append(first)
        while True:
            ready, self._ready = self._ready, []
            for one in ready:
                one.switch()
            self._ready += self._waits.poll(0 if self._ready else self.exchange.patience)
            self.work([])

    # --- called by the others ---------------------------------------------------------------------------------

    def start(self, new: greenlet) -> None:
        self._ready.append(new)

    def wait(self, sock: socket.socket, event: int) -> None:
        """Come back when the socket is ready."""
        self._waits.add(sock, event, getcurrent())
        self._self.switch()

    def wait_for_letters(self, line: Line) -> None:
        """Come back when the line has letters, or is gone."""
        if not line.waiting and not line.gone:
            self._without_letters[line] = getcurrent()
            self._self.switch()

    def work(self, intake: list[Intake]) -> None:
        """Carry out intake, and let those go on who waited for what came of it."""
        for line in self.exchange.work(intake):
            waiting = self._without_letters.pop(line, None)
            if waiting is not None:
                self._ready.append(waiting)
