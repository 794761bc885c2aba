"""The announcer on loopback: a real thread and real datagrams, and a test that plays the network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chat.beacon import MAX_DATAGRAM, Beacon, Presence, Probe, decode, encode_beacon, encode_probe, is_genuine
from chat.secure import public_key
from chat.signing import Signer
from server.announcer import Announcement, Announcer
from server.gauges import ANNOUNCER, Panel
from server.gossip import ANSWER_BURST
from server.roster import Roster
from tests.waiting import UNIT, wait_for

PRIVATE = bytes(range(32))
EVERYBODY = "127.255.255.255"


class Network:
    """What others on loopback send and hear. `asker` sends probes, `ear` hears announcements."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asker = self._open("127.0.0.1", 0)
        self.ear = self._open(EVERYBODY, port)

    def ask(self, datagram: bytes) -> None:
        self.asker.sendto(datagram, (EVERYBODY, self.port))

    def answers(self, sock: socket.socket, quiet: float = 0.3) -> list[Beacon]:
        """Everything that comes until it has been quiet for a while."""
        found = []
        sock.settimeout(quiet * UNIT)
        while True:
            try:
                datagram = sock.recv(2048)
            except TimeoutError:
                return found
            content = decode(datagram).content
            if isinstance(content, Beacon):
                assert is_genuine(datagram, content) and len(datagram) <= MAX_DATAGRAM
                found.append(content)

    def close(self) -> None:
        self.asker.close()
        self.ear.close()

    def _open(self, address: str, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for option in (socket.SO_REUSEADDR, socket.SO_BROADCAST):
            sock.setsockopt(socket.SOL_SOCKET, option, 1)
        sock.bind((address, port))
        return sock


@pytest.fixture
def network(beacon_port: int) -> Iterator[Network]:
    network = Network(beacon_port)
    yield network
    network.close()


def counters() -> Panel:
    """A panel that nobody else sees."""
    return Panel(memoryview(bytearray(8 * len(ANNOUNCER))).cast("q"), ANNOUNCER, 0)


@pytest.fixture
def announcement(beacon_port: int) -> Announcement:
    return Announcement(PRIVATE, "Office", "127.0.0.1", 5050, beacon_port, passphrase=False)


@pytest.fixture
def roster() -> Roster:
    return Roster()


@pytest.fixture
def announcer(announcement: Announcement, roster: Roster, network: Network) -> Iterator[Announcer]:
    announcer = Announcer(announcement, roster, counters())
    announcer.start()
    wait_for(lambda: network.answers(network.ear), "the first announcement")
    yield announcer
    announcer.stop()


def test_datagrams_are_counted(announcement: Announcement, roster: Roster, network: Network) -> None:
    panel = counters()
    announcer = Announcer(announcement, roster, panel)
    announcer.start()
    for datagram in (encode_probe(Probe(b"12345678")), b"noise"):
        network.ask(datagram)
    wait_for(lambda: panel.get("answered") and panel.get("noise") == 1 and panel.get("came") >= 2, "they count")
    announcer.stop()
    assert panel.get("sent") >= 2


def test_a_probe_is_answered_with_its_nonce(announcer: Announcer, network: Network) -> None:
    network.ask(encode_probe(Probe(b"12345678")))
    (beacon,) = network.answers(network.asker)
    assert (beacon.nonce, beacon.name, beacon.port, beacon.key) == (b"12345678", "Office", 5050, public_key(PRIVATE))
    assert [place.ip for place in beacon.places] == ["127.0.0.1"]


def test_who_comes_goes_or_is_away_is_announced_at_once(announcer: Announcer, roster: Roster, network: Network) -> None:
    def told(people: list[tuple[str, str]]) -> bool:
        return any([(p.name, p.status) for p in beacon.people] == people for beacon in network.answers(network.ear))

    roster.arrive(1, "alice")
    roster.arrive(2, "bob")
    wait_for(lambda: told([("alice", "online"), ("bob", "online")]), "both announced", units=2)
    roster.set_away(1, True)
    wait_for(lambda: told([("alice", "away"), ("bob", "online")]), "alice announced as away", units=2)
    roster.depart(2)
    wait_for(lambda: told([("alice", "away")]), "bob gone", units=2)


def test_a_server_with_a_passphrase_names_nobody(announcement: Announcement, roster: Roster, network: Network) -> None:
    roster.arrive(1, "alice")
    announcer = Announcer(replace(announcement, passphrase=True), roster, counters())
    announcer.start()
    (beacon, *_) = wait_for(lambda: network.answers(network.ear), "an announcement")
    announcer.stop()
    assert beacon.passphrase and beacon.online == 1 and beacon.people == ()


def test_every_page_of_a_large_roster_can_be_asked_for(announcer: Announcer, roster: Roster, network: Network) -> None:
    names = [f"person{number:03}" for number in range(150)]
    for number, name in enumerate(names):
        roster.arrive(number, name)
    wait_for(lambda: [b for b in network.answers(network.ear) if b.online == 150], "150 announced")
    network.ask(encode_probe(Probe(bytes(8))))
    (first,) = network.answers(network.asker)
    for page in range(1, first.pages):
        network.ask(encode_probe(Probe(bytes(8), page=page)))
    others = network.answers(network.asker)
    assert [person.name for beacon in (first, *others) for person in beacon.people] == names


def test_the_last_beacon_is_a_farewell(announcement: Announcement, roster: Roster, network: Network) -> None:
    announcer = Announcer(announcement, roster, counters())
    announcer.start()
    wait_for(lambda: network.answers(network.ear), "an announcement")
    announcer.stop()
    assert [beacon.leaving for beacon in network.answers(network.ear)][-1]


def test_noise_and_others_beacons_get_no_answer(announcer: Announcer, network: Network) -> None:
    probe = encode_probe(Probe(bytes(8)))
    foreign = Beacon(bytes(32), 1, 1, b"", "x", 1, (), "", False, False, 0, 0)
    for datagram in (b"", b"x", probe[:100], probe + b"x", bytes(512), encode_beacon(foreign, Signer(PRIVATE))):
        network.ask(datagram)
    network.ask(encode_probe(Probe(bytes(8), key=bytes(32))))  # another server is meant
    network.ask(encode_probe(Probe(bytes(8), page=7)))  # there is no such page
    assert network.answers(network.asker) == []


def test_one_source_gets_only_so_many_answers(announcer: Announcer, network: Network) -> None:
    for _ in range(500):
        network.ask(encode_probe(Probe(bytes(8))))
    assert 1 <= len(network.answers(network.asker)) < 2 * ANSWER_BURST


def test_a_taken_port_costs_the_beacons_alone(
    announcement: Announcement, roster: Roster, beacon_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:  # without SO_REUSEADDR nobody else may have it
        selfish.bind((EVERYBODY, beacon_port))
        announcer = Announcer(announcement, roster, counters())
        announcer.start()
        announcer.stop()
    assert [record.message for record in caplog.records] == [
        f"no beacons: UDP port {beacon_port}: Address already in use"
    ]


def test_several_servers_of_one_machine_share_the_port(
    announcer: Announcer, announcement: Announcement, network: Network
) -> None:
    second = Announcer(replace(announcement, private_key=bytes(32), name="Second"), Roster(), counters())
    second.start()
    try:
        network.ask(encode_probe(Probe(bytes(8))))
        assert sorted(beacon.name for beacon in network.answers(network.asker)) == ["Office", "Second"]
    finally:
        second.stop()


def test_a_presence_says_how_long_somebody_is_away() -> None:
    assert (Presence("a").status, Presence("a", 1).status) == ("online", "away")
