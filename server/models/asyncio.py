"""asyncio: coroutines of the language itself on the standard library's loop.

**What it is.** `async def` makes a coroutine, `await` is where it may be set aside: the turn passes nowhere else, and
one can see where. Each connection is two tasks, as in the threads' model; between two `await`s nobody else runs, so the
rooms need no lock. Whoever brings a letter sets an `Event`, which wakes the one task that waits for it.

**What it costs.** Layers: socket, selector (epoll, level-triggered), transport, protocol, stream, task, each a Python
call or two for every chunk. The loop's own calls on sockets, used here, leave the last four out: what is left is a
future for each wait, and a socket that is registered anew for it.

**Where it ends.** At one core; at the first call that blocks without `await` (a name looked up, a file, a long
computation), for all; and at the colour of functions: what awaits can only be called by what awaits. All that this
server shares with the others is plain functions, and that is why it can.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine

from server.models.door import Closed, Door
from server.models.exchange import Exchange
from server.models.line import READ_SIZE, Line, Terms
from server.parcels import Departed, Intake

FAREWELL = 1.0
"""Seconds that all tasks together get to send their last letters."""


class Awaited(Line):
    """A line whose `ready` is set when there is something for its writing task to see to."""

    def __init__(self, number: int, sock: socket.socket, terms: Terms) -> None:
        super().__init__(number, sock, terms)
        self.ready = asyncio.Event()


def serve(door: Door, terms: Terms) -> None:
    asyncio.run(Server(door, terms).run())


class Server:
    """The tasks, and the exchange that they share: no `await` in `work`, so no two of them are ever in it."""

    def __init__(self, door: Door, terms: Terms) -> None:
        self._door = door
        self._exchange = Exchange(terms, Awaited)
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds tasks weakly only

    async def run(self) -> None:
        """Accept until the door is closed."""
        knock = asyncio.Event()
        self._door.listener.setblocking(False)
        asyncio.get_running_loop().add_reader(self._door.listener, knock.set)
        try:
            while True:
                try:
                    await asyncio.wait_for(knock.wait(), self._exchange.patience)
                except TimeoutError:
                    pass
                knock.clear()
                sock = self._door.accept()
                if sock is not None:
                    sock.setblocking(False)
                    line = self._exchange.connect(sock)
                    self._spawn(self._read(line))
                    self._spawn(self._write(line))
                self._work([])
        except Closed:
            asyncio.get_running_loop().remove_reader(self._door.listener)
            wake(self._exchange.close())
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=FAREWELL)

    def _spawn(self, script: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(script)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _work(self, intake: list[Intake]) -> None:
        wake(self._exchange.work(intake))

    async def _read(self, line: Awaited) -> None:
        """Hand on everything that the client sends, up to its end."""
        loop = asyncio.get_running_loop()
        try:
            while not line.broken and (data := await loop.sock_recv(line.sock, READ_SIZE)):
                intake, reply = line.receive(data)
                await loop.sock_sendall(line.sock, reply)
                self._work(intake)
        except OSError:
            pass  # reset: an end like another
        line.gone = True
        line.shut_down()
        self._work([Departed(line.number)])

    async def _write(self, line: Awaited) -> None:
        """Send every letter that the line gets, and close it after its end."""
        loop = asyncio.get_running_loop()
        while not line.gone:
            await line.ready.wait()
            line.ready.clear()
            try:
                while line.waiting:
                    await loop.sock_sendall(line.sock, line.seal(line.take()))
            except OSError:
                line.shut_down()
            if line.finished:
                line.shut_down()
        line.sock.close()


def wake(lines: list[Awaited]) -> None:
    for line in lines:
        line.ready.set()
