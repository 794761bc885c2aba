#!/usr/bin/env python
"""Thousands of real clients in one process: they join, talk, and count what they get.

The clients are the same blocking `Connection` that everybody uses. `patch_all` makes its sockets, locks and sleeps
switch greenlets instead of waiting, so a thousand receivers are a thousand plain loops in one thread. It must come
before anything else is imported, for what has bound `socket.socket` or `time.sleep` by then keeps the blocking one.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import uuid  # noqa: E402
from contextlib import ExitStack  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import NoReturn  # noqa: E402

import gevent  # noqa: E402
from gevent.event import Event  # noqa: E402
from gevent.lock import BoundedSemaphore  # noqa: E402
from gevent.pool import Pool  # noqa: E402
from no_home import NoHome  # noqa: E402
from own_server import OwnServer  # noqa: E402
from tqdm import tqdm  # noqa: E402

from chat.messages import Join, Refused, RoomState, Said, Say  # noqa: E402
from client.config import Address, parse_address  # noqa: E402
from client.connection import Connection, new_label  # noqa: E402

WINDOW = 4
"""Messages that one client has on their way at most."""

AT_ONCE = 64
"""Handshakes under way at a time: each is some milliseconds of arithmetic on both sides."""

LINGER = 0.5
"""Seconds to listen on when all is there: a double would come now."""

STALLED = 20.0
"""Seconds without a single delivery after which what is missing counts as lost."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of what."""

    clients: int
    rooms: int
    messages: int


@dataclass(slots=True)
class Tally:
    """What all clients have seen; the one place that counts."""

    delivered: int = 0
    doubled: int = 0
    disordered: int = 0
    refused: int = 0
    dropped: int = 0


class Member:
    """One client: a greenlet that receives, and one that sends while the window allows."""

    def __init__(self, name: str, room: str, connection: Connection, tally: Tally) -> None:
        self.room = room
        self.texts: set[str] = set()
        self._name = name
        self._connection = connection
        self._tally = tally
        self._window = BoundedSemaphore(WINDOW)
        self._joined = Event()
        self._last = 0
        self._ending = False
        self._receiver = gevent.spawn(self._receive)

    def join(self) -> None:
        self._connection.send(Join(new_label(), self.room))
        if not self._joined.wait(60):
            raise SystemExit(f"{self._name} got no answer to its join within 60 s.")

    def talk(self, count: int) -> None:
        for number in range(count):
            self._window.acquire()
            try:
                self._connection.send(Say(new_label(), self.room, f"{self._name} says {number}"))
            except OSError:
                return  # the receiver counts it

    def close(self) -> None:
        self._ending = True
        self._connection.close()
        self._receiver.join()

    def _receive(self) -> None:
        for message in self._connection:
            match message:
                case Said():
                    self._count(message)
                case RoomState(room=self.room, last=last):
                    self._last = last
                    self._joined.set()
                case Refused():
                    self._tally.refused += 1
                    self._window.release()
        if not self._ending:
            self._tally.dropped += 1

    def _count(self, said: Said) -> None:
        if said.author == self._name:
            self._window.release()
        if said.text in self.texts:
            self._tally.doubled += 1
            return
        self.texts.add(said.text)
        if said.seq != self._last + 1:
            self._tally.disordered += 1
        self._last = max(self._last, said.seq)
        self._tally.delivered += 1


def main(argv: list[str] | None = None) -> int:
    chosen = _parse(argv)
    plan = Plan(chosen.clients, chosen.rooms, chosen.messages)
    _allow_files(plan.clients + 200)
    with ExitStack() as stack:
        if chosen.server is None:
            address: Address = stack.enter_context(OwnServer()).address
        else:
            address = chosen.server
        return run(plan, address)


def run(plan: Plan, address: Address) -> int:
    """Let the swarm loose on a server. 0 if every member got every message of its room once and in order."""
    mark, home, tally = uuid.uuid4().hex[:8], NoHome(), Tally()
    shares = [plan.messages // plan.clients + (n < plan.messages % plan.clients) for n in range(plan.clients)]
    in_room = [sum(shares[room :: plan.rooms]) for room in range(plan.rooms)]
    expected = sum(in_room[n % plan.rooms] for n in range(plan.clients))

    def enter(number: int) -> Member:
        name = f"s{mark}-{number}"
        connection = Connection.open(address, home=home, name=name)
        member = Member(name, f"swarm-{mark}-{number % plan.rooms}", connection, tally)
        stack.callback(member.close)
        member.join()
        joining.update()
        return member

    with ExitStack() as stack:
        began = time.monotonic()
        with tqdm(total=plan.clients, desc="join", unit=" clients") as joining:
            members: list[Member] = Pool(AT_ONCE).map(enter, range(plan.clients))
        joined = time.monotonic()
        talkers = [gevent.spawn(member.talk, share) for member, share in zip(members, shares, strict=True)]
        with tqdm(total=expected, desc="talk", unit=" deliveries", unit_scale=True) as progress:
            _watch(tally, expected, progress)
        talked = time.monotonic()
        gevent.sleep(LINGER)
        gevent.killall(talkers)
    lost = expected - tally.delivered
    print(f"{plan.clients} clients in {plan.rooms} rooms, {plan.messages} messages, {tally.delivered} deliveries")
    print(f"joined in {joined - began:.1f} s ({plan.clients / (joined - began):.0f}/s)", end=", ")
    print(f"talked for {talked - joined:.1f} s ({tally.delivered / (talked - joined):.0f} deliveries/s)")
    print(f"lost {lost}, doubled {tally.doubled}, out of order {tally.disordered}", end=", ")
    print(f"refused {tally.refused}, connections dropped {tally.dropped}")
    return int(any((lost, tally.doubled, tally.disordered, tally.refused, tally.dropped)))


def _watch(tally: Tally, expected: int, progress: "tqdm[NoReturn]") -> None:
    """Until all is delivered, or nothing more comes."""
    since = time.monotonic()
    while tally.delivered < expected:
        if time.monotonic() - since > (LINGER if tally.refused else STALLED):
            break  # what was refused will never come
        if tally.delivered != progress.n:
            progress.update(tally.delivered - progress.n)
            since = time.monotonic()
        gevent.sleep(0.02)
    progress.update(tally.delivered - progress.n)


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and count > hard:
        raise SystemExit(f"{count} open files are needed and the hard limit is {hard}; raise it with ulimit -Hn.")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Let a swarm of clients talk, and count what they get.")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rooms", type=int, default=50)
    parser.add_argument("--messages", type=int, default=20_000, help="in all, shared out among the clients")
    own = "default: one of its own, on loopback, in a temporary folder"
    parser.add_argument("--server", type=parse_address, metavar="HOST[:PORT]", help=own)
    chosen = parser.parse_args(argv)
    if min(chosen.clients, chosen.rooms, chosen.messages) < 1:
        parser.error("--clients, --rooms and --messages must be at least 1")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
