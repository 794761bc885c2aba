"""The reader's loop with real sockets in front and a list behind: edges, debts, pressure, limits."""

from __future__ import annotations

import fcntl
import socket
import sys
import termios
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from chat.frames import frame
from chat.messages import Login, Say
from chat.protocol import DEAD_LINK, PROBE_AFTER, PROBE_EVERY
from chat.secure import Initiator, new_private_key
from server import connection as connection_module
from server import reader as reader_module
from server.admission import Admission
from server.connection import READS_A_TURN
from server.parcels import Arrived, Asked, Departed, Expelled
from tests.server.running_reader import Behind, Client, Exhausted, Running, new_listener
from tests.waiting import wait_for


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running(new_listener(), Admission(0))
    yield running
    running.behind.full = False
    running.stop()


def says(count: int, size: int = 1_000) -> list[Say]:
    return [Say(f"s{number}", "r", f"{number} ".ljust(size, "x")) for number in range(count)]


def unread(running: Running) -> int:
    """Bytes that the kernel holds for the one connection."""
    (connection,) = running.reader.connections
    return int.from_bytes(fcntl.ioctl(connection.sock, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_turns_that_bring_messages_keep_their_distance(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "MODERATION", 0.2)
    client = Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "the login has come")
    before, commands = running.behind.turns, says(40)
    for command in commands:
        client.say(command)
    wait_for(lambda: len(running.behind.texts()) == len(commands), "all have come")
    assert running.behind.texts() == [command.text for command in commands]
    assert running.behind.turns - before < len(commands) / 4  # 1 or 2, unless this machine stood still meanwhile


def test_what_wakes_the_reader_while_it_ought_to_rest_is_heeded_afterwards(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edge has been told by then, and won't be again."""
    monkeypatch.setattr(reader_module, "MODERATION", 0.5)
    alice, bob = (Client(running.address).shake_hands(name) for name in ("alice", "bob"))
    wait_for(lambda: running.behind.count(Asked) == 2, "the logins have come")
    alice.say(Say("1", "r", "starts the rest"))
    wait_for(running.behind.texts, "it has come")
    bob.say(Say("2", "r", "comes within it"))
    wait_for(lambda: running.behind.texts() == ["starts the rest", "comes within it"], "it has come too")


def test_what_is_left_after_a_fair_share_is_owed_and_read_without_a_new_edge(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "READ_SIZE", 4_096)
    client = Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "the login has come")
    running.behind.full = True
    commands = says(41)
    client.say(commands[0])
    wait_for(lambda: running.figure("stalls"), "the reader has stopped reading")
    client.say(*commands[1:])
    wait_for(lambda: unread(running) > 40_000, "all the rest waits in the socket: no edge is to come")
    reads = running.figure("reads")
    running.behind.full = False
    wait_for(lambda: len(running.behind.texts()) == len(commands), "all of it has come")
    assert running.behind.texts() == [command.text for command in commands]
    assert running.figure("reads") - reads >= 40_000 // (4_096 * READS_A_TURN)  # in so many turns


def test_a_full_stage_stops_the_reading_and_an_empty_one_lets_it_go_on(running: Running) -> None:
    client = Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "the login has come")
    running.behind.full = True
    client.say(says(1)[0])
    stalls = wait_for(lambda: running.figure("stalls"), "the reader has stopped reading")
    client.say(*says(50)[1:])
    wait_for(lambda: running.figure("stalls") > stalls + 3, "it tries again and again")
    assert running.figure("commands") == 2 and running.behind.texts() == []
    running.behind.full = False
    wait_for(lambda: len(running.behind.texts()) == 50, "everything has come, in order, and no edge was needed")
    assert running.behind.texts() == [command.text for command in says(50)]


def test_data_and_hang_up_in_one_edge_lose_nothing(running: Running) -> None:
    client = Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "the login has come")
    running.behind.full = True
    client.say(says(1)[0])
    wait_for(lambda: running.figure("stalls"), "the reader has stopped reading")
    client.say(*says(20)[1:])
    client.sock.close()
    running.behind.full = False
    wait_for(lambda: running.behind.count(Departed), "the end is noticed")
    assert len(running.behind.texts()) == 20
    assert running.behind.log[-1].startswith("Departed")


