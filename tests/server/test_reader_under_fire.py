"""The reader when what it serves dies, and when it was itself stopped for a while."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from chat.messages import Login, Ping
from server import reader as module
from server.admission import Admission
from server.parcels import Asked, Departed, Expelled, Intake
from tests.server.running_reader import Behind, Client, Running, new_listener
from tests.waiting import UNIT, wait_for


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running(new_listener(), Admission(0))
    yield running
    running.behind.full = False
    running.stop()


def do(running: Running, order: Callable[[], object]) -> None:
    """Have it done in the reader's thread, and wait until it is."""
    done = Event()
    running.call(lambda: (order(), done.set()))
    assert done.wait(5 * UNIT)


def pings(behind: Behind) -> int:
    return sum(isinstance(item.command, Ping) for item in [*behind.intake] if isinstance(item, Asked))


def test_a_watcher_replaced_in_the_same_turn_is_not_called_for_what_its_number_said_before(running: Running) -> None:
    called: list[str] = []
    first, first_end = socket.socketpair()
    second, second_end = socket.socketpair()
    silent, silent_end = socket.socketpair()
    number = second.fileno()

    def replace() -> None:
        """What the supervisor does when one process dies while another is dying: all are new afterwards."""
        called.append("first")
        running.reader.unwatch(first.fileno())
        running.reader.unwatch(number)
        second.close()
        os.dup2(silent.fileno(), number)  # as the kernel does for the next descriptor made
        running.reader.watch(number, lambda: called.append("the new one"))

    def both() -> None:  # in one turn, so that one poll reports both
        running.reader.watch(first.fileno(), replace)
        running.reader.watch(number, lambda: called.append("the old one"))
        first_end.close()
        second_end.close()

    do(running, both)
    wait_for(lambda: called, "the first is called")
    do(running, lambda: None)
    assert called == ["first"]
    do(running, lambda: running.reader.unwatch(number))
    os.close(number)
    for sock in (first, silent, silent_end):
        sock.close()


def test_whoever_spoke_while_the_reader_could_not_listen_is_not_silent(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [Client(running.address).shake_hands() for _ in range(40)]
    wait_for(lambda: running.behind.count(Asked) == 40, "everybody is in")
    monkeypatch.setattr(module, "TURN_SIZE", 1)  # one connection's data is all that a turn takes

    def sleep_through_the_limit() -> None:
        for client in clients:
            client.say(Ping("p"))
        for connection in running.reader.connections:
            connection.deadline = 0.0
            running.reader._remind(connection)

    do(running, sleep_through_the_limit)
    wait_for(lambda: pings(running.behind) == 40, "everybody is heard")
    assert (running.behind.count(Expelled), running.behind.count(Departed)) == (0, 0)


def test_when_everybody_comes_back_at_once_those_who_are_in_go_first(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "bob is in")
    strangers = [Client(running.address) for _ in range(40)]
    wait_for(lambda: running.figure("opened") == 40, "the others are at the door")
    answered: list[int] = []
    submit = running.behind.submit

    def look(turn: list[Intake]) -> bool:
        answered.append(running.figure("answered"))
        return submit(turn)

    def all_at_once() -> None:
        for client in strangers:
            client.knock()
        bob.say(Ping("p"))

    monkeypatch.setattr(running.behind, "submit", look)
    do(running, all_at_once)
    wait_for(lambda: pings(running.behind) == 1, "bob is heard")
    assert answered == [module.HANDSHAKES_A_TURN]
    wait_for(lambda: running.figure("answered") == 40, "all are answered")


def test_silence_is_still_noticed(running: Running) -> None:
    client = Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "bob is in")

    def pass_time() -> None:
        (connection,) = running.reader.connections
        connection.deadline = 0.0
        running.reader._remind(connection)

    do(running, pass_time)
    wait_for(lambda: running.behind.count(Expelled) == 1, "bob is dropped")
    client.sock.close()


def test_starting_over_while_stalled_frees_the_descriptors_first_and_keeps_handshakes(running: Running) -> None:
    known = [Client(running.address).shake_hands() for _ in range(3)]
    handshake = Client(running.address)
    wait_for(lambda: len([*running.reader.connections]) == 4 and running.behind.count(Asked) == 3, "all are there")
    running.behind.full = True
    for client in known:
        client.say(Ping("p"))
    wait_for(lambda: running.figure("stalls"), "the reader is stalled")
    descriptors, fresh = Path("/proc/self/fd"), Behind()

    def replace() -> None:
        before = len([*descriptors.iterdir()])
        running.reader.drop_logged_in()
        assert len([*descriptors.iterdir()]) <= before - 3, "the new stages need descriptors"
        running.reader.start_over(fresh)

    do(running, replace)
    assert [client.read_frame() for client in known] == [b"", b"", b""]
    handshake.shake_hands("late")
    wait_for(lambda: fresh.count(Asked) == 1, "the handshake went on")
    assert [item.command for item in fresh.intake if isinstance(item, Asked)] == [Login("late")]
    assert len(fresh.intake) == 2, "nothing is told of those before"
