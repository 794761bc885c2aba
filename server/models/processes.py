"""Processes: one for each client, and one for the rooms, with `multiprocessing.Queue`s between them.

**What it is.** Processes share nothing, so nothing needs a lock, and each has a GIL of its own: decrypting and
encrypting run on all cores. What one has to tell another goes through a queue, pickled. All clients put their intake
on the one that the rooms read; each has one of its own for its mail. It is the oldest form of a Unix server (inetd),
and the safest: a client that brings its process down, by a bug or `kill -9`, brings down its own.

**What it costs.** A process for each client, some megabytes even when most of its pages are shared; a pickle, a pipe
and two switches of context for each letter. A queue is more than it seems: a pipe, a lock at its end, and in whoever
puts a *feeder thread*, which is why `put` returns before anything is written, and why the rooms' process has a thread
for each client after all.

**Start method.** `forkserver`: a process that imported all this, has no thread and holds no socket forks the others,
in some milliseconds each. A fork of this process would copy the feeder threads' locks in whatever state they are;
`spawn`, right for the pipeline's few processes, would import everything anew for each client, half a second of CPU.

**Where it ends.** At memory, at some thousands. And a queue has a shared end: a client killed in the very moment in
which it holds the intake's lock leaves it locked for ever.
"""

from __future__ import annotations

import itertools
import multiprocessing
import queue
import threading
import time
from multiprocessing.context import ForkServerProcess
from multiprocessing.queues import Queue
from socket import socket

from server.children import log, settle
from server.journal import collect
from server.models.branch import Branch
from server.models.door import TICK, Closed, Door
from server.models.exchange import CHECK
from server.models.line import Terms
from server.models.rooms import Letter, Rooms
from server.parcels import Departed, Intake

CONTEXT = multiprocessing.get_context("forkserver")

INTAKE, LETTERS = 1024, 64
"""Bounds of the queues, in puts. When the intake is full, clients' processes wait, and their clients' TCP with them.
When a client's own is full, its process doesn't run: it is killed."""

END_LIMIT = 1.3
"""Seconds that the clients' processes get to end by themselves."""


def serve(door: Door, terms: Terms) -> None:
    CONTEXT.set_forkserver_preload(["server.models.processes"])
    rooms = RoomsThread(terms.server_name)
    rooms.start()
    door.listener.settimeout(TICK)
    try:
        for number in itertools.count(1):
            while (sock := door.accept()) is None:
                pass
            rooms.admit(number, sock, terms)
    except Closed:
        rooms.close()


def converse(number: int, sock: socket, terms: Terms, intake: Queue[list[Intake]], mail: Queue[Letter | None]) -> None:
    """A client's process, until None comes in the mail."""
    settle(f"client {number}")
    branch = Branch(terms, intake.put)
    branch.connect(number, sock)
    while True:
        try:
            letter = mail.get(timeout=CHECK)
        except queue.Empty:
            branch.deliver({})
            continue
        if letter is None:
            break
        branch.deliver({number: letter})
    branch.close()


class RoomsThread(threading.Thread):
    """The rooms, and the queues to whoever is in them. `admit` and `close` are for the door's thread."""

    def __init__(self, server_name: str) -> None:
        super().__init__(name="rooms", daemon=True)
        self._rooms = Rooms(server_name, lambda connection: True)
        self._intake: Queue[list[Intake] | None] = CONTEXT.Queue(INTAKE)
        self._clients: dict[int, tuple[ForkServerProcess, Queue[Letter | None]]] = {}
        self._check = 0.0

    def admit(self, number: int, sock: socket, terms: Terms) -> None:
        """Start a client's process, which gets a copy of the socket."""
        mail: Queue[Letter | None] = CONTEXT.Queue(LETTERS)
        mail.cancel_join_thread()  # a process that doesn't take its mail any more can't hold up our end
        process = CONTEXT.Process(target=converse, args=(number, sock, terms, self._intake, mail), daemon=True)
        self._clients[number] = process, mail
        process.start()
        sock.close()

    def run(self) -> None:
        ended = False
        while not ended:
            batch, ended = collect(self._intake, time.monotonic() + self._rooms.patience)
            batch += self._dead()
            for number, letter in self._rooms.work(batch).items():
                self._post(number, letter)
            for item in batch:
                if isinstance(item, Departed) and item.connection in self._clients:
                    self._post(item.connection, None)
                    self._clients.pop(item.connection)[1].close()  # ends its feeder thread, once all is written

    def close(self) -> None:
        """Let every client's process say goodbye, and end."""
        self._intake.put(None)
        self.join()
        for number in self._clients:
            self._post(number, None)
        deadline = time.monotonic() + END_LIMIT
        for process, _ in self._clients.values():
            process.join(max(0.0, deadline - time.monotonic()))
            process.kill()

    def _post(self, number: int, letter: Letter | None) -> None:
        if number in self._clients:
            process, mail = self._clients[number]
            try:
                mail.put_nowait(letter)
            except queue.Full:
                log.warning("client %d doesn't take its mail", number)
                process.kill()

    def _dead(self) -> list[Intake]:
        """Say for those who can't any more that they have gone."""
        now = time.monotonic()
        if now < self._check:
            return []
        self._check = now + CHECK
        multiprocessing.active_children()  # lets go of those that have ended, and of their descriptors
        clients = list(self._clients.items())  # a copy: the door's thread may add one meanwhile
        return [Departed(number) for number, (process, _) in clients if process.exitcode is not None]
