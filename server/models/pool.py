"""A Pool: as many processes as cores, each for many clients, and Manager queues between them and the rooms.

**What it is.** `Pool` keeps a fixed number of processes and hands them tasks. Each gets one, which lasts as long as
the server: accept clients at the door that all share, and serve them with threads. So the number of processes is what
the machine has cores for, not what the clients are.

**Why Manager queues.** A task's arguments are pickled into a pipe, and a `multiprocessing.Queue` refuses that: it can
be inherited at a process's start only ("should only be shared between processes through inheritance"). A Manager is a
process that holds ordinary queues; what is passed around are *proxies*, small and picklable, and each call of theirs
is a question to that process and an answer. The listener, which is a descriptor, comes the other way: with the
initializer, when the worker starts.

**What it costs.** Two round trips to the Manager for each batch, and everything pickled four times. What comes in at
once therefore goes on at once: a batch costs what a letter costs.

**Where it ends.** A Pool replaces a worker that dies, but its task is lost without a word: no result, no error. Its
clients reconnect and are accepted by those that are left; the rooms take the dead connections for living ones. And a
busy worker has no say in who accepts: the kernel wakes one that waits, whoever that is.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from multiprocessing.managers import SyncManager
from socket import socket
from typing import Any

from server.children import SPAWN, settle
from server.journal import collect
from server.models.branch import Branch
from server.models.door import TICK, Closed, Door
from server.models.exchange import CHECK
from server.models.line import Terms
from server.models.rooms import Mail, Rooms
from server.parcels import Intake, worker_of

BATCHES = 64
"""Bound of each queue. Whoever finds one full waits, and so in the end do the clients' TCP."""

END_LIMIT = 1.3
"""Seconds that the workers get to end by themselves."""

_listener: socket
"""In a worker: the door's socket."""


def serve(door: Door, terms: Terms) -> None:
    workers = len(os.sched_getaffinity(0))
    manager = SyncManager(ctx=SPAWN)
    manager.start(initializer=settle, initargs=("manager",))
    intake = manager.Queue(BATCHES)
    mail = [manager.Queue(BATCHES) for _ in range(workers)]
    with SPAWN.Pool(workers, initializer=prepare, initargs=(door.listener,)) as pool:
        tasks = [pool.apply_async(attend, (number, workers, terms, intake, queue)) for number, queue in enumerate(mail)]
        keep_rooms(Rooms(terms.server_name, lambda connection: True), door, intake, mail)
        for each in mail:
            each.put(None)
        deadline = time.monotonic() + END_LIMIT
        for task in tasks:
            task.wait(max(0.0, deadline - time.monotonic()))
    manager.shutdown()


def keep_rooms(rooms: Rooms, door: Door, intake: Any, mail: list[Any]) -> None:
    """Carry out what the workers' clients ask for, until the door is closed."""
    while not door.closed:
        batch, _ = collect(intake, time.monotonic() + rooms.patience)
        shares: list[Mail] = [{} for _ in mail]
        for number, letter in rooms.work(batch).items():
            shares[worker_of(number, len(mail))][number] = letter
        for each, share in zip(mail, shares, strict=True):
            if share:
                each.put(share)


# --- in a worker ---------------------------------------------------------------------------------------------------


def prepare(listener: socket) -> None:
    """The Pool's initializer: runs first in each worker, and in each that replaces one."""
    global _listener
    _listener = listener
    settle("worker")


def attend(worker: int, workers: int, terms: Terms, intake: Any, mail: Any) -> None:
    """The Pool's task: serve clients until None comes in the mail."""
    outgoing: queue.Queue[list[Intake]] = queue.Queue(BATCHES)
    branch = Branch(terms, outgoing.put)
    threading.Thread(target=forward, args=(outgoing, intake), name="forward", daemon=True).start()
    threading.Thread(target=admit, args=(branch, worker, workers), name="door", daemon=True).start()
    letters: Mail | None = {}
    while letters is not None:
        branch.deliver(letters)
        try:
            letters = mail.get(timeout=CHECK)
        except queue.Empty:
            letters = {}
    branch.close()


def admit(branch: Branch, worker: int, workers: int) -> None:
    """Accept clients in this worker; their numbers say whose they are."""
    _listener.settimeout(TICK)
    with Door(_listener) as door:
        try:
            for number in itertools.count(workers + worker, workers):
                while (sock := door.accept()) is None:
                    pass
                branch.connect(number, sock)
        except Closed:
            pass


def forward(outgoing: queue.Queue[list[Intake]], intake: Any) -> None:
    """Pass on what the clients' threads bring: one question to the Manager for all that waits."""
    while True:
        batch = outgoing.get()
        try:
            while True:
                batch = batch + outgoing.get_nowait()
        except queue.Empty:
            intake.put(batch)
