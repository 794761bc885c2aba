"""Workloads for the chat server alone: how its costs grow, and what it does that others don't."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

from tqdm import tqdm

from chat.messages import Joined, Page, Said
from chat.protocol import HEARTBEAT
from chat.rooms import Claimed
from scripts.benchmark import servers
from scripts.benchmark.crowd import EVENTS, PATIENCE, Crowd, Heartbeats, crowd, enter
from scripts.benchmark.members import ROOM, ChatMember, numbers_in, text_of
from scripts.benchmark.receiver import Failed, Receiver
from scripts.benchmark.servers import Running
from scripts.benchmark.workloads import IN_FLIGHT, STARTERS, Size
from server.store import Store

NEWCOMERS = 200
"""Connections a second in a storm."""

PER_ROOM = 10
"""Members of each of many rooms."""


def growth(name: str, size: Size) -> dict[str, float]:
    """What a delivery costs in one room of 100, 1,000 and 10,000, saturated."""
    return {f"{members:,} members: CPU µs a delivery": _cost(name, members, size) for members in size.growing}


def _cost(name: str, members: int, size: Size) -> float:
    with STARTERS[name]() as server, crowd(name, server.port, members) as people:
        people.saturate(size.seconds / 5, IN_FLIGHT)
        received, cpu = people.received, server.cpu_seconds()
        people.saturate(size.seconds, IN_FLIGHT)
        return 1e6 * (server.cpu_seconds() - cpu) / (people.received - received)


def rooms(name: str, size: Size) -> dict[str, float]:
    """What a delivery costs with 1, 100 and 1,000 rooms of ten, 64 messages in flight over all of them."""
    return {f"{count:,} rooms of {PER_ROOM}: CPU µs a delivery": _rooms_cost(name, count, size) for count in size.rooms}


def _rooms_cost(name: str, count: int, size: Size) -> float:
    with STARTERS[name]() as server:
        houses = Rooms(server.port, count)
        houses.saturate(size.seconds / 5)
        received, cpu = houses.received, server.cpu_seconds()
        houses.saturate(size.seconds)
        cost = 1e6 * (server.cpu_seconds() - cpu) / (houses.received - received)
        houses.close()
        return cost


class Rooms:
    """`count` rooms of ten; the first member of each speaks, in turn, and all check what they get."""

    def __init__(self, port: int, count: int) -> None:
        self.sent = self.received = 0
        self._members: list[ChatMember] = []
        self._speakers: deque[tuple[ChatMember, Iterator[int]]] = deque()
        self._receiver = Receiver()
        self._heartbeats = Heartbeats()
        for room in range(count):
            members = [ChatMember(port, room * PER_ROOM + number) for number in range(PER_ROOM)]
            for member in members:
                member.room = f"room-{room}"
            enter(members[:1])  # it is told of those who join, before it counts
            enter(members[1:])
            self._speakers.append((members[0], itertools.count(1)))
            for member in members:
                self._members.append(member)
                self._receiver.add(member.sock, member.stream())
                self._heartbeats.add(member)
            self._heartbeats.beat()

    def saturate(self, seconds: float) -> None:
        """Keep 64 messages under way, each in another room, then wait for all of them."""
        end = time.perf_counter() + seconds
        progress = time.perf_counter()
        while time.perf_counter() < end or self.received < self.sent * PER_ROOM:
            while time.perf_counter() < end and self.sent - self.received // PER_ROOM < IN_FLIGHT:
                self._send()
            self._heartbeats.beat()
            deliveries = self._receiver.turn(0.05, EVENTS)
            self.received += deliveries
            if deliveries:
                progress = time.perf_counter()
            elif time.perf_counter() - progress > PATIENCE:
                raise Failed(f"{self.sent * PER_ROOM - self.received} deliveries are missing")

    def close(self) -> None:
        self._receiver.close()
        for member in self._members:
            member.sock.close()

    def _send(self) -> None:
        speaker, numbers = self._speakers[0]
        self._speakers.rotate(-1)
        speaker.sock.sendall(speaker.message(text_of(next(numbers), time.perf_counter_ns())))
        self.sent += 1


def standing(name: str, size: Size) -> dict[str, float]:
    """Many idle connections: what they cost in memory and, with their pings, in CPU."""
    with STARTERS[name]() as server:
        empty = server.memory()
        with crowd(name, server.port, size.standing) as people:
            cpu, begun = server.cpu_seconds(), time.perf_counter()
            people.idle(HEARTBEAT)  # in which each pings once
            core = (server.cpu_seconds() - cpu) / (time.perf_counter() - begun)
            return {
                f"{size.standing:,} idle: KB a connection": (server.memory() - empty) / size.standing / 1024,
                f"{size.standing:,} idle, each with a ping every {HEARTBEAT:.0f} s: % of a core": 100 * core,
            }


def storm(name: str, size: Size) -> dict[str, float]:
    """The p99 of a room with 50 messages a second, alone and while 200 others a second connect, log in and join."""
    with STARTERS[name]() as server, crowd(name, server.port, size.few) as people:
        people.pace(1.0, 50)
        calm = _p99(people, size.seconds)
        spawn = multiprocessing.get_context("spawn")
        under_way = spawn.Event()
        newcomers = spawn.Process(target=come, args=(server.port, size.standing, under_way))
        newcomers.start()
        while not under_way.wait(0.02):  # what a Python's start costs is not the server's
            if not newcomers.is_alive():
                raise Failed("the newcomers have died")
            people.idle(0.02)
        stormy = _p99(people, size.seconds)
        newcomers.terminate()
        newcomers.join()
        return {"busy room: p99 ms": calm, f"busy room, {NEWCOMERS} set-ups/s beside it: p99 ms": stormy}


def _p99(people: Crowd, seconds: float) -> float:
    people.pace(seconds, 50, timed=True)
    return statistics.quantiles(people.take_latencies(), n=100)[98] / 1e6


def come(port: int, count: int, under_way: Event) -> None:
    """Connect `count` members of another room, and stay. In a process of its own, which gives way to the others: what
    newcomers do for themselves is done on machines of their own elsewhere."""
    os.nice(10)
    staying = []
    begun = time.perf_counter()
    for first in range(100_000, 100_000 + count, 8):
        members = [ChatMember(port, number) for number in range(first, first + 8)]
        for member in members:
            member.room = "others"
        enter(members)
        staying += members
        under_way.set()
        time.sleep(max(0.0, begun + len(staying) / NEWCOMERS - time.perf_counter()))
    time.sleep(60)


def history(name: str, size: Size) -> dict[str, float]:
    """A server with a long history: how long it takes to start, and to give a page from anywhere in it."""
    with tempfile.TemporaryDirectory() as folder:
        _write_history(Path(folder) / "chat.db", size.history)
        begun = time.perf_counter()
        with servers.chat(data=Path(folder)) as server:
            started = time.perf_counter() - begun
            pages = sorted(_pages(server, size.history))
    return {
        f"{size.history:,} messages: start, s": started,
        f"{size.history:,} messages: a page, p50 ms": 1e3 * statistics.median(pages),
        f"{size.history:,} messages: a page, p99 ms": 1e3 * pages[int(len(pages) * 0.99)],
    }


def _write_history(path: Path, count: int) -> None:
    """`count` messages in one room, written as the journal does."""
    store = Store(path)
    store.commit(store.place([Claimed(1.0, "author", bytes(32)), Joined(ROOM, 1, 1.0, "author", "join")]))
    for first in tqdm(range(1, count + 1, 4096), unit="batch", disable=not sys.stderr.isatty()):
        numbers = range(first, min(first + 4096, count + 1))
        said = [Said(ROOM, seq, 1e9 + seq, "author", f"{seq}", text_of(seq, seq)) for seq in numbers]
        store.commit(store.place(said))
    store.close()


def _pages(server: Running, count: int) -> Iterator[float]:
    """Seconds from asking for a page to having the whole of it, for pages anywhere in the history."""
    member = ChatMember(server.port, 1)
    enter([member])
    chance = random.Random(1)
    for number in range(500):
        before = chance.randrange(51, count)
        begun = time.perf_counter()
        member.sock.sendall(member.ask(Page(f"{number}", ROOM, before)))
        got: list[int] = []
        while not got or got[-1] != before - 1:
            got += numbers_in(member.receive())
        yield time.perf_counter() - begun
        if got != list(range(before - 50, before)):
            raise Failed(f"a page before {before} holds {got}")
    member.sock.close()
