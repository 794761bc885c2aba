"""Fan-out: the task that each worker of the Pool runs for as long as the server lives.

**Why processes.** Every member gets every message under a key of their own: encrypting and sending is most of the
server's work, and it parts cleanly by connection. **Why a Pool**, and not N Processes: the work is N times the same
function, and a Pool starts, counts and ends its workers. What it can't do is notice that one died with its task
(the task is neither run again nor failed), so the supervisor watches each worker's Unix socket for its end.

**Why a Manager.** A `multiprocessing.Queue` can't be given to a Pool's task, only inherited at a Process's start; the
proxy of an object that a Manager holds can be pickled and sent anywhere. Its price is a round trip to the Manager's
process for each call, and that a proxy has no descriptor to wait on. So this loop blocks in the call itself, which
gives all that waits (server/outlet.py), and the flusher, when it has made room for a replay, wakes it there.

**Descriptors** can't travel on that queue: the Manager would unpickle them. They come over a Unix socket
(`recv_fds`), sent before the *Attach* that names them is put on its way, so when *Attach* is met the descriptor is
there. After that nobody else writes to the connection, so the cipher's counter lives in one place.

**Coalescing.** A round takes all that waits before it writes, so a busy room costs each member one `send` for many
messages: the longer a round takes, the more the next one carries. And since a `send` costs the same for one message or
fifty, a round that follows closely on another is begun a little later (`MAX_REST`), and with more in it.
"""

from __future__ import annotations

import contextlib
import itertools
import pickle
import socket
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat.codec import chunks, encode
from chat.messages import Goodbye, PageEnd, SearchEnd, Trail
from server.bursts import Bursts
from server.children import log, spare_the_collector
from server.delivery import FAREWELL_LIMIT, LOW_BACKLOG, SLOW_FAREWELL_LIMIT, Delivery, Tally
from server.flusher import Flusher
from server.gauges import Gauges
from server.history import History
from server.parcels import (
    Attach,
    Detach,
    Enter,
    Expel,
    Find,
    Membership,
    Parcel,
    ReadPage,
    Replay,
    ToConnection,
    ToPerson,
    ToRoom,
    Traced,
    coalesce,
)
from server.replays import Replays
from server.router import Router
from server.trails import MAX_TRAILS, stamp

MAX_REST = 0.0035
"""Seconds that a round is put off after the one before, at most: half of what that took, if that is less. Not while a
replay can go on."""

TOO_SLOW = Goodbye("too_slow", "Your connection is too slow for this room; reconnect to go on where you were.")
STOPPING = Goodbye("stopping", "The server is stopping; reconnect in a moment.")
UNREADABLE = Goodbye("storage_full", "The server can't read its history now; tell whoever runs it.")


@dataclass(frozen=True, slots=True)
class Post:
    """Where one worker works: its number, the Unix socket to call at, and the database to read."""

    number: int
    socket_path: str
    database: Path
    gauges: str


def run(post: Post, outlet: Any) -> None:
    """The Pool task. Ends when `None` comes through the proxy `outlet`, or the Manager is gone."""
    with socket.socket(socket.AF_UNIX) as unix:
        unix.connect(post.socket_path)
        unix.sendall(post.number.to_bytes(4, "big"))
        try:
            gauges = Gauges.attach(post.gauges)
            spare_the_collector()
            Worker(unix, outlet, History(post.database), gauges, post.number).run()
            gauges.close()
        except Exception:
            log.exception("worker %d fails", post.number)  # the Pool would keep it for a `get` that nobody calls
            raise


