"""The three habits that the design stands on, seen from the kernel's side.

Connections are watched edge-triggered; what members get is written in the Pool's workers; and no message is sent
before the fsync that makes it last has returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chat.messages import Join, RoomState, Said, Say, Statistics, Stats
from chat.values import Figure
from client.connection import Connection, Incoming
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.system_calls import Call, Record, recorded

MESSAGES = 10
LONG = 5_000
"""Bytes of text in each message: calls that move more are about messages, whatever else is sent."""

CALLS = ["epoll_ctl", "recvfrom", "sendto", "sendmsg", "write", "writev", "fsync", "fdatasync"]


@dataclass(frozen=True, slots=True)
class Run:
    """Two people in one room, on connections of two workers; alice has said `MESSAGES` things, one after the other."""

    record: Record
    reader: int
    journal: int
    workers: tuple[int, int]

    def long_sends(self) -> list[Call]:
        calls = self.record.named("sendto", "sendmsg", "write", "writev")
        return [call for call in calls if call.on_tcp and call.result > LONG]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("syscalls")
    with ServerProcess(folder / "data", "--rate", "0", "--workers", "2") as server:
        people = People(folder / "people", server.where)
        with recorded(server.processes(), CALLS, folder / "strace") as record:
            figures = talk(server, people)
        pids = {figure.name: figure.value for figure in figures}
        assert pids["reader.pid"] == server.pid
        workers = (pids["worker 0.pid"], pids["worker 1.pid"])
        yield Run(record, pids["reader.pid"], pids["journal.pid"], workers)


def talk(server: ServerProcess, people: People) -> tuple[Figure, ...]:
    alice = Connection.open(server.address, home=people.home("alice"), name="alice")
    bob = Connection.open(server.address, home=people.home("bob"), name="bob")
    with alice, bob:
        heard = {connection: iter(connection) for connection in (alice, bob)}
        for connection in (alice, bob):
            connection.send(Join("join", "room"))
            until(heard[connection], RoomState)
        for number in range(MESSAGES):
            alice.send(Say(f"label{number}", "room", "x" * LONG))
            for connection in (alice, bob):
                until(heard[connection], Said)
        alice.send(Stats("figures"))
        answer = until(heard[alice], Statistics)
        assert isinstance(answer, Statistics)
        return answer.figures


def until(heard: Iterator[Incoming], kind: type) -> Incoming:
    return next(message for message in heard if isinstance(message, kind))


def test_connections_are_watched_edge_triggered_once_for_reading_and_once_for_writing(run: Run) -> None:
    watches = [call for call in run.record.named("epoll_ctl") if call.on_tcp and "EPOLL_CTL_DEL" not in call.arguments]
    connections = [call for call in watches if re.search(r"<TCP:\[[^]]*->", call.arguments)]
    reading = [call for call in connections if call.process == run.reader]
    writing = [call for call in connections if call.process in run.workers]
    assert len(reading) == len(writing) == 2
    assert len(connections) == 4  # so none is ever changed: edges need no switching on and off
    for call in connections:
        assert "EPOLL_CTL_ADD" in call.arguments and "EPOLLET" in call.arguments
    assert all("EPOLLIN|" in call.arguments and "EPOLLRDHUP" in call.arguments for call in reading)
    assert all("EPOLLOUT|" in call.arguments for call in writing)


def test_what_members_get_is_written_by_the_pools_workers(run: Run) -> None:
    sends = run.long_sends()
    assert len(sends) == 2 * MESSAGES
    assert [call.process for call in sends].count(run.workers[0]) == MESSAGES
    assert [call.process for call in sends].count(run.workers[1]) == MESSAGES
    own = [call for call in run.record.named("sendto", "write") if call.on_tcp and call.process == run.reader]
    assert len(own) == 2  # the server's half of each handshake, before a worker has the connection


def test_the_fsync_returns_before_the_first_send_of_a_batch(run: Run) -> None:
    came = [call for call in run.record.named("recvfrom") if call.process == run.reader and call.result > LONG]
    synced = [call for call in run.record.named("fsync", "fdatasync") if call.process == run.journal]
    assert len(came) == MESSAGES
    synced = [call for call in synced if "chat.db-wal" in call.arguments]  # and its folder once, when it is new
    assert all(call.result == 0 for call in synced)
    for number, arrival in enumerate(came):
        sends = run.long_sends()[2 * number : 2 * number + 2]
        assert any(arrival.ended < sync.begun and sync.ended < min(send.begun for send in sends) for sync in synced)


def test_the_record_is_of_all_processes(run: Run) -> None:
    assert {call.process for call in run.record.calls} >= {run.reader, run.journal, *run.workers}
