"""One suite for every model that serves several clients together: all but the blocking one."""

from __future__ import annotations

import signal
import socket

import pytest

from chat.messages import Goodbye, Joined, Page, PageEnd, Ping, Pong, Presence, Said, Say, Status, Tell, Typing, Typist
from chat.values import Cursor, Person
from client.connection import new_label
from tests.end_to_end.models.guests import Guests
from tests.end_to_end.models.which import TOGETHER
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import wait_for

pytestmark = pytest.mark.parametrize("model", TOGETHER, scope="package", indirect=True)


def test_a_conversation(guests: Guests) -> None:
    alice, bob, eve = (guests.login(name) for name in ("alice", "bob", "eve"))
    alice.join("lobby")
    bob.join("lobby")
    alice.hears(Joined, author="bob")
    eve.join("elsewhere")
    for turn in range(5):
        alice.say("lobby", f"question {turn}")
        bob.hears(Said, text=f"question {turn}")
        bob.say("lobby", f"answer {turn}")
        alice.hears(Said, text=f"answer {turn}")
    eve.hears(Pong, label=eve.ask(Ping(new_label())))
    for guest in (alice, bob):
        assert [message.seq for message in guest.heard if isinstance(message, Said)] == list(range(1, 11))
    assert not [message for message in eve.heard if isinstance(message, Said)]


def test_a_crowd_hears_everything_once_and_in_order(guests: Guests) -> None:
    crowd = [guests.login(f"crowd-{number}") for number in range(20)]
    for guest in crowd:
        guest.join("square")
    for number in range(10):
        for guest in crowd:
            guest.ask(Say(new_label(), "square", f"{guest.connection.welcome.name}: {number}"))
    for guest in crowd:
        guest.hears(Said, seq=200)
        heard = [message for message in guest.heard if isinstance(message, Said)]
        assert [message.seq for message in heard] == list(range(1, 201))
        for author in crowd:
            name = author.connection.welcome.name
            assert [said.text for said in heard if said.author == name] == [f"{name}: {n}" for n in range(10)]


def test_a_direct_message_finds_its_reader_now_and_later(guests: Guests) -> None:
    ann, ben = guests.login("ann"), guests.login("ben")
    said = ann.hears(Said, label=ann.ask(Tell(new_label(), "ben", "psst")))
    assert ben.hears(Said).text == "psst"
    ben.leave()
    ann.hears(Said, label=ann.ask(Tell(new_label(), "ben", "are you there?")))
    ben = guests.login("ben", Cursor(said.room, 1))
    assert ben.hears(Said).text == "are you there?"


def test_who_comes_and_goes_is_told(guests: Guests) -> None:
    watcher, fly = guests.login("watcher"), guests.login("fly")
    watcher.join("window")
    fly.join("window")
    fly.ask(Typing("window"))
    assert watcher.hears(Typist).name == "fly"
    fly.ask(Status(True))
    while Person("fly", "away") not in watcher.hears(Presence).people:
        pass
    fly.leave()
    while Person("fly", "offline") not in watcher.hears(Presence).people:
        pass


def test_one_who_does_not_read_is_dropped_and_holds_up_nobody(guests: Guests) -> None:
    talker, listener, sleeper = (guests.login(name) for name in ("talker", "listener", "sleeper"))
    for guest in (talker, listener, sleeper):
        guest.join("noisy")
    for block in range(16):  # 26 MB: the kernel's buffers take ten, the server's four
        for _ in range(100):
            talker.ask(Say(new_label(), "noisy", "z" * 16_000))
        for guest in (talker, listener):
            guest.hears(Said, seq=100 * (block + 1))
    try:
        assert sleeper.hears(Goodbye).code == "too_slow"
    except AssertionError:
        assert sleeper.connection.ended  # it slept through its farewell, too
    assert len([message for message in sleeper.heard if isinstance(message, Said)]) < 1_600


def test_what_a_full_socket_refused_is_sent_once_it_has_room(guests: Guests) -> None:
    hoarder, witness = guests.login("hoarder"), guests.login("witness")
    hoarder.join("hoard")
    for number in range(1, 130):
        hoarder.ask(Say(new_label(), "hoard", f"{number} ".ljust(16_000, "x")))
    hoarder.hears(Said, seq=129)
    hoarder.leave()
    hoarder = guests.login("hoarder")
    sock = hoarder.connection._socket
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 131_072)  # the window may be half of what it takes
    # Two pages of 2 MB: more than the kernel's buffers take, and not more than a server keeps for one who is slow.
    labels = [hoarder.ask(Page(new_label(), "hoard", before=130, limit=129)) for _ in range(2)]
    wait_for(lambda: len(sock.recv(32_768, socket.MSG_PEEK)) == 32_768, "the client's buffer fills")
    witness.hears(Pong, label=witness.ask(Ping(new_label())))  # the server has gone on to others
    for label in labels:
        assert [hoarder.hears(Said).seq for _ in range(129)] == list(range(1, 130))
        hoarder.hears(PageEnd, label=label)


def test_the_real_client(people: People) -> None:
    tail = people.start("carol", "--room", "kitchen", "--tail", "--since", "0", "--count", "2")
    assert (
        people.run("dave", "--room", "kitchen", "--send", "-", stdin="tea?\ncoffee!\n").out
        == "kitchen #1\nkitchen #2\n"
    )
    assert tail.wait().status == 0
    assert [message["text"] for message in tail.messages()] == ["tea?", "coffee!"]


def test_the_end_is_announced_and_clean(model: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("end")
    with ServerProcess(folder / "data", "--model", model) as ending:
        company = Guests(folder, ending.address)
        last = [company.login(f"last-{number}") for number in range(3)]
        ending.terminate(signal.SIGINT)
        assert [guest.hears(Goodbye).code for guest in last] == ["stopping"] * 3