class Worker:
    """One worker's loop. Everything in here runs in its main thread, but for `_wake`."""

    def __init__(self, unix: socket.socket, outlet: Any, history: History, gauges: Gauges, number: int) -> None:
        self._unix = unix
        self._history = history
        self._router = Router()
        self._replays = Replays(history)
        self._panel = gauges.panel(f"worker {number}")
        self._outlet = outlet
        self._tally = Tally()
        self._bursts = Bursts(self._tally)
        self._next_round = 0.0
        """When the next round may begin, on the monotonic clock."""
        self._flusher = Flusher(self._wake, gauges.panel(f"flusher {number}"))
        self._deliveries: dict[int, Delivery] = {}
        self._outgoing: dict[Delivery, tuple[bytes, ...]] = {}
        """What this round has for each connection. Tuples, because a thousand members of a room share one."""
        self._trails: list[Traced] = []

    def run(self) -> None:
        self._flusher.start()
        while self._round():
            pass
        for delivery in self._deliveries.values():
            delivery.say_farewell([encode(STOPPING)], self._tally)
        self._flusher.stop()

    def _wake(self, delivery: Delivery) -> None:
        if delivery.connection in self._replays:
            with contextlib.suppress(EOFError, OSError):  # the Manager is gone: the loop finds that out
                self._outlet.wake()

    def _round(self) -> bool:
        """Take what waits, then write it; False when the end has come."""
        batches = self._take()
        begun = time.monotonic()
        parcels: list[Parcel] = []
        for batch in batches:
            if batch is not None:
                parcels += stamp(pickle.loads(batch), "outlet")
        self._handle(coalesce(parcels))  # anew: what came in several batches visits each member once as well
        self._write_out()
        self._send_trails()
        self._go_on_with_replays()
        self._write_out()
        self._space_rounds(begun)
        self._panel.add("rounds")
        self._panel.set("connections", len(self._deliveries))
        self._panel.show(self._tally)
        return None not in batches

    def _space_rounds(self, begun: float) -> None:
        """A round costs each member one `send`, for one message or for fifty: so it is given a little time to fill."""
        now = time.monotonic()
        self._next_round = now + min((now - begun) / 2, MAX_REST)

    def _take(self) -> list[bytes | None]:
        """The batches that wait, with `None` behind the last one ever."""
        try:
            batches: list[bytes | None] = self._outlet.take(not self._can_replay(), self._next_round)
        except (EOFError, OSError):
            log.warning("the Manager is gone")
            return [None]
        self._panel.add("taken", sum(batch is not None for batch in batches))
        return batches

    def _handle(self, parcels: list[Parcel]) -> None:
        self._panel.add("parcels", len(parcels))
        for parcel in parcels:
            try:
                _HANDLE[type(parcel)](self, parcel)
            except sqlite3.Error:  # only what reads for one connection can meet this: the others go on
                log.exception("reading for %r", parcel)
                self._farewell(parcel.connection, [encode(UNREADABLE)])  # type: ignore[union-attr]

    def _add(self, connection: int, messages: tuple[bytes, ...]) -> None:
        delivery = self._deliveries.get(connection)
        if delivery is not None:
            self._outgoing[delivery] = self._outgoing.get(delivery, ()) + messages

    def _send_trails(self) -> None:
        """Send the stamps of traced messages behind them, now that they are written."""
        trails, self._trails = self._trails, []
        for traced in stamp(trails, "encrypted and written"):
            trail = encode(Trail(traced.room, traced.author, traced.label, traced.stamps))
            for connection in list(itertools.islice(self._router.in_room(traced.room), MAX_TRAILS)):
                self._add(connection, (trail,))

    def _write_out(self) -> None:
        outgoing, self._outgoing = self._outgoing, {}
        for delivery in self._bursts.write_all(outgoing):
            self._panel.add("too_slow")
            log.info("connection %d (%s) is too slow", delivery.connection, self._router.name_of(delivery.connection))
            self._farewell(delivery.connection, [encode(TOO_SLOW)], SLOW_FAREWELL_LIMIT)

    def _farewell(self, connection: int, messages: Sequence[bytes], limit: float = FAREWELL_LIMIT) -> None:
        self._router.forget(connection)
        self._replays.forget(connection)
        delivery = self._deliveries.get(connection)
        if delivery is not None:
            delivery.say_farewell(messages, self._tally, limit)
            self._flusher.expect_end(delivery)

    # --- replays ----------------------------------------------------------------------------------------------

    def _can_replay(self) -> bool:
        return any(self._has_room(connection) for connection in self._replays.connections())

    def _has_room(self, connection: int) -> bool:
        delivery = self._deliveries.get(connection)
        return delivery is not None and delivery.waiting < LOW_BACKLOG

    def _go_on_with_replays(self) -> None:
        """A page for each connection that has room for one; the next round looks at the queue again first."""
        for connection in self._replays.connections():
            if self._has_room(connection):
                try:
                    page = self._replays.next_page(connection)
                    self._panel.add("replayed", len(page))
                    self._add(connection, tuple(page))
                except sqlite3.Error:
                    log.exception("reading history for connection %d", connection)
                    self._farewell(connection, [encode(UNREADABLE)])

    # --- parcels ----------------------------------------------------------------------------------------------

    def _attach(self, parcel: Attach) -> None:
        sock = self._take_descriptor(parcel.connection)
        delivery = Delivery(parcel.connection, sock, parcel.sending_key, self._flusher.awake.append)
        self._deliveries[parcel.connection] = delivery
        self._flusher.add(delivery)

    def _take_descriptor(self, connection: int) -> socket.socket:
        while True:
            message, descriptors, flags, _ = socket.recv_fds(self._unix, 8, 1)
            if not message:
                raise EOFError("the supervisor is gone")
            if flags & socket.MSG_CTRUNC or not descriptors:
                raise OSError("a descriptor was cut off on its way: the limit on open files is too low")
            sock = socket.socket(fileno=descriptors[0])
            if int.from_bytes(message, "big") == connection:
                return sock
            sock.close()  # its Attach was lost with a full stage; the reader has dropped that connection

    def _enter(self, parcel: Enter) -> None:
        self._router.enter(parcel)

    def _membership(self, parcel: Membership) -> None:
        self._router.change(parcel)

    def _to_connection(self, parcel: ToConnection) -> None:
        self._add(parcel.connection, parcel.messages)

    def _to_person(self, parcel: ToPerson) -> None:
        for connection in self._router.of_person(parcel.name):
            self._add(connection, parcel.messages)

    def _to_room(self, parcel: ToRoom) -> None:
        pieces = tuple(chunks(list(parcel.messages)))  # joined once for the room, however many members it has
        members = self._router.in_room(parcel.room)
        hearers: Iterable[Delivery] = map(self._deliveries.__getitem__, members)
        if self._replays:
            postpone = self._replays.postpone
            hearers = [each for each in hearers if not postpone(each.connection, parcel.room, parcel.position)]
        if not self._outgoing:  # as with one busy room: without a step of the interpreter for each member
            self._outgoing = dict.fromkeys(hearers, pieces)
        else:
            for delivery in hearers:
                held = self._outgoing.get(delivery)
                self._outgoing[delivery] = pieces if held is None else held + pieces
        self._panel.add("deliveries", len(members) * len(parcel.messages))

    def _traced(self, parcel: Traced) -> None:
        self._trails.append(parcel)

    def _replay(self, parcel: Replay) -> None:
        self._replays.add(parcel)

    def _read_page(self, parcel: ReadPage) -> None:
        rows = self._history.page(parcel.room, parcel.before, parcel.limit)
        oldest = rows[0][0] if rows else 0
        messages = [body for _, body in rows]
        messages.append(encode(PageEnd(parcel.label, parcel.room, oldest)))
        self._add(parcel.connection, tuple(messages))

    def _find(self, parcel: Find) -> None:
        label, limit = parcel.search.label, parcel.search.limit
        hits = list(itertools.islice(self._history.search(parcel.rooms, parcel.search), limit + 1))
        messages = [encode(hit) for hit in hits[:limit]]
        messages.append(encode(SearchEnd(label, len(messages), len(hits) > limit)))
        self._add(parcel.connection, tuple(messages))

    def _expel(self, parcel: Expel) -> None:
        delivery = self._deliveries.get(parcel.connection)
        if delivery is not None:
            self._farewell(parcel.connection, [*self._outgoing.pop(delivery, ()), *parcel.messages])

    def _detach(self, parcel: Detach) -> None:
        self._router.forget(parcel.connection)
        self._replays.forget(parcel.connection)
        delivery = self._deliveries.pop(parcel.connection, None)
        if delivery is not None:
            self._outgoing.pop(delivery, None)
            self._flusher.remove(delivery)
            delivery.close()


_HANDLE: dict[type, Callable[[Worker, Any], None]] = {
    Attach: Worker._attach,
    Enter: Worker._enter,
    Membership: Worker._membership,
    ToConnection: Worker._to_connection,
    ToPerson: Worker._to_person,
    ToRoom: Worker._to_room,
    Traced: Worker._traced,
    Replay: Worker._replay,
    ReadPage: Worker._read_page,
    Find: Worker._find,
    Expel: Worker._expel,
    Detach: Worker._detach,
}
