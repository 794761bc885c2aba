"""One suite for every concurrency model: the same conversations, over real sockets, with the real Connection.

The tests of one model share a server. All models but the blocking one serve several clients together; what that one
does instead is at the end. The pipeline is held to the same contract as its relatives.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator

import pytest

from chat.frames import frame
from chat.messages import (
    Cursor,
    Goodbye,
    Join,
    Joined,
    Leave,
    Left,
    Page,
    PageEnd,
    Person,
    Ping,
    Pong,
    Presence,
    RoomList,
    Rooms,
    RoomState,
    Said,
    Say,
    Tell,
    Topic,
    TopicSet,
    Typing,
    Typist,
    Who,
)
from chat.messages import Refused as RefusedNotice
from client.connection import new_label
from client.failures import Refused
from server import models
from server.cli import PIPELINE
from tests.end_to_end.guests import Guest, Guests
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import UNIT, wait_for

EVERY = (PIPELINE, *models.NAMES)
TOGETHER = tuple(name for name in EVERY if name != "blocking")

every_model = pytest.mark.parametrize("model", EVERY, scope="module", indirect=True)
models_together = pytest.mark.parametrize("model", TOGETHER, scope="module", indirect=True)
the_blocking_model = pytest.mark.parametrize("model", ["blocking"], scope="module", indirect=True)


@pytest.fixture(scope="module")
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp(model) / "data", "--rate", "0", "--model", model) as running:
        yield running


@pytest.fixture
def guests(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    company = Guests(tmp_path_factory.mktemp("guests"), server.address)
    yield company
    company.close()


def join(guest: Guest, room: str, since: int | None = None) -> RoomState:
    return guest.hears(RoomState, label=guest.ask(Join(new_label(), room, since)))


def say(guest: Guest, room: str, text: str) -> Said:
    """Say something and wait for its number."""
    return guest.hears(Said, label=guest.ask(Say(new_label(), room, text)))


# --- one at a time: what a short connection needs ------------------------------------------------------------------


@every_model
def test_what_is_said_is_numbered_and_found_again(guests: Guests) -> None:
    writer = guests.login("writer")
    assert join(writer, "notes").last == 0
    assert [say(writer, "notes", f"note {number}").seq for number in (1, 2, 3)] == [1, 2, 3]
    writer.leave()
    again = guests.login("writer", Cursor("notes", 1))
    assert again.hears(RoomState, room="notes").last == 3
    assert [again.hears(Said).text for _ in range(2)] == ["note 2", "note 3"]


@every_model
def test_a_page_of_history(guests: Guests) -> None:
    writer = guests.login("pager")
    join(writer, "pages")
    for number in range(1, 8):
        say(writer, "pages", str(number))
    label = writer.ask(Page(new_label(), "pages", before=6, limit=3))
    assert [writer.hears(Said).seq for _ in range(3)] == [3, 4, 5]
    assert writer.hears(PageEnd, label=label).oldest == 3


@every_model
def test_a_replay_larger_than_any_buffer_comes_complete_and_in_order(guests: Guests) -> None:
    writer = guests.login("chronicler")
    join(writer, "chronicle")
    texts = [f"{number} ".ljust(16_000, "x") for number in range(150)]  # 2.4 MB: ten times what goes in one go
    for text in texts:
        writer.ask(Say(new_label(), "chronicle", text))
    writer.hears(Said, seq=len(texts))
    writer.leave()
    reader = guests.login("reader-of-all")
    join(reader, "chronicle", since=0)
    assert [reader.hears(Said).text for _ in texts] == texts


@every_model
def test_a_command_sent_twice_counts_once(guests: Guests) -> None:
    writer = guests.login("stammerer")
    join(writer, "echo")
    command = Say("the-same-label", "echo", "once")
    writer.ask(command)
    writer.ask(command)
    assert [writer.hears(Said, label="the-same-label").seq for _ in range(2)] == [1, 1]
    assert say(writer, "echo", "next").seq == 2


@every_model
def test_answers(guests: Guests) -> None:
    guest = guests.login("asker")
    join(guest, "questions")
    assert guest.hears(TopicSet, label=guest.ask(Topic(new_label(), "questions", "why"))).topic == "why"
    assert [
        person.name for person in guest.hears(RoomState, label=guest.ask(Who(new_label(), "questions"))).members
    ] == ["asker"]
    listings = guest.hears(RoomList, label=guest.ask(Rooms(new_label()))).rooms
    assert ("questions", 1, "why") in [(listing.room, listing.members, listing.topic) for listing in listings]
    guest.hears(Pong, label=guest.ask(Ping(new_label())))
    guest.hears(Left, label=guest.ask(Leave(new_label(), "questions")))


@every_model
def test_refusals(guests: Guests) -> None:
    guest = guests.login("stranger")
    label = guest.ask(Say(new_label(), "locked", "let me in"))
    assert guest.hears(RefusedNotice, label=label).code == "not_a_member"
    guest.leave()
    with pytest.raises(Refused) as taken:
        guests.login("stranger", home="somebody-else")
    assert taken.value.code == "name_taken"
    with pytest.raises(Refused) as unused:
        guests.login("stranger", passphrase="open sesame")
    assert unused.value.code == "passphrase_unused"


@every_model
def test_garbage_costs_only_who_sends_it(server: ServerProcess, guests: Guests) -> None:
    for garbage in (b"GET / HTTP/1.1\r\n\r\n" * 1_100, frame(b"x" * 40), frame(b""), b"\xff\xff" + bytes(70_000)):
        with socket.create_connection(server.address, timeout=10 * UNIT) as sock:
            try:
                sock.sendall(garbage)
                while sock.recv(4096):
                    pass
            except ConnectionError:
                pass  # ended all the same
    guest = guests.login("unimpressed")
    guest.hears(Pong, label=guest.ask(Ping(new_label())))


@every_model
def test_connections_leave_nothing_behind(server: ServerProcess, guests: Guests) -> None:
    guests.login("regular").leave()

    def descriptors() -> int:
        return sum(process.num_fds() for process in server.processes())

    guests.login("regular").leave()
    before = descriptors()
    for _ in range(10):
        socket.create_connection(server.address).close()
        guests.login("regular").leave()
    wait_for(lambda: descriptors() <= before, f"descriptors back to {before}")


# --- several at once ---------------------------------------------------------------------------------------------


@models_together
def test_a_conversation(guests: Guests) -> None:
    alice, bob, eve = (guests.login(name) for name in ("alice", "bob", "eve"))
    join(alice, "lobby")
    join(bob, "lobby")
    alice.hears(Joined, author="bob")
    join(eve, "elsewhere")
    for turn in range(5):
        say(alice, "lobby", f"question {turn}")
        bob.hears(Said, text=f"question {turn}")
        say(bob, "lobby", f"answer {turn}")
        alice.hears(Said, text=f"answer {turn}")
    eve.hears(Pong, label=eve.ask(Ping(new_label())))
    for guest in (alice, bob):
        assert [message.seq for message in guest.heard if isinstance(message, Said)] == list(range(1, 11))
    assert not [message for message in eve.heard if isinstance(message, Said)]


@models_together
def test_a_crowd_hears_everything_once_and_in_order(guests: Guests) -> None:
    crowd = [guests.login(f"crowd-{number}") for number in range(20)]
    for guest in crowd:
        join(guest, "square")
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


@models_together
def test_a_direct_message_finds_its_reader_now_and_later(guests: Guests) -> None:
    ann, ben = guests.login("ann"), guests.login("ben")
    said = ann.hears(Said, label=ann.ask(Tell(new_label(), "ben", "psst")))
    assert ben.hears(Said).text == "psst"
    ben.leave()
    ann.hears(Said, label=ann.ask(Tell(new_label(), "ben", "are you there?")))
    ben = guests.login("ben", Cursor(said.room, 1))
    assert ben.hears(Said).text == "are you there?"


@models_together
def test_who_comes_and_goes_is_told(guests: Guests) -> None:
    watcher, fly = guests.login("watcher"), guests.login("fly")
    join(watcher, "window")
    join(fly, "window")
    fly.ask(Typing("window"))
    assert watcher.hears(Typist).name == "fly"
    while Person("fly", "online") not in watcher.hears(Presence).people:
        pass
    fly.leave()
    while Person("fly", "offline") not in watcher.hears(Presence).people:
        pass


@models_together
def test_one_who_does_not_read_is_dropped_and_holds_up_nobody(guests: Guests) -> None:
    talker, listener, sleeper = (guests.login(name) for name in ("talker", "listener", "sleeper"))
    for guest in (talker, listener, sleeper):
        join(guest, "noisy")
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


@models_together
def test_the_real_client(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> None:
    people = People(tmp_path_factory.mktemp("people"), server.where)
    tail = people.start("carol", "--room", "kitchen", "--tail", "--since", "0", "--count", "2")
    assert (
        people.run("dave", "--room", "kitchen", "--send", "-", stdin="tea?\ncoffee!\n").out
        == "kitchen #1\nkitchen #2\n"
    )
    assert tail.wait().status == 0
    assert [message["text"] for message in tail.messages()] == ["tea?", "coffee!"]
    people.close()


@models_together
def test_the_end_is_announced_and_clean(model: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("end")
    with ServerProcess(folder / "data", "--model", model) as ending:
        company = Guests(folder, ending.address)
        last = [company.login(f"last-{number}") for number in range(3)]
        ending.terminate(signal.SIGINT)
        assert [guest.hears(Goodbye).code for guest in last] == ["stopping"] * 3


# --- the blocking model: by turns ----------------------------------------------------------------------------------


@the_blocking_model
def test_the_second_client_waits_until_the_first_has_gone(guests: Guests) -> None:
    first = guests.login("first")
    join(first, "counter")
    began = time.monotonic()
    second = guests.login("second")  # returns once the server has turned to it
    assert first.hears(Goodbye).code == "silent"
    assert time.monotonic() - began >= 0.9
    assert join(second, "counter").count == 2


@the_blocking_model
def test_the_real_client_by_turns(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> None:
    people = People(tmp_path_factory.mktemp("people"), server.where)
    assert (
        people.run("dave", "--room", "kitchen", "--send", "-", stdin="tea?\ncoffee!\n").out
        == "kitchen #1\nkitchen #2\n"
    )
    tail = people.run("carol", "--room", "kitchen", "--tail", "--since", "0", "--count", "2")
    assert len(tail.out.splitlines()) == 2
    people.close()


def test_the_end_while_a_client_is_served(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("end")
    with ServerProcess(folder / "data", "--model", "blocking") as ending:
        guest = Guests(folder, ending.address).login("only")
        ending.terminate(signal.SIGINT)
        assert guest.hears(Goodbye).code == "stopping"
