"""`Connection` against servers that misbehave."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from chat import secure
from chat.frames import frame
from chat.messages import Goodbye, Message, Ping, Pong, Welcome
from chat.messages import Refused as RefusedNotice
from client.failures import Failure, KeyChanged, Refused, Unreachable
from client.home import Home
from tests.client.peers import LIMIT, Peer, open_as_bob, served, wait_for_hangup


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
