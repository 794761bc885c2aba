"""Gauges: what the server's processes count, in shared memory, so that watching costs the watched nothing.

One block of 64-bit cells; each process writes only its own panel of it, so there is no lock, and whoever looks reads
at any time. A cell is written whole (an aligned 8-byte store), so a reader sees the old value or the new one, never
half of each; two cells may be from different moments, which a picture of moving figures can bear.

The block's name stands in the data folder, so `chat-server --top` finds it from another terminal. That is where
`multiprocessing.shared_memory` has its trap: before Python 3.13 every process that merely *attaches* registers the
block with its own resource tracker, which removes it for everybody when that process ends. Children of one server
share one tracker, so for them it does no harm; a stranger must take the registration back (`look`).
"""

from __future__ import annotations

import os
import sys
import threading
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

from server.delivery import Tally

MAX_WORKERS = 64

READER = (
    "pid", "wakeups", "events", "reads", "bytes_read", "commands", "accepted", "ended", "stalls", "owed",
    "opened", "answered", "proved", "named",
)  # fmt: skip
JOURNAL = (
    "pid", "batches", "intake", "commits", "commit_ns", "events", "parcels",
)  # fmt: skip
WORKER = (
    "pid", "connections", "rounds", "taken", "parcels", "deliveries", "replayed", "too_slow",
    "sends", "bytes_sent", "full_sockets",
)  # fmt: skip
FLUSHER = ("thread", "edges", "sends", "bytes_sent", "full_sockets")
OUTLET = ("put",)  # by the journal; less what the worker has taken, it is what waits in the Manager
ANNOUNCER = ("thread", "sent", "came", "answered", "noise")  # datagrams
SUPERVISOR = ("manager_pid", "restarts", "workers")

_PANELS = {"supervisor": SUPERVISOR, "reader": READER, "announcer": ANNOUNCER, "journal": JOURNAL}
_PANELS |= {f"worker {number}": WORKER for number in range(MAX_WORKERS)}
_PANELS |= {f"flusher {number}": FLUSHER for number in range(MAX_WORKERS)}
_PANELS |= {f"outlet {number}": OUTLET for number in range(MAX_WORKERS)}
_OFFSETS: dict[str, int] = {}
_CELLS = 0
for _name, _fields in _PANELS.items():
    _OFFSETS[_name] = _CELLS
    _CELLS += len(_fields)


class Panel:
    """One process's cells, by name. Only that process writes to them."""

    __slots__ = ("_at", "_cells")

    def __init__(self, cells: memoryview, fields: tuple[str, ...], offset: int) -> None:
        self._cells = cells
        self._at = {field: offset + index for index, field in enumerate(fields)}

    def add(self, field: str, amount: int = 1) -> None:
        self._cells[self._at[field]] += amount

    def set(self, field: str, value: int) -> None:
        self._cells[self._at[field]] = value

    def get(self, field: str) -> int:
        return self._cells[self._at[field]]

    def set_thread(self) -> None:
        """Say that the calling thread is the one whose cells these are."""
        self.set("thread", threading.get_native_id())

    def show(self, tally: Tally) -> None:
        """Set the cells that count sends."""
        self.set("sends", tally.sends)
        self.set("bytes_sent", tally.bytes_sent)
        self.set("full_sockets", tally.full_sockets)


class Gauges:
    """The whole block, made by `create` or attached to by name."""

    def __init__(self, memory: SharedMemory) -> None:
        assert memory.buf is not None  # it is None once closed
        self._memory = memory
        self._cells = memory.buf[: 8 * _CELLS].cast("q")

    @classmethod
    def create(cls, name: str) -> Gauges:
        """A new block of zeros."""
        return cls(SharedMemory(name, create=True, size=8 * _CELLS))

    @classmethod
    def remove(cls, name: str) -> None:
        """Remove a block that a killed server left under this name."""
        try:
            if name:
                SharedMemory(name).unlink()
        except FileNotFoundError:
            pass

    @classmethod
    def attach(cls, name: str) -> Gauges:
        """The block, in a child of the server that made it."""
        return cls(SharedMemory(name))

    @classmethod
    def look(cls, name: str) -> Gauges:
        """The block, from a process that isn't the server's. Raises FileNotFoundError if no server runs."""
        if not name:
            raise FileNotFoundError(name)
        if sys.version_info >= (3, 13):
            return cls(SharedMemory(name, track=False))
        memory = SharedMemory(name)
        resource_tracker.unregister(f"/{name}", "shared_memory")
        return cls(memory)

    @property
    def name(self) -> str:
        return self._memory.name

    def panel(self, process: str) -> Panel:
        """The cells of one process, or of one thread of it; they count from zero again."""
        panel = Panel(self._cells, _PANELS[process], _OFFSETS[process])
        for field in _PANELS[process]:
            panel.set(field, 0)
        if "pid" in _PANELS[process]:
            panel.set("pid", os.getpid())
        return panel

    def read(self) -> dict[str, int]:
        """Every figure of the processes that run, by `process.field`."""
        workers = self._cells[_OFFSETS["supervisor"] + SUPERVISOR.index("workers")]
        shown = ["supervisor", "reader", "announcer", "journal"]
        shown += [f"{part} {number}" for number in range(workers) for part in ("outlet", "worker", "flusher")]
        return {
            f"{process}.{field}": self._cells[_OFFSETS[process] + index]
            for process in shown
            for index, field in enumerate(_PANELS[process])
        }

    def close(self, *, remove: bool = False) -> None:
        self._cells.release()
        self._memory.close()
        if remove:
            self._memory.unlink()


def figures_of(name: str) -> dict[str, int]:
    """What `Gauges.read` gives for the server whose block has this name. Raises FileNotFoundError if none runs."""
    gauges = Gauges.look(name)
    try:
        return gauges.read()
    finally:
        gauges.close()


def process_ids(figures: dict[str, int]) -> dict[str, int]:
    """The processes by what they are: reader, journal, manager, worker 0 …"""
    pids = {name.removesuffix(".pid"): value for name, value in figures.items() if name.endswith(".pid")}
    return pids | {"manager": figures["supervisor.manager_pid"]}
