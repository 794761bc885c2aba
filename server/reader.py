"""The reader: one thread, one epoll, every connection. Edge-triggered, and this is what that means.

**Level and edge.** A level-triggered epoll answers the question "is there something to read?" each time it is
asked; an edge-triggered one reports that something *came*, once. With ten thousand busy connections the first
brings up the same sockets again and again until each is read empty; the second names each arrival once, and
leaves it to us to remember what we haven't finished (epoll(7); the kernel puts a level-triggered descriptor back
on its ready list after every `epoll_wait` and an edge-triggered one not).

**The debt.** So whoever stops before `EAGAIN` owes that connection a read: no event will come for the bytes
that are there already. We stop early for two reasons, fairness (`READS_A_TURN`) and pressure (the journal is full),
and both put the connection into `_owed`. While `_owed` isn't empty and we may read, epoll is polled with a timeout
of 0: new arrivals get their turn, then the debts are worked off.

**Data and hang-up in one edge.** `EPOLLIN | EPOLLRDHUP` can come together, once. We always read first, until the
socket says that there is no more; the end is then found by reading, and what was sent before it isn't lost.

**The listener is level-triggered.** Accepting is bounded in each turn, and may fail for want of descriptors; with a
level nothing needs to be remembered, the listener is simply reported again. After `EMFILE` that would be a busy
loop, so it is switched off and a timer switches it on again.

**A passed descriptor is a duplicate.** A fan-out worker holds a copy of each logged-in connection, so `close` here
ends nothing, and epoll would go on reporting it under a number that the next `accept` gives to somebody else.
Hence the order: unregister, shutdown, tell the worker, close; and the close waits for the end of the turn, when no
event fetched under that number is left.

**Moderation.** Waking up, and waking every stage behind, costs the same for one message or fifty. So a turn in
which somebody said something is followed by a rest of `MODERATION`, in which more may come, as network cards have it
with their interrupts. What comes after a pause is taken at once, and those who only knock or ask keep nobody waiting.

**Pressure.** What the turn's reads led to goes to the journal in one `put_nowait`. If the queue is full, or a
descriptor doesn't fit the worker's socket, the reader reads nothing more and tries again in `RETRY` seconds: the
kernel's buffers fill, and the senders' TCP waits.

Chosen: one process for reading, because sessions decrypt and check in microseconds. Rejected: a thread for each
connection (10,000 stacks), `EPOLLEXCLUSIVE` with several readers (the journal would need to merge their orders),
asyncio (its selectors are level-triggered; see the comparison in CONCURRENCY.md).
"""

from __future__ import annotations

import errno
import heapq
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from chat.frames import frame
from chat.messages import Goodbye, Login, Say, Status, Tell
from chat.protocol import DEAD_LINK, PROBE_AFTER, PROBE_EVERY, PROBES, SILENCE_LIMIT, Phase
from chat.secure import alert
from server.admission import Admission
from server.children import log
from server.connection import Connection
from server.gauges import Panel
from server.parcels import Answered, Arrived, Asked, Departed, Expelled, Intake
from server.roster import Roster
from server.session import Action, Answer, Drop, Handover, Refuse, Session, Submit
from server.trails import first_stamps

EDGES = select.EPOLLIN | select.EPOLLET | select.EPOLLRDHUP

ACCEPTS_A_TURN = 64
HANDSHAKES_A_TURN = 4
"""Connections read in one turn whose handshake is under way: a step of it takes a quarter of a millisecond, and when
everybody comes back at once, those who are in already go first."""
TURN_SIZE = 256 * 1024
"""Bytes read in one turn, and at most one connection's share more: so a batch for the journal is bounded too."""
MODERATION = 0.0015
"""Seconds between two turns that bring messages, at least."""
RETRY = 0.005
"""Seconds until a full stage is tried again."""
ACCEPT_PAUSE = 0.25
"""Seconds without accepting after the system has run out of descriptors."""
HANDSHAKE_LIMIT = 10.0
"""Seconds from the connection to the login."""
FAREWELL_LIMIT = 10.0
"""Seconds that a worker has to shut down a connection which was told goodbye."""


