"""A connection's conversation as a script: frames in, actions out. No socket, no clock, no thread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.ciphers import ReceivingHalf, SendingHalf
from chat.codec import chunks, encode
from chat.frames import Cutter
from chat.messages import Command, Join, Login, Ping, Pong, Refused, Say
from chat.protocol import Phase
from chat.secure import ALERTS, Initiator, new_private_key, psk_of, public_key, raise_alert
from server.gate import BURST, PATIENCE, Gate
from server.session import Action, Answer, Drop, Handover, Refuse, Session, Submit

SERVER, CLIENT = new_private_key(), new_private_key()


class Talk:
    """A session and the client's side of it."""

    def __init__(self, rate: float = 0, psk: bytes | None = None, client_psk: bytes | None = None) -> None:
        self.session = Session(SERVER, psk, Gate(rate))
        self._initiator = Initiator(CLIENT, client_psk or psk, lambda key: None)
        self.now = 0.0

    def shake_hands(self) -> Handover:
        (answer,) = self.session.receive(self._initiator.hello(), self.now)
        assert isinstance(answer, Answer)
        (payload,) = Cutter().feed(answer.data)
        (handover,) = self.session.receive(self._initiator.answer(payload), self.now)
        assert isinstance(handover, Handover) and self._initiator.keys is not None
        self._cipher = SendingHalf(self._initiator.keys.sending)
        return handover

    def say(self, *commands: Command) -> list[Action]:
        return self.raw(b"".join(map(encode, commands)))

    def raw(self, plaintext: bytes) -> list[Action]:
        return self.session.receive(self._cipher.encrypt(plaintext), self.now)


@pytest.fixture
def talk() -> Talk:
    talk = Talk()
    talk.shake_hands()
    return talk


@pytest.fixture
def named(talk: Talk) -> Talk:
    talk.say(Login("bob"))
    return talk


def the_drop(actions: list[Action]) -> Drop:
    (drop,) = (action for action in actions if isinstance(action, Drop))
    assert drop.sentence
    return drop


def test_a_session_that_has_rested_goes_on_where_it_was(named: Talk) -> None:
    for label in ("1", "2"):
        named.session.rest()
        assert named.session._cipher is not None and named.session._cipher._cipher is None, "it keeps 2.4 KB"
        assert named.say(Say(label, "lobby", "hi")) == [Submit(Say(label, "lobby", "hi"))]


def test_from_hello_to_commands() -> None:
    talk = Talk()
    phases = [talk.session.phase]
    handover = talk.shake_hands()
    phases.append(talk.session.phase)
    assert handover.keys.peer == public_key(CLIENT)
    assert talk.say(Login("bob"), Join("j", "lobby")) == [Submit(Login("bob")), Submit(Join("j", "lobby"))]
    phases.append(talk.session.phase)
    assert talk.say(Say("s", "lobby", "hi")) == [Submit(Say("s", "lobby", "hi"))]
    assert phases == [Phase.OPENED, Phase.PROVED, Phase.NAMED]


def test_what_the_server_sends_is_what_the_client_reads() -> None:
    talk = Talk()
    handover = talk.shake_hands()
    assert talk._initiator.keys is not None
    welcome = SendingHalf(handover.keys.sending).encrypt(encode(Pong("p")))
    assert ReceivingHalf(talk._initiator.keys.receiving).decrypt(welcome) == encode(Pong("p"))


def test_a_wrong_command_is_refused_in_its_place_and_the_rest_goes_on(named: Talk) -> None:
    wrong = encode(Say("w", "lobby", "x")).replace(b"\xa5lobby", b"\x07")
    ping, refuse, pong = named.raw(encode(Ping("a")) + wrong + encode(Ping("b")))
    assert ping == Submit(Ping("a")) and pong == Submit(Ping("b"))
    assert isinstance(refuse, Refuse) and (refuse.notice.label, refuse.notice.code) == ("w", "malformed")


