"""The journal: the one process that writes the truth, fed by a bounded `multiprocessing.Queue`.

**Why a process.** An fsync takes milliseconds, and deciding and encoding hold the GIL; in the reader's process
either would stop ten thousand sockets. **Why one.** Numbers without a hole need one counter, and one writer needs
no lock at all: everything in here is plain sequential code.

**Group commit.** `collect` blocks for the first batch and then takes all that waits, so the longer a commit takes
the more the next one carries: throughput rises with load while an idle server answers after a single fsync. There
is no timer in this, only the queue; that a fast disk doesn't make for many small batches is the reader's doing, which
passes on at most one batch every 1.5 ms.

**Why `get_nowait` and not `empty()`.** The queue is a pipe with a feeder thread behind it: `empty()` may say True
for what was already put, and False for what another takes first. Only `get` knows.

**Order.** Commit first, then publish. What stands in an outlet is on disk, so nobody sees a message that a
power cut could take back.

**The bound.** The intake queue holds `INTAKE_BATCHES` batches; when it is full the reader stops reading, and the
pressure reaches the senders through TCP. A worker's outlet has a bound in bytes; when one is full this process
waits for it, its own queue fills, and the same follows.
"""

from __future__ import annotations

import pickle
import queue
import time
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from server import children
from server.clerk import Clerk
from server.database import TROUBLE, UnusableStore, hold
from server.gauges import Gauges, Panel
from server.parcels import Asked, Find, Intake, Parcel, coalesce, share
from server.store import Store, StoreTrouble
from server.trails import stamp

INTAKE_BATCHES = 128

MAX_BATCH = 4096
"""Intake items in one commit, about: more waits for the next."""

MAX_BATCH_TEXT = 2 * 1024 * 1024
"""Characters of messages in one commit, about: what an outlet may hold beyond its bound."""

PRESENCE_INTERVAL = 0.25
"""Seconds between two rounds of presence, so that a crowd arriving is told in few notices."""

INDEX_AT, INDEX_RETRY = 256, 5.0
"""Messages that wait for the index of words until it is brought up to date, if nobody searches before; and seconds
until that is tried again after the disk refused it."""

Outlet = Any
"""The proxy of an outlet (server/outlet.py): `put` is a round trip to the Manager's process."""


def run(
    intake: Queue[list[Intake] | None],
    outlets: list[Outlet],
    ready: Connection,
    path: Path,
    name: str,
    gauges_name: str,
) -> None:
    """The process's main function. Ends after `None` has come through `intake` and been handed on."""
    children.settle("journal")
    with closing(Gauges.attach(gauges_name)) as gauges:
        opened = _open(path, name, gauges)
        ready.send(opened if isinstance(opened, str) else "")
        ready.close()
        if not isinstance(opened, str):
            children.spare_the_collector()
            _work(*opened, intake, outlets, gauges)


def _open(path: Path, name: str, gauges: Gauges) -> tuple[Store, Clerk] | str:
    """The database and who writes in it, or a sentence that says why it can't be used."""
    try:
        hold(path)
        store = Store(path)
        return store, Clerk(store, name, gauges.read)
    except UnusableStore as trouble:
        return str(trouble)
    except TROUBLE as error:
        return str(UnusableStore(path, error))


def _work(
    store: Store, clerk: Clerk, intake: Queue[list[Intake] | None], outlets: list[Outlet], gauges: Gauges
) -> None:
    """Store what comes and pass it on, until the end has come."""
    panel = gauges.panel("journal")
    panels = [gauges.panel(f"outlet {number}") for number in range(len(outlets))]
    chores = Chores(store, clerk)
    ended = False
    while not ended:
        batch, ended = collect(intake, chores.due)
        parcels = stamp(clerk.work(stamp(batch, "journal queue")), "committed")
        parcels += chores.tell_presence()
        searches: list[Parcel] = [parcel for parcel in parcels if isinstance(parcel, Find)]
        publish([parcel for parcel in parcels if not isinstance(parcel, Find)], outlets, panels)
        chores.index(sought=bool(searches))  # a search finds whatever was stored before it, and only searches wait
        publish(searches, outlets, panels)
        _count(panel, len(batch), len(parcels), store)
    for outlet in outlets:
        outlet.put(None)
    store.close()


class Chores:
    """What no message waits for that came before: telling who came and went, and indexing what was said."""

    def __init__(self, store: Store, clerk: Clerk) -> None:
        self._store = store
        self._clerk = clerk
        self._presence_due = self._index_due = 0.0

    @property
    def due(self) -> float | None:
        """When something is to be done although nothing comes (monotonic); None if nothing is."""
        return self._presence_due if self._clerk.presence_untold else None

    def tell_presence(self) -> list[Parcel]:
        """The parcels for it, if it is due."""
        now = time.monotonic()
        if not self._clerk.presence_untold or now < self._presence_due:
            return []
        self._presence_due = now + PRESENCE_INTERVAL
        return self._clerk.tell_presence()

    def index(self, *, sought: bool) -> None:
        """Index, if somebody searches or it is worth it; called when what was said is on its way."""
        now = time.monotonic()
        if now >= self._index_due and self._store.unindexed >= (1 if sought else INDEX_AT):
            try:
                self._store.index()
            except StoreTrouble as trouble:
                self._index_due = now + INDEX_RETRY
                children.log.warning("searches don't find the newest messages: %s", trouble)


def collect(intake: Queue[list[Intake] | None], until: float | None) -> tuple[list[Intake], bool]:
    """All that waits, and whether the end has come; blocks for the first, at most `until` (monotonic)."""
    batch: list[Intake] = []
    text = 0
    try:
        turn = intake.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
        while turn is not None:
            batch += turn
            text += sum(len(getattr(item.command, "text", "")) for item in turn if isinstance(item, Asked))
            if len(batch) >= MAX_BATCH or text >= MAX_BATCH_TEXT:
                return batch, False
            turn = intake.get_nowait()
    except queue.Empty:
        return batch, False
    return batch, True


def publish(parcels: list[Parcel], outlets: list[Outlet], panels: list[Panel]) -> None:
    """Put each worker's share into its outlet, as bytes: the Manager's process passes them on unopened."""
    parcels = coalesce(parcels)
    for worker, outlet in enumerate(outlets):
        if own := share(parcels, worker, len(outlets)):
            outlet.put(pickle.dumps(own))
            panels[worker].add("put")


def _count(panel: Panel, intake: int, parcels: int, store: Store) -> None:
    panel.add("batches")
    panel.add("intake", intake)
    panel.add("parcels", parcels)
    panel.set("commits", store.commits)
    panel.set("events", store.events)
    panel.set("commit_ns", store.commit_ns)