def test_the_descriptor_goes_before_what_names_it(running: Running) -> None:
    for _ in range(3):
        Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 3, "all three have logged in")
    for number in (1, 2, 3):
        log = running.behind.log
        assert log.index(f"descriptor {number}") < log.index(f"Arrived {number}") < log.index(f"Asked {number}")


def test_a_descriptor_that_is_still_to_be_handed_over_stays_open(running: Running) -> None:
    """Were it closed, the worker would be given whoever got its number next."""
    client = Client(running.address)
    initiator = Initiator(new_private_key(), None, lambda key: None)
    client.sock.sendall(frame(initiator.hello()))
    proof = initiator.answer(client.read_frame())
    released = threading.Event()
    running.call(lambda: released.wait(20))
    running.behind.full = True
    client.sock.sendall(frame(proof))
    client.sock.close()
    released.set()  # proof and hang-up are met in one turn, and nothing can be handed over in it
    wait_for(lambda: running.figure("stalls"), "the reader has stopped reading")
    running.behind.full = False
    wait_for(lambda: running.behind.count(Departed), "it was handed over, then ended")
    assert running.behind.log == ["descriptor 1", "Arrived 1", "Departed 1"]


def test_numbers_are_never_used_again_however_fast_descriptors_are(running: Running) -> None:
    for _ in range(100):
        Client(running.address).shake_hands().sock.close()
    wait_for(lambda: running.behind.count(Departed) == 100, "all have come and gone")
    arrived = [item.connection for item in running.behind.intake if isinstance(item, Arrived)]
    departed = [item.connection for item in running.behind.intake if isinstance(item, Departed)]
    assert arrived == sorted(set(arrived)) and sorted(departed) == arrived
    assert list(running.reader.connections) == []


def test_without_descriptors_the_listener_rests_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "ACCEPT_PAUSE", 0.05)
    listener = Exhausted(new_listener(), refusals=3)
    running = Running(listener, Admission(0))
    Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "it was let in after all")
    assert all(later - sooner > 0.04 for sooner, later in pairwise(listener.tries[:4]))  # no busy loop
    running.stop()


def test_who_says_nothing_is_told_so_and_ended(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "HANDSHAKE_LIMIT", 0.05)
    assert Client(running.address).fault().code == "silent"
    wait_for(lambda: not list(running.reader.connections), "nothing of it is left")
    assert running.behind.intake == []


def test_who_is_idle_after_the_login_is_told_so_by_the_worker(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("HANDSHAKE_LIMIT", "SILENCE_LIMIT", "FAREWELL_LIMIT"):
        monkeypatch.setattr(reader_module, limit, 0.3)
    client = Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Departed), "the connection has ended")
    assert running.behind.count(Asked) == 1
    (expelled,) = (item for item in running.behind.intake if isinstance(item, Expelled))
    assert getattr(expelled.notice, "code", "") == "silent"
    assert client.read_frame() == b""  # the reader itself wrote nothing: the worker has the sending side


def test_one_address_has_a_limit() -> None:
    running = Running(new_listener(), Admission(2))
    clients = [Client(running.address) for _ in range(3)]
    assert clients[2].fault().code == "too_many_connections"
    clients[0].sock.close()
    wait_for(lambda: running.figure("ended") == 1, "one has gone")
    Client(running.address).shake_hands()
    wait_for(lambda: running.behind.count(Asked) == 1, "there is room again")
    running.stop()


def test_after_a_stage_died_its_connections_are_dropped_and_handshakes_go_on(running: Running) -> None:
    known, new = Client(running.address).shake_hands("alice"), Client(running.address)
    wait_for(lambda: running.behind.count(Asked) == 1, "alice is known to the stages behind")
    after = Behind()
    running.call(lambda: running.reader.start_over(after))
    assert known.read_frame() == b""  # she was shut down, and will come back by herself
    new.shake_hands("bob")
    wait_for(lambda: after.count(Asked) == 1, "bob's handshake went on")
    assert [item.command for item in after.intake if isinstance(item, Asked)] == [Login("bob")]
    assert after.count(Departed) == 0  # the new stages never knew alice


def test_a_cut_cable_is_noticed_whether_something_is_under_way_or_not() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        reader_module._prepare(accepted)
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)  # asks only while nothing is unsent
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == PROBE_AFTER
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == PROBE_EVERY
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1_000 * DEAD_LINK  # the other case