def test_what_comes_before_a_broken_frame_end_counts(named: Talk) -> None:
    submit, drop = named.raw(encode(Ping("a")) + b"\x93")
    assert submit == Submit(Ping("a"))
    assert isinstance(drop, Drop) and drop.code == "malformed"
    assert named.session.phase is Phase.CLOSED
    assert named.say(Ping("b")) == []  # nothing is heard any more


@pytest.mark.parametrize("first", [Ping("a"), Say("s", "lobby", "hi")])
def test_the_first_command_is_the_login(talk: Talk, first: Command) -> None:
    assert the_drop(talk.say(first)).code == "out_of_order"


def test_there_is_one_login(named: Talk) -> None:
    assert the_drop(named.say(Login("alice"))).code == "out_of_order"


def test_a_malformed_login_ends_the_connection(talk: Talk) -> None:
    assert the_drop(talk.raw(b"\x92\xa5login\x07")).code == "malformed"


def test_a_frame_under_a_wrong_key_ends_the_connection(named: Talk) -> None:
    drop = the_drop(named.session.receive(bytes(40), 0.0))
    assert drop.code == "bad_handshake" and drop.alert == b""  # the ciphers stand: it is told encrypted


@pytest.mark.parametrize("payload", [b"", b"GET / HTTP/1.1", bytes(100)])
def test_another_protocol_gets_a_plain_alert(payload: bytes) -> None:
    session = Session(SERVER, None, Gate(0))
    (drop,) = session.receive(payload, 0.0)
    assert isinstance(drop, Drop) and drop.code == "bad_handshake"
    (alert,) = Cutter().feed(drop.alert)
    with pytest.raises(Exception, match=ALERTS[5][1]):
        raise_alert(alert)


def test_a_wrong_passphrase_gets_a_plain_alert() -> None:
    talk = Talk(psk=psk_of("right"), client_psk=psk_of("wrong"))
    (answer,) = talk.session.receive(talk._initiator.hello(), 0.0)
    assert isinstance(answer, Answer)
    (payload,) = Cutter().feed(answer.data)
    drop = the_drop(talk.session.receive(talk._initiator.answer(payload), 0.0))
    assert drop.code == "passphrase_wrong" and drop.alert


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_no_bytes_raise_through_the_driver(payloads: list[bytes]) -> None:
    session = Session(SERVER, None, Gate(0))
    talk = Talk()
    talk.shake_hands()
    for payload in payloads:
        session.receive(payload, 0.0)
        talk.raw(payload)
        talk.session.receive(payload, 0.0)


# --- the gate ---------------------------------------------------------------------------------------------------


def test_over_the_limit_a_command_is_refused_with_the_time_to_wait() -> None:
    talk = Talk(rate=2)
    talk.shake_hands()
    talk.say(Login("bob"))  # the first of the burst
    burst = [talk.say(Ping(f"p{number}"))[0] for number in range(2 * BURST - 1)]
    assert all(isinstance(action, Submit) for action in burst)
    (refuse,) = talk.say(Ping("over"))
    assert isinstance(refuse, Refuse)
    assert (refuse.notice.label, refuse.notice.code) == ("over", "too_fast")
    assert "0.5 s" in refuse.notice.sentence
    talk.now += 0.5
    assert talk.say(Ping("again")) == [Submit(Ping("again"))]


def test_who_never_waits_is_dropped() -> None:
    talk = Talk(rate=1)
    talk.shake_hands()
    talk.say(Login("bob"))
    actions: list[Action] = []
    for piece in chunks([encode(Ping("p"))] * (PATIENCE + BURST)):
        actions += talk.raw(piece)
    assert the_drop(actions).code == "too_fast"
    refused = [action.notice for action in actions if isinstance(action, Refuse)]
    assert len(refused) == PATIENCE and all(isinstance(notice, Refused) for notice in refused)


def test_a_rate_of_0_lets_all_pass(named: Talk) -> None:
    pings = [Ping("p")] * 1_000
    assert named.say(*pings) == [Submit(ping) for ping in pings]
