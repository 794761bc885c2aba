"""`Connection` against servers that misbehave: in-test peers on loopback sockets that follow a script."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from chat import secure
from chat.codec import decode, encode
from chat.frames import Cutter, frame
from chat.messages import Goodbye, Join, Login, Message, Ping, Pong, Unknown, Welcome
from chat.messages import Refused as RefusedNotice
from chat.protocol import DEAD_LINK, PROBE_AFTER
from client import connection as module
from client.connection import Address, Connection
from client.failures import Failure, KeyChanged, Refused, Unreachable
from client.home import Home
from tests.waiting import UNIT

LIMIT = 10 * UNIT


class Peer:
    """The server's side of one connection, without any server: reads frames, answers as the test says."""

    def __init__(self, sock: socket.socket, private_key: bytes, psk: bytes | None) -> None:
        self.sock = sock
        self._responder = secure.Responder(private_key, psk)
        self._cutter = Cutter()
        self._frames: list[bytes] = []

    def frame(self) -> bytes:
        while not self._frames:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError
            self._frames = self._cutter.feed(data)
        return self._frames.pop(0)

    def shake_hands(self) -> None:
        self.sock.sendall(frame(self._responder.answer(self.frame())))
        keys = self._responder.finish(self.frame())
        self.sending, self.receiving = secure.SendingHalf(keys.sending), secure.ReceivingHalf(keys.receiving)

    def read(self) -> list[Message | Unknown]:
        return list(decode(self.receiving.decrypt(self.frame())))

    def write(self, *messages: Message) -> None:
        self.sock.sendall(frame(self.sending.encrypt(b"".join(map(encode, messages)))))

    def welcome(self) -> None:
        self.shake_hands()
        assert isinstance(self.read()[0], Login)
        self.write(Welcome("bob", "den", 0.0, 0))


PRIVATE = secure.new_private_key()


@contextmanager
def served(script: Callable[[Peer], None], psk: bytes | None = None) -> Iterator[Address]:
    """A server that accepts one connection and follows `script`; what goes wrong in there fails the test."""
    trouble: list[BaseException] = []

    def serve() -> None:
        try:
            sock, _ = listener.accept()
            sock.settimeout(LIMIT)
            with closing(sock):
                script(Peer(sock, PRIVATE, psk))
        except BaseException as error:
            trouble.append(error)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(LIMIT)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[:2]
        thread.join(LIMIT)
    assert not thread.is_alive()
    if trouble:
        raise trouble[0]


def open_as_bob(address: Address, tmp_path: Path, **options: object) -> Connection:
    return Connection.open(address, home=Home(tmp_path), name="bob", **options)  # type: ignore[arg-type]


def wait_for_hangup(peer: Peer) -> None:
    while True:
        try:
            peer.frame()
        except OSError:
            return