class Stages(Protocol):
    """What stands behind the reader. Both calls return False instead of waiting: nothing was taken then."""

    def hand_over(self, connection: int, fileno: int) -> bool: ...
    def submit(self, turn: list[Intake]) -> bool: ...


class Reader:
    """The loop. `run` returns after `stop`; everything in here is called in the main thread."""

    def __init__(
        self,
        listener: socket.socket,
        new_session: Callable[[], Session],
        admission: Admission,
        roster: Roster,
        panel: Panel,
    ) -> None:
        self._panel = panel
        self._listener = listener
        self._new_session = new_session
        self._admission = admission
        self._roster = roster
        self._stages: Stages
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}  # by descriptor, as epoll names them
        self._watched: dict[int, Callable[[], None]] = {}
        self._calls: list[tuple[int, Callable[[], None]]] = []
        self._owed: deque[Connection] = deque()
        self._knocking: deque[Connection] = deque()  # those among them whose handshake is under way
        self._turn: list[Intake] = []
        self._handovers: deque[Connection] = deque()
        self._closing: list[Connection] = []
        self._timers: list[tuple[float, int, int]] = []  # (when, connection's id, its descriptor)
        self._last_id = 0
        self._spoken = 0.0  # when somebody last said something
        self._woken = 0  # when epoll returned last, for traced messages
        self._accepting = True
        self._accept_again = 0.0
        self._running = True
        self._epoll.register(listener, select.EPOLLIN)

    def run(self, stages: Stages) -> None:
        self._stages = stages
        while self._running:
            events = self._wait()
            self._panel.add("wakeups")
            self._panel.add("events", len(events))
            for fileno in events:
                self._meet(fileno)
            self._call_watchers()
            if self._stalled:
                self._panel.add("stalls")
            else:
                self._pay_debts()
                self._expire(time.monotonic())  # after the debts: what came while we couldn't read counts as life
            self._pass_on()
            self._close_ended()
            self._panel.set("owed", len(self._owed) + len(self._knocking))

    def stop(self) -> None:
        self._running = False

    def watch(self, fileno: int, call: Callable[[], None]) -> None:
        """Call `call` in this loop whenever the descriptor is readable or has ended (level-triggered)."""
        self._watched[fileno] = call
        self._epoll.register(fileno, select.EPOLLIN)

    def unwatch(self, fileno: int) -> None:
        if self._watched.pop(fileno, None) is not None:
            self._epoll.unregister(fileno)

    def drop_logged_in(self) -> None:
        """The stages have died, and with them all that they knew of these connections: end them, so that their
        clients come back, and free their descriptors, for new stages need some. Handshakes under way go on."""
        self._handovers.clear()
        for connection in list(self._connections.values()):
            if connection.handed_over:
                self._end(connection)
        self._turn.clear()
        self._close_ended()

    def start_over(self, stages: Stages) -> None:
        """Go on with new stages, which know nobody."""
        self.drop_logged_in()
        self._stages = stages

    def close(self) -> None:
        """Close every socket of the reader, the listener included."""
        for connection in self._connections.values():
            connection.sock.close()
        self._connections.clear()
        self._listener.close()
        self._epoll.close()

    @property
    def connections(self) -> Iterable[Connection]:
        return self._connections.values()

    # --- a turn -----------------------------------------------------------------------------------------------

    def _wait(self) -> list[int]:
        """The descriptors that have news, each once, in the order in which epoll tells of them."""
        news = dict.fromkeys(fileno for fileno, _ in self._epoll.poll(self._timeout()))
        self._woken = time.monotonic_ns()
        early = self._spoken + MODERATION - time.monotonic()
        if early > 0 and not self._owes:
            time.sleep(early)
            news |= dict.fromkeys(fileno for fileno, _ in self._epoll.poll(0))  # told before, an edge isn't told again
        return list(news)

    @property
    def _owes(self) -> bool:
        return bool(self._owed or self._knocking)

    @property
    def _stalled(self) -> bool:
        """Whether something couldn't be passed on: nothing is read until it can."""
        return bool(self._turn or self._handovers)

    def _timeout(self) -> float | None:
        if self._stalled:
            return RETRY
        if self._owes:
            return 0
        due = self._timers[0][0] if self._timers else None
        if not self._accepting:
            due = self._accept_again if due is None else min(due, self._accept_again)
        return None if due is None else max(0.0, due - time.monotonic())

    def _meet(self, fileno: int) -> None:
        if fileno in self._connections:
            self._owe(self._connections[fileno])  # an edge is a debt like any other
        elif fileno in self._watched:
            self._calls.append((fileno, self._watched[fileno]))
        elif fileno == self._listener.fileno() and not self._stalled:
            self._accept()

    def _call_watchers(self) -> None:
        """Make this turn's calls, after its last event was met: a call may replace what others were about, and then
        the numbers of closed descriptors belong to new ones, of which these events say nothing."""
        calls, self._calls = self._calls, []
        for fileno, call in calls:
            if self._watched.get(fileno) is call:
                call()

    def _pay_debts(self) -> None:
        taken = 0
        for _ in range(len(self._owed)):
            if taken >= TURN_SIZE:
                return  # the others are owed theirs in the next turn
            taken += self._pay(self._owed.popleft())
        for _ in range(min(HANDSHAKES_A_TURN, len(self._knocking))):
            self._pay(self._knocking.popleft())

    def _pay(self, connection: Connection) -> int:
        """Read a connection, once; gives the bytes that were read."""
        connection.owed = False
        if self._connections.get(connection.fileno) is not connection:
            return 0
        reading = connection.read()
        self._panel.add("reads")
        self._panel.add("bytes_read", reading.size)
        if reading.more:
            self._owe(connection)
        self._carry_out(connection, reading.actions)
        self._count(connection, connection.session.phase)
        if reading.ended:
            self._end(connection)
        elif reading.actions:
            self._extend(connection)
        return reading.size

    def _owe(self, connection: Connection) -> None:
        if not connection.owed:
            connection.owed = True
            (self._owed if connection.handed_over else self._knocking).append(connection)

    def _pass_on(self) -> None:
        """Hand what this turn brought to the stages behind: descriptors first, then what refers to them."""
        while self._handovers:
            connection = self._handovers[0]
            if not self._stages.hand_over(connection.id, connection.fileno):
                break
            self._handovers.popleft()
        if self._turn and not self._handovers and self._stages.submit(self._turn):
            self._turn = []
        self._set_accepting(not self._stalled and time.monotonic() >= self._accept_again)

    def _close_ended(self) -> None:
        # A descriptor that is still to be handed over stays open; it is closed in the turn in which it was.
        if self._closing and not self._handovers:
            for connection in self._closing:
                connection.sock.close()
            self._closing = []

    # --- connections ------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        for _ in range(ACCEPTS_A_TURN):
            try:
                sock, (host, *_) = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    log.warning("can't accept: %s; trying again in %s s", error.strerror, ACCEPT_PAUSE)
                    self._accept_again = time.monotonic() + ACCEPT_PAUSE
                    self._set_accepting(False)
                    return
                continue  # the client has given up already
            self._admit(sock, host)

    def _admit(self, sock: socket.socket, host: str) -> None:
        _prepare(sock)
        self._last_id += 1
        self._panel.add("accepted")
        deadline = time.monotonic() + HANDSHAKE_LIMIT
        connection = Connection(self._last_id, sock, host, self._new_session(), deadline)
        if not self._admission.enter(connection):
            connection.write(frame(alert("too_many_connections")))
            sock.close()
            return
        self._connections[connection.fileno] = connection
        self._count(connection, Phase.OPENED)
        self._remind(connection)
        self._epoll.register(sock, EDGES)
        while (oldest := self._admission.surplus()) is not None:
            self._end(oldest)

    def _carry_out(self, connection: Connection, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Submit(command):
                    if isinstance(command, Login):
                        self._admission.prove(connection)
                        connection.name = command.name
                        self._roster.arrive(connection.id, command.name)
                    elif isinstance(command, Status):
                        self._roster.set_away(connection.id, command.away)
                    elif isinstance(command, Say | Tell):
                        self._spoken = time.monotonic()
                    self._panel.add("commands")
                    stamps = first_stamps(command, self._woken)
                    self._turn.append(Asked(connection.id, time.time(), command, stamps))
                case Refuse(notice):
                    self._turn.append(Answered(connection.id, notice))
                case Answer(data):
                    connection.write(data)
                case Handover(keys):
                    connection.handed_over = True
                    self._handovers.append(connection)
                    self._turn.append(Arrived(connection.id, keys.peer, keys.sending))
                case Drop(code, sentence, plain):
                    self._drop(connection, Goodbye(code, sentence), plain)

    def _drop(self, connection: Connection, goodbye: Goodbye, plain: bytes = b"") -> None:
        """Tell the client why, through the worker if it has the sending side, and end the connection."""
        log.info("dropping %r: %s", connection, goodbye.code)
        if connection.handed_over:
            connection.closing = True
            connection.deadline = time.monotonic() + FAREWELL_LIMIT
            self._remind(connection)
            self._turn.append(Expelled(connection.id, goodbye))
        else:
            if plain:
                connection.write(plain)
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        """Unregister, shut down, tell the worker; the close comes at the end of the turn."""
        if self._connections.pop(connection.fileno, None) is None:
            return
        self._epoll.unregister(connection.fileno)
        self._count(connection, Phase.CLOSED)
        self._panel.add("ended")
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster
        if connection.handed_over:
            self._turn.append(Departed(connection.id))
        self._roster.depart(connection.id)
        self._admission.leave(connection)
        self._closing.append(connection)

    def _count(self, connection: Connection, phase: Phase) -> None:
        """Move a connection to `phase` in the figures, unless it has ended already."""
        if phase is not connection.counted and connection.counted is not Phase.CLOSED:
            if connection.counted is not None:
                self._panel.add(connection.counted.value, -1)
            if phase is not Phase.CLOSED:
                self._panel.add(phase.value)
            connection.counted = phase

    # --- time -------------------------------------------------------------------------------------------------

    def _remind(self, connection: Connection) -> None:
        heapq.heappush(self._timers, (connection.deadline, connection.id, connection.fileno))

    def _extend(self, connection: Connection) -> None:
        if connection.session.phase is Phase.NAMED and not connection.closing:
            connection.deadline = time.monotonic() + SILENCE_LIMIT

    def _expire(self, now: float) -> None:
        """End what is overdue. A heap entry is only a reminder: the connection's own deadline may have moved on."""
        while self._timers and self._timers[0][0] <= now:
            _, number, fileno = heapq.heappop(self._timers)
            connection = self._connections.get(fileno)
            if connection is None or connection.id != number:
                continue  # it has ended; the heap holds numbers so that it kept nothing alive
            if connection.deadline > now:
                self._remind(connection)
            elif connection.closing:
                self._end(connection)
            elif connection.session.phase is Phase.NAMED and connection.has_unread:
                # It wasn't silent, we were deaf: stopped, or busy with others. Reading moves the deadline on.
                self._owe(connection)
                heapq.heappush(self._timers, (now + RETRY, number, fileno))
            else:
                limit = "The connection was silent for too long; reconnect."
                self._drop(connection, Goodbye("silent", limit), frame(alert("silent")))

    def _set_accepting(self, accepting: bool) -> None:
        if accepting != self._accepting:
            self._accepting = accepting
            self._epoll.modify(self._listener, select.EPOLLIN if accepting else 0)


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # batches are made by us, not by Nagle
    # Keepalive probes only an idle connection; TCP_USER_TIMEOUT also bounds how long unsent data is retried
    # (tcp(7)), without which a cut cable keeps a busy connection for many minutes.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PROBE_AFTER)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_EVERY)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_000 * DEAD_LINK)
