"""Hostile peers, each costing only itself: two people talk on while somebody does everything that isn't allowed."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgpack
import pytest

from chat.codec import MAX_PLAINTEXT, encode
from chat.frames import frame
from chat.messages import Join, Ping, Pong, Refused, Said, Say, Welcome
from client.connection import new_label
from scripts.siege.attacker import Attacker
from tests.end_to_end.conftest import Report
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.stages import figures, memory, stages
from tests.end_to_end.talker import Talker
from tests.waiting import wait_for

HANDSHAKE = 12 * 1024
"""Bytes that each of the 2,000 who may be between their coming and their login takes, at most."""

ROOT = Path(__file__).parents[3]

GROWTH = 10 * 2**20
"""Bytes that the server may have grown by when the attackers are gone."""


class Witness:
    """Two people who notice nothing: they talk, and are still on their first connections when asked."""

    def __init__(self, server: ServerProcess, people: People) -> None:
        self._talkers = [Talker(server.address, people.home(name), name) for name in ("alice", "bob")]
        for talker in self._talkers:
            talker.ask(Join("join", "r"))
        self._said = 0

    def talk(self) -> None:
        """Each says something that the other hears."""
        for talker in self._talkers:
            self._said += 1
            text = f"undisturbed {self._said}"
            assert isinstance(talker.ask(Say(new_label(), "r", text)), Said)
            for other in self._talkers:
                other.until(lambda message, text=text: getattr(message, "text", "") == text, text)  # type: ignore[misc]

    def close(self) -> None:
        for talker in self._talkers:
            talker.close()


@pytest.fixture
def witness(server: ServerProcess, people: People) -> Iterator[Witness]:
    """Fails afterwards if the two were disturbed, a process was replaced, or memory or a connection is left."""
    witness = Witness(server, people)
    witness.talk()
    before, size = stages(server), memory(server)
    yield witness
    witness.talk()
    wait_for(lambda: figures(server)["reader.named"] == 2, "only the two are left", units=15)
    wait_for(lambda: sum(map(figures(server).__getitem__, WORKERS)) == 2, "the workers have only the two", units=15)
    assert stages(server) == before
    assert memory(server) - size < GROWTH
    witness.close()


WORKERS = ("worker 0.connections", "worker 1.connections")


def test_a_conversation_cut_at_every_byte(server: ServerProcess, witness: Witness) -> None:
    with Attacker(server.address) as whole:
        whole.log_in("eve").say(Say("1", "r", "hi"))
        whole.hear(lambda message: isinstance(message, Refused))  # eve isn't in that room
    for end in range(len(whole.sent)):
        with Attacker(server.address) as cut:
            cut.write(whole.sent[:end])


def test_random_bytes(server: ServerProcess, witness: Witness) -> None:
    chance = random.Random(1)
    for size in [1, 2, 3, 4, 64, 65, 66, 67, 1000, 65_537] * 10:
        with Attacker(server.address) as noise:
            noise.write(chance.randbytes(size))
    with Attacker(server.address) as noise:
        noise.write(frame(chance.randbytes(64)))
        assert noise.is_dropped() == "bad_handshake"


def test_garbage_inside_a_valid_handshake(server: ServerProcess, witness: Witness) -> None:
    chance = random.Random(2)
    for size in (0, 1, 2, 100, MAX_PLAINTEXT):
        with Attacker(server.address) as peer:
            peer.shake_hands().say_raw(chance.randbytes(size))
            if size:
                assert peer.is_dropped() in ("malformed", "out_of_order")
    with Attacker(server.address) as peer:
        peer.shake_hands().say(Say("1", "r", "before the login"))
        assert peer.is_dropped() == "out_of_order"
    with Attacker(server.address) as peer:
        peer.log_in("eve").write(frame(b"\0" * 100))  # not encrypted under any key
        assert peer.is_dropped() == "bad_handshake"


BOMBS = {
    "nesting": b"\x91" * 60_000,
    "an array of 4 G": b"\xdd\xff\xff\xff\xff",
    "a text of 4 G": b"\x92\xa3say\xdb\xff\xff\xff\xff",
    "a map of 4 G": b"\x92\xa3say\xdf\xff\xff\xff\xff",
    "an extension of 4 G": b"\x92\xa3say\xc9\xff\xff\xff\xff\x01",
    "a million nothings": b"\xdc\xff\xff" + b"\xc0" * 60_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_msgpack_bombs(bomb: bytes, server: ServerProcess, witness: Witness) -> None:
    with Attacker(server.address) as peer:
        peer.log_in("eve").say_raw(encode(Ping("before")) + bomb)
        peer.hear(lambda message: message == Pong("before"))
        assert peer.is_dropped() == "malformed"


def test_a_replayed_handshake_leads_nowhere(server: ServerProcess, witness: Witness) -> None:
    with Attacker(server.address) as honest:
        honest.log_in("eve").say(Say("1", "r", "replay me"))
    with Attacker(server.address) as replayed:
        replayed.write(honest.sent)
        assert replayed.is_dropped() == "bad_handshake"


def test_a_slow_handshake_has_10_s(server: ServerProcess, witness: Witness) -> None:
    with Attacker(server.address) as whole:
        whole.shake_hands()
    slow = Attacker(server.address)
    for byte in whole.sent[:5]:
        slow.write(bytes([byte]))
        witness.talk()
    assert slow.is_dropped() == "silent"
    slow.close()


def test_a_flood_is_refused_with_the_time_to_wait_and_then_dropped(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--rate", "20", "--workers", "1") as limited:
        company = People(tmp_path / "people", limited.where)
        witness = Witness(limited, company)
        with Attacker(limited.address) as flood:
            flood.log_in("eve").say(*(Say(f"{number}", "r", "spam") for number in range(500)))
            refused = flood.hear(lambda message: isinstance(message, Refused) and message.code == "too_fast")
            assert isinstance(refused, Refused)
            assert 0 < refused.wait < 1 and "wait" in refused.sentence
            assert flood.is_dropped() == "too_fast"
        witness.talk()
        witness.close()


def test_names_that_look_like_others_and_marks_without_end(server: ServerProcess, witness: Witness) -> None:
    for name, code in (("аlice", "name_alike"), ("e" + "\u0301" * 5, "bad_name"), ("e" + "\u0301" * 8_000, "too_long")):
        with Attacker(server.address) as eve:
            eve.shake_hands()
            eve.say_raw(msgpack.packb(["login", name, []]))
            assert eve.is_dropped() == code
    with Attacker(server.address) as eve:
        eve.log_in("eve").say(Join("j", "r"), Say("marks", "r", "x" + "\u0301" * 8_000))
        said = eve.hear(lambda message: isinstance(message, Said) and message.label == "marks")
        assert isinstance(said, Said) and len(said.text.encode()) > 16_000


def test_twenty_thousand_who_never_speak_keep_nobody_out(server: ServerProcess, people: People, report: Report) -> None:
    witness = Witness(server, people)
    witness.talk()
    size = memory(server)
    with silent_crowd(server, 10_000), silent_crowd(server, 10_000):
        assert people.run("carol", "--room", "r", "--send", "let me in").status == 0
        assert figures(server)["reader.accepted"] > 20_000
        assert figures(server)["reader.opened"] <= 2_001
        grown = memory(server) - size
        report(f"20,000 who never speak: the server grows by {grown / 2**20:.1f} MiB")
        assert grown < 2_000 * HANDSHAKE
    witness.talk()
    witness.close()


@contextmanager
def silent_crowd(server: ServerProcess, count: int) -> Iterator[None]:
    """A process that holds so many connections, and never writes to one."""
    command = [sys.executable, "-m", "scripts.siege.silent", *server.where.split(":"), str(count)]
    crowd = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert crowd.stdout is not None and crowd.stdout.readline() == b"here\n"
        yield
    finally:
        crowd.communicate()


def test_one_address_has_only_so_many_connections(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--max-per-address", "10", "--workers", "1") as server:
        crowd = [Attacker(server.address, "127.0.0.2") for _ in range(10)]
        wait_for(lambda: figures(server)["reader.opened"] == 10, "ten are in")
        with Attacker(server.address, "127.0.0.2") as one_more, Attacker(server.address, "127.0.0.3") as another:
            assert one_more.is_dropped() == "too_many_connections"
            another.log_in("bob")
            another.hear(lambda message: isinstance(message, Welcome))
        for peer in crowd:
            peer.close()