def test_what_comes_with_the_welcome_is_not_lost(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.shake_hands()
        peer.read()
        peer.write(Welcome("bob", "den", 0.0, 0), Pong("1"), Pong("2"))
        peer.write(Pong("3"))

    with served(script) as address, open_as_bob(address, tmp_path) as connection:
        assert connection.welcome.name == "bob"
        assert list(connection) == [Pong("1"), Pong("2"), Pong("3")]
        assert connection.ended == "The server closed the connection."
    assert Home(tmp_path).known_servers()[f"{address[0]}:{address[1]}"]["name"] == "den"


def test_a_break_in_the_middle_of_a_frame_loses_nothing(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.welcome()
        peer.write(Pong("1"), Pong("2"), Pong("3"))

    with served(script) as address, open_as_bob(address, tmp_path) as connection:
        assert [next(iter(connection)) for _ in range(2)] == [Pong("1"), Pong("2")]
        assert list(connection) == [Pong("3")]


def test_the_servers_farewell_is_kept(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.welcome()
        peer.write(Goodbye("stopping", "Back soon."))

    with served(script) as address, open_as_bob(address, tmp_path) as connection:
        assert list(connection) == [Goodbye("stopping", "Back soon.")]
        assert connection.goodbye == Goodbye("stopping", "Back soon.")
        assert connection.ended == "Back soon."


@pytest.mark.parametrize("number", secure.ALERTS)
def test_each_alert_is_a_refusal_of_its_own(number: int, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.frame()
        peer.sock.sendall(frame(bytes([number])))

    with served(script) as address, pytest.raises(Refused) as caught:
        open_as_bob(address, tmp_path)
    assert (caught.value.code, str(caught.value)) == secure.ALERTS[number]
    assert caught.value.status == 4


@pytest.mark.parametrize("answer", [RefusedNotice("", "too_fast", "Wait."), Goodbye("name_taken", "No.")])
def test_a_refused_login(answer: Message, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.shake_hands()
        peer.read()
        peer.write(answer)

    with served(script) as address, pytest.raises(Refused):
        open_as_bob(address, tmp_path)
    assert Home(tmp_path).known_servers() == {}, "the key of a server that refuses isn't trusted yet"


def test_a_wrong_passphrase_is_told_after_the_proof(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        with pytest.raises(secure.PeerFault) as caught:
            peer.shake_hands()
        peer.sock.sendall(frame(secure.alert(caught.value.code)))
        wait_for_hangup(peer)

    with served(script, secure.psk_of("right")) as address, pytest.raises(Refused) as caught:
        open_as_bob(address, tmp_path, passphrase="wrong")
    assert caught.value.code == "passphrase_wrong"


def test_a_changed_key_is_noticed_before_our_own_is_shown(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.sock.sendall(frame(peer._responder.answer(peer.frame())))
        try:
            heard.append(peer.frame())
        except OSError:
            pass

    with served(script) as address:
        Home(tmp_path).remember_server(f"{address[0]}:{address[1]}", b"k" * 32, "den")
        with pytest.raises(KeyChanged):
            open_as_bob(address, tmp_path)
    assert heard == []


@pytest.mark.parametrize(
    "greeting", [b"", b"\0\0", b"\0\1\0", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\x60" + b"\0" * 96]
)
def test_a_server_of_another_kind_is_a_failure_not_a_crash(greeting: bytes, tmp_path: Path) -> None:
    with served(lambda peer: peer.sock.sendall(greeting)) as address, pytest.raises(Failure):
        open_as_bob(address, tmp_path)


def test_garbage_under_a_good_cipher_ends_the_connection_with_a_reason(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.welcome()
        peer.sock.sendall(frame(peer.sending.encrypt(b"\xc1garbage")))
        wait_for_hangup(peer)

    with served(script) as address, open_as_bob(address, tmp_path) as connection:
        assert list(connection) == []
        assert "msgpack" in connection.ended


@pytest.mark.parametrize("steps", ["accept", "hello", "proof"])
def test_a_silent_server_is_given_up_within_the_limit(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_LIMIT", 0.3 * UNIT)

    def script(peer: Peer) -> None:
        if steps == "hello":
            peer.frame()
        if steps == "proof":
            peer.shake_hands()
            peer.read()
        wait_for_hangup(peer)

    with served(script) as address, pytest.raises(Unreachable, match="broke off the login"):
        open_as_bob(address, tmp_path, heartbeat=0.05)


def test_a_server_that_drips_does_not_outlast_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_LIMIT", 0.3 * UNIT)

    def script(peer: Peer) -> None:
        stop = threading.Event()
        peer.sock.sendall(b"\xff\xff")
        try:
            while not stop.wait(0.02):
                peer.sock.sendall(b"x")
        except OSError:
            pass

    with served(script) as address, pytest.raises(Unreachable):
        open_as_bob(address, tmp_path)


@pytest.mark.parametrize("heartbeat", [0.05 * UNIT, 60 * UNIT])
def test_silence_is_pinged_and_then_given_up(heartbeat: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener asks when the heartbeat is due, and whoever said something asks as soon as the answer is late."""
    monkeypatch.setattr(module, "DEAD", 0.3 * UNIT)
    monkeypatch.setattr(module, "EAGER", 0.1 * UNIT)
    heard: list[Message | Unknown] = []

    def script(peer: Peer) -> None:
        peer.welcome()
        with suppress(OSError):
            while True:
                heard.extend(peer.read())

    with served(script) as address, open_as_bob(address, tmp_path, heartbeat=heartbeat) as connection:
        if heartbeat > UNIT:
            connection.send(Join("j", "lobby"))
        assert list(connection) == []
        assert connection.ended.startswith("The server was silent")
    assert [type(message) for message in heard[-1:]] == [Ping]
    assert len(heard) == (2 if heartbeat > UNIT else 1)


def test_the_kernel_is_told_when_a_link_is_dead(tmp_path: Path) -> None:
    with served(lambda peer: peer.welcome()) as address, open_as_bob(address, tmp_path) as connection:
        sock = connection._socket
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1_000 * DEAD_LINK
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == PROBE_AFTER


def test_who_only_listens_in_a_busy_room_still_says_that_they_live(tmp_path: Path) -> None:
    pings: list[Message | Unknown] = []

    def script(peer: Peer) -> None:
        peer.welcome()
        peer.sock.settimeout(0.005 * UNIT)
        for _ in range(2_000):  # never silent for a heartbeat
            peer.write(Pong("busy"))
            with suppress(TimeoutError):
                pings.extend(peer.read())
            if len(pings) >= 2:
                return

    with served(script) as address, open_as_bob(address, tmp_path, heartbeat=0.05 * UNIT) as connection:
        assert Pong("busy") in list(connection)
    assert len(pings) >= 2


def test_close_from_another_thread_wakes_whoever_iterates(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.welcome()
        wait_for_hangup(peer)

    with served(script) as address:
        connection = open_as_bob(address, tmp_path)
        thread = threading.Thread(target=lambda: list(connection))
        thread.start()
        connection.close()
        connection.close()
        thread.join(LIMIT)
        assert not thread.is_alive()
        with pytest.raises(OSError):
            connection.send(Ping("1"))


def test_nobody_listening_is_unreachable_and_status_3(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="is chat-server running there") as caught:
        open_as_bob(("127.0.0.1", 1), tmp_path)
    assert caught.value.status == 3
