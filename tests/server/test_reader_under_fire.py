"""The reader's loop on real sockets in this process, with stages that only note what they get."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat import secure
from chat.codec import encode
from chat.frames import Cutter, frame
from chat.messages import Login, Ping
from server import reader as module
from server.admission import Admission
from server.gate import Gate
from server.gauges import Gauges
from server.parcels import Arrived, Asked, Departed, Expelled, Intake
from server.reader import Reader
from server.roster import Roster
from server.session import Session
from tests.waiting import UNIT, wait_for

PRIVATE = secure.new_private_key()


class Notes:
    """Stages that take everything while `open`."""

    def __init__(self) -> None:
        self.open = True
        self.got: list[Intake] = []

    def hand_over(self, connection: int, fileno: int) -> bool:
        return self.open

    def submit(self, turn: list[Intake]) -> bool:
        if self.open:
            self.got += turn
        return self.open


class Peer:
    """A client's side without a client: one socket, blocking."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=5 * UNIT)
        initiator = secure.Initiator(secure.new_private_key(), None, lambda key: None)
        self.sock.sendall(frame(initiator.hello()))
        cutter = Cutter()
        while not (frames := cutter.feed(self.sock.recv(1000))):
            pass
        self.sock.sendall(frame(initiator.answer(frames[0])))
        assert initiator.keys is not None
        self._cipher = secure.SendingHalf(initiator.keys.sending)

    def send(self, *commands: Login | Ping) -> None:
        self.sock.sendall(frame(self._cipher.encrypt(b"".join(map(encode, commands)))))


class Served:
    """A reader in a thread; `do` runs something in its loop."""

    def __init__(self, gauges: Gauges) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.address = listener.getsockname()
        self.notes = Notes()
        self.reader = Reader(
            listener, lambda: Session(PRIVATE, None, Gate(0)), Admission(0), Roster(), gauges.panel("reader")
        )
        self._door, self._bell = socket.socketpair()
        self.reader.watch(self._door.fileno(), self._answer)
        self._orders: list[object] = []
        self._thread = threading.Thread(target=self.reader.run, args=(self.notes,), daemon=True)
        self._thread.start()

    def do(self, order: object) -> None:
        done = threading.Event()
        self._orders.append(lambda: (order(), done.set()))  # type: ignore[operator]
        self._bell.send(b"x")
        assert done.wait(5 * UNIT)

    def close(self) -> None:
        self.do(self.reader.stop)
        self._thread.join(5 * UNIT)
        self.reader.close()
        self._door.close()
        self._bell.close()

    def _answer(self) -> None:
        self._door.recv(1)
        self._orders.pop(0)()  # type: ignore[operator]


@pytest.fixture
def served() -> Iterator[Served]:
    gauges = Gauges.create(f"chat-test-{secrets.token_hex(6)}")
    served = Served(gauges)
    yield served
    served.close()
    gauges.close(remove=True)


def asked(notes: Notes) -> list[str]:
    return [getattr(item.command, "label", "login") for item in [*notes.got] if isinstance(item, Asked)]


def test_a_watcher_replaced_in_the_same_turn_is_not_called_for_what_its_number_said_before(served: Served) -> None:
    called: list[str] = []
    first, first_end = socket.socketpair()
    second, second_end = socket.socketpair()
    silent, silent_end = socket.socketpair()
    number = second.fileno()

    def replace() -> None:
        """What the supervisor does when one process dies while another is dying: all are new afterwards."""
        called.append("first")
        served.reader.unwatch(first.fileno())
        served.reader.unwatch(number)
        second.close()
        os.dup2(silent.fileno(), number)  # as the kernel does for the next descriptor made
        served.reader.watch(number, lambda: called.append("the new one"))

    def both() -> None:  # in one turn, so that one poll reports both
        served.reader.watch(first.fileno(), replace)
        served.reader.watch(number, lambda: called.append("the old one"))
        first_end.close()
        second_end.close()

    served.do(both)
    wait_for(lambda: called, "the first is called")
    served.do(lambda: None)
    assert called == ["first"]
    served.do(lambda: served.reader.unwatch(number))
    os.close(number)
    for sock in (first, silent, silent_end):
        sock.close()


def test_whoever_spoke_while_the_reader_could_not_listen_is_not_silent(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = [Peer(served.address) for _ in range(40)]
    for peer in peers:
        peer.send(Login("bob"))
    wait_for(lambda: asked(served.notes) == ["login"] * 40, "everybody is in")
    monkeypatch.setattr(module, "TURN_SIZE", 1)  # one connection's data is all that a turn takes

    def sleep_through_the_limit() -> None:
        for peer in peers:
            peer.send(Ping("p"))
        for connection in served.reader.connections:
            connection.deadline = 0.0
            served.reader._remind(connection)

    served.do(sleep_through_the_limit)
    wait_for(lambda: asked(served.notes).count("p") == 40, "everybody is heard")
    assert not [item for item in served.notes.got if isinstance(item, (Expelled, Departed))]
    for peer in peers:
        peer.sock.close()


def test_silence_is_still_noticed(served: Served) -> None:
    peer = Peer(served.address)
    peer.send(Login("bob"))
    wait_for(lambda: asked(served.notes) == ["login"], "bob is in")

    def pass_time() -> None:
        (connection,) = served.reader.connections
        connection.deadline = 0.0
        served.reader._remind(connection)

    served.do(pass_time)
    (expelled,) = wait_for(lambda: [i for i in served.notes.got if isinstance(i, Expelled)], "bob is dropped")
    assert expelled.notice.code == "silent"  # type: ignore[union-attr]
    peer.sock.close()


def test_starting_over_while_stalled_ends_who_was_handed_over_and_keeps_handshakes(served: Served) -> None:
    peers = [Peer(served.address) for _ in range(3)]
    handshake = socket.create_connection(served.address, timeout=5 * UNIT)
    wait_for(lambda: len(list(served.reader.connections)) == 4, "all are accepted")
    served.notes.open = False
    for peer in peers:
        peer.send(Login("bob"))
    wait_for(lambda: served.reader._stalled, "the reader is stalled")
    descriptors = Path("/proc/self/fd")
    fresh = Notes()

    def replace() -> None:
        before = len(list(descriptors.iterdir()))
        served.reader.drop_logged_in()
        assert len(list(descriptors.iterdir())) <= before - 3, "the new stages need descriptors"
        served.reader.start_over(fresh)

    served.do(replace)
    assert [peer.sock.recv(1) for peer in peers] == [b"", b"", b""]
    handshake.sendall(frame(secure.Initiator(secure.new_private_key(), None, lambda key: None).hello()))
    assert len(handshake.recv(1000)) > 90, "the handshake goes on"
    late = Peer(served.address)
    late.send(Login("late"))
    wait_for(lambda: asked(fresh) == ["login"], "the late one is in")
    assert [type(item) for item in fresh.got] == [Arrived, Asked], "and nothing is told of those before"
    for sock in [handshake, late.sock, *(peer.sock for peer in peers)]:
        sock.close()
