"""The stages behind the reader as one generation: the Manager, its outlets, the Pool, the journal.

They live and die together. A process that is killed inside a queue may hold its lock for ever, take an item along
or leave half of one in the pipe; so after a death nothing of that generation is used again, neither queues nor
Pool nor sockets. What was under way is found again by number (the journal's) and label (the clients').
"""

from __future__ import annotations

import errno
import multiprocessing
import queue
import socket
import threading
import time
from multiprocessing.managers import SyncManager
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path

from server import fanout, journal
from server.children import SPAWN, log, settle
from server.datafolder import DataFolder
from server.failures import CannotServe
from server.outlet import Outlet
from server.parcels import Intake, worker_of

START_LIMIT = 20.0
"""Seconds that starting may take."""


PUT_PAUSE = 0.01
"""Seconds until the end of a full queue is tried again."""


class OutletManager(SyncManager):
    """A Manager that makes outlets, too."""


OutletManager.register("Outlet", Outlet, exposed=("put", "take", "wake"))


class BackendFailed(CannotServe):
    """The stages could not be started; the sentence says why."""


class Backend:
    """One generation, started by the constructor. Everything is called in the main thread."""

    def __init__(self, folder: DataFolder, name: str, workers: int, gauges: str) -> None:
        self._folder = folder.sockets
        self._gauges = gauges
        self._unix: list[socket.socket] = []
        self._pool: Pool | None = None
        self._tasks: list[AsyncResult[None]] = []
        try:
            self._start(folder, name, workers)
        except BaseException:
            self.kill()
            raise

    def _start(self, folder: DataFolder, name: str, workers: int) -> None:
        self._intake: multiprocessing.Queue[list[Intake] | None] = SPAWN.Queue(journal.INTAKE_BATCHES)
        others = set(multiprocessing.active_children())
        self._manager = OutletManager(address=str(self._path("manager")), ctx=SPAWN)
        self._manager.start(initializer=settle, initargs=("manager",))
        (self._manager_process,) = set(multiprocessing.active_children()) - others
        outlets = [self._manager.Outlet() for _ in range(workers)]  # type: ignore[attr-defined]
        self._start_journal(folder.database, outlets, name)  # first: it makes the database that workers read
        self._start_pool(folder.database, outlets)

    def hand_over(self, connection: int, fileno: int) -> bool:
        """Send a connection's descriptor to its worker; False if the worker's socket is full just now."""
        unix = self._unix[worker_of(connection, len(self._unix))]
        try:
            socket.send_fds(unix, [connection.to_bytes(8, "big")], [fileno])
        except BlockingIOError:
            return False
        except OSError as error:
            # ETOOMANYREFS: this user has as many descriptors on the way as it may have open (unix(7)).
            # Anything else: the worker is dead, its end is about to be noticed, and this connection dropped with it.
            return error.errno != errno.ETOOMANYREFS
        return True

    def submit(self, turn: list[Intake]) -> bool:
        """Put a turn's intake on the journal's queue; False if it is full."""
        try:
            self._intake.put_nowait(turn)
        except queue.Full:
            return False
        return True

    def sentinels(self) -> dict[int, str]:
        """Descriptors that become readable when a process of this generation dies, with its name.

        For the Pool's workers this is the Unix socket: a Pool replaces a dead worker and says nothing.
        """
        watched = {self._journal.sentinel: "journal", self._manager_process.sentinel: "manager"}
        return watched | {unix.fileno(): f"worker {number}" for number, unix in enumerate(self._unix)}

    @property
    def manager_pid(self) -> int:
        return self._manager_process.pid or 0

    def stop(self, limit: float) -> None:
        """Let everything that was submitted be stored and sent, then end the processes; by force after `limit` s."""
        deadline = time.monotonic() + limit
        self._put_end(deadline)
        assert self._pool is not None
        self._pool.close()
        for result in self._tasks:
            result.wait(max(0.0, deadline - time.monotonic()))
        self._journal.join(max(0.0, deadline - time.monotonic()))
        self.kill()

    def _put_end(self, deadline: float) -> None:
        # Not `put(timeout=…)`: that waits with sem_timedwait(3), whose deadline is on the wall clock, which may jump.
        while True:
            try:
                self._intake.put_nowait(None)
                return
            except queue.Full:
                if time.monotonic() > deadline:
                    log.warning("the journal doesn't take its end; what waited for it is not stored")
                    return
                time.sleep(PUT_PAUSE)

    def kill(self) -> None:
        """End every process of this generation at once, and forget it."""
        for unix in self._unix:
            unix.close()
        # `terminate` can hang for ever, on the lock of a worker that was killed while it waited for a task; so a
        # thread of its own tries. Its first act stops the Pool from replacing workers; we end the rest.
        if self._pool is not None:
            threading.Thread(target=self._pool.terminate, name="pool-terminate", daemon=True).start()
        while children := multiprocessing.active_children():
            for child in children:
                child.kill()
                child.join(0.05)
        self._intake.close()
        self._intake.cancel_join_thread()
        for path in self._folder.iterdir():
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / name

    def _start_pool(self, database: Path, outlets: list[journal.Outlet]) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self._path("workers")))
            listener.listen(len(outlets))
            listener.settimeout(START_LIMIT)
            self._pool = SPAWN.Pool(len(outlets), initializer=settle, initargs=("worker",))
            self._tasks = [
                self._pool.apply_async(
                    fanout.run, (fanout.Post(number, str(self._path("workers")), database, self._gauges), outlet)
                )
                for number, outlet in enumerate(outlets)
            ]
            calls = [self._answer_call(listener) for _ in outlets]
            self._unix = [unix for _, unix in sorted(calls, key=lambda call: call[0])]

    def _answer_call(self, listener: socket.socket) -> tuple[int, socket.socket]:
        try:
            unix, _ = listener.accept()
        except TimeoutError:
            raise BackendFailed(f"A fan-out worker did not start within {START_LIMIT:.0f} s.") from None
        unix.settimeout(START_LIMIT)
        number = int.from_bytes(unix.recv(4, socket.MSG_WAITALL), "big")
        unix.setblocking(False)
        return number, unix

    def _start_journal(self, database: Path, outlets: list[journal.Outlet], name: str) -> None:
        ready, readied = SPAWN.Pipe(duplex=False)
        self._journal = SPAWN.Process(
            target=journal.run, args=(self._intake, outlets, readied, database, name, self._gauges), name="journal"
        )
        self._journal.start()
        readied.close()
        try:
            if not ready.poll(START_LIMIT):
                raise BackendFailed(f"The journal did not start within {START_LIMIT:.0f} s.")
            trouble = ready.recv()
        except EOFError:
            raise BackendFailed("The journal died while it started; the log says why.") from None
        finally:
            ready.close()
        if trouble:
            raise BackendFailed(trouble)
