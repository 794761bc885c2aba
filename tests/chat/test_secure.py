"""The handshake as a script of two machines, and the two ciphers that it leaves."""

from __future__ import annotations

import multiprocessing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import secure
from chat.ciphers import ReceivingHalf, SendingHalf
from chat.faults import CODES, PeerFault
from chat.secure import ALERTS, Initiator, Keys, Responder, new_private_key, public_key

SERVER, CLIENT = new_private_key(), new_private_key()
PSK = secure.psk_of("correct horse")


def trust(key: bytes) -> None:
    """A client that meets the server for the first time."""


def shake_hands(psk: bytes | None = None) -> tuple[Keys, Keys]:
    client, server = Initiator(CLIENT, psk, trust), Responder(SERVER, psk)
    proof = client.answer(server.answer(client.hello()))
    keys = server.finish(proof)
    assert client.keys is not None
    return client.keys, keys


def refused(code: str) -> pytest.RaisesExc[PeerFault]:
    return pytest.raises(PeerFault, check=lambda fault: fault.code == code and bool(fault.sentence))


@pytest.mark.parametrize("psk", [None, PSK], ids=["open", "passphrase"])
def test_both_learn_who_the_other_is_and_share_two_keys(psk: bytes | None) -> None:
    client, server = shake_hands(psk)
    assert (client.peer, server.peer) == (public_key(SERVER), public_key(CLIENT))
    assert (client.sending, client.receiving) == (server.receiving, server.sending)
    assert client.sending != client.receiving


def test_no_two_handshakes_share_a_key() -> None:
    assert shake_hands()[0].sending != shake_hands()[0].sending


# --- alerts: before there are ciphers, the server has one byte to say what is wrong -----------------------------


def test_every_alert_reaches_the_client_as_its_code() -> None:
    for code, sentence in ALERTS.values():
        assert code in CODES and sentence
        with refused(code) as fault:
            Initiator(CLIENT, None, trust).answer(secure.alert(code))
        assert fault.value.sentence == sentence


def test_an_alert_that_is_not_known_and_an_empty_frame_are_a_failed_handshake() -> None:
    for payload in (b"\xff", b""):
        with refused("bad_handshake"):
            Initiator(CLIENT, None, trust).answer(payload)


@pytest.mark.parametrize(
    ("server_psk", "client_psk", "code"),
    [(PSK, None, "passphrase_needed"), (None, PSK, "passphrase_unused")],
)
def test_a_passphrase_on_one_side_only(server_psk: bytes | None, client_psk: bytes | None, code: str) -> None:
    with refused(code):
        Responder(SERVER, server_psk).answer(Initiator(CLIENT, client_psk, trust).hello())


def test_a_wrong_passphrase_shows_at_the_proof() -> None:
    client, server = Initiator(CLIENT, secure.psk_of("battery staple"), trust), Responder(SERVER, PSK)
    proof = client.answer(server.answer(client.hello()))
    with refused("passphrase_wrong"):
        server.finish(proof)


def test_another_version_is_named() -> None:
    hello = bytearray(Initiator(CLIENT, None, trust).hello())
    hello[secure.PREFACE - 2] += 1
    with refused("wrong_version"):
        Responder(SERVER, None).answer(bytes(hello))


def test_another_protocol_is_a_failed_handshake() -> None:
    for hello in (b"", b"GET / HTTP/1.1\r\n", b"LChat", bytes(7), Initiator(CLIENT, None, trust).hello()[:-1]):
        with refused("bad_handshake"):
            Responder(SERVER, None).answer(hello)


def test_a_preface_changed_on_the_way_breaks_the_handshake() -> None:
    """Someone in the middle who takes away the passphrase flag gains nothing: it is the prologue."""
    client, server = Initiator(CLIENT, PSK, trust), Responder(SERVER, None)
    hello = bytearray(client.hello())
    hello[secure.PREFACE - 1] = 0
    with refused("bad_handshake"):
        client.answer(server.answer(bytes(hello)))


# --- keys -------------------------------------------------------------------------------------------------------


class Changed(Exception):
    pass


def test_a_changed_key_is_refused_before_the_client_reveals_its_own() -> None:
    asked: list[bytes] = []

    def refuse(key: bytes) -> None:
        asked.append(key)
        raise Changed

    client, server = Initiator(CLIENT, None, refuse), Responder(SERVER, None)
    answer = server.answer(client.hello())
    with pytest.raises(Changed):
        client.answer(answer)  # no third message was made: it is what holds the client's key
    assert asked == [public_key(SERVER)]
    assert client.keys is None


def test_a_server_that_cannot_prove_its_key_is_never_asked_about() -> None:
    asked: list[bytes] = []
    client, server = Initiator(CLIENT, None, asked.append), Responder(SERVER, None)
    answer = bytearray(server.answer(client.hello()))
    answer[40] ^= 1  # in the encrypted key
    with refused("bad_handshake"):
        client.answer(bytes(answer))
    assert asked == []


def test_any_changed_bit_of_the_handshake_is_noticed() -> None:
    client, server = Initiator(CLIENT, None, trust), Responder(SERVER, None)
    proof = client.answer(server.answer(client.hello()))
    for bit in range(0, 8 * len(proof), 7):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        client, server = Initiator(CLIENT, None, trust), Responder(SERVER, None)
        client.answer(server.answer(client.hello()))
        with refused("bad_handshake"):
            server.finish(bytes(changed))


def test_a_replayed_proof_is_worth_nothing() -> None:
    client, server = Initiator(CLIENT, None, trust), Responder(SERVER, None)
    hello = client.hello()
    proof = client.answer(server.answer(hello))
    later = Responder(SERVER, None)
    later.answer(hello)
    with refused("bad_handshake"):
        later.finish(proof)


def test_a_low_order_key_is_a_failed_handshake() -> None:
    hello = Initiator(CLIENT, None, trust).hello()
    with refused("bad_handshake"):
        Responder(SERVER, None).answer(hello[: secure.PREFACE] + bytes(32))


@given(st.binary(max_size=300))
def test_any_bytes_as_a_hello_are_answered_or_a_fault(payload: bytes) -> None:
    for psk in (None, PSK):
        for hello in (payload, Initiator(CLIENT, psk, trust).hello()[: secure.PREFACE] + payload):
            try:
                Responder(SERVER, psk).answer(hello)
            except PeerFault as fault:
                assert fault.code in {code for code, _ in ALERTS.values()}


@given(st.binary(max_size=300))
def test_any_bytes_as_an_answer_or_a_proof_are_a_fault(payload: bytes) -> None:
    client, server = Initiator(CLIENT, None, trust), Responder(SERVER, None)
    server.answer(client.hello())
    with pytest.raises(PeerFault):
        client.answer(payload)
    with refused("bad_handshake"):
        server.finish(payload)


def test_a_handshake_frame_has_a_largest_size() -> None:
    server = Responder(SERVER, None)
    hello = Initiator(CLIENT, None, trust).hello()
    with refused("bad_handshake"):
        server.answer(hello + bytes(secure.MAX_HANDSHAKE))
    server.answer(hello)
    with refused("bad_handshake"):
        server.finish(bytes(secure.MAX_HANDSHAKE + 1))


def test_fingerprint_and_psk_depend_on_all_they_are_made_of() -> None:
    assert len(secure.fingerprint(public_key(SERVER))) == 32
    assert secure.fingerprint(public_key(SERVER)) != secure.fingerprint(public_key(CLIENT))
    assert secure.psk_of("a") != secure.psk_of("b") and len(PSK) == 32


# --- the ciphers afterwards -------------------------------------------------------------------------------------


def channel() -> tuple[SendingHalf, ReceivingHalf]:
    client, server = shake_hands()
    return SendingHalf(client.sending), ReceivingHalf(server.receiving)


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_frames_arrive_as_they_were_sent(plaintexts: list[bytes]) -> None:
    sending, receiving = channel()
    assert [receiving.decrypt(sending.encrypt(text)) for text in plaintexts] == plaintexts


def test_each_frame_differs_and_is_16_bytes_longer() -> None:
    sending, _ = channel()
    one, two = sending.encrypt(b"hello"), sending.encrypt(b"hello")
    assert one != two and len(one) == len(two) == 5 + 16


def test_a_frame_changed_repeated_left_out_or_reordered_is_a_fault() -> None:
    sending, receiving = channel()
    one, two, three = (sending.encrypt(text) for text in (b"one", b"two", b"three"))
    wrong = [two, one[:-1], one + b"x", bytes([one[0] ^ 1]) + one[1:], b"", b"short"]
    for frame in wrong:
        with refused("bad_handshake"):
            receiving.decrypt(frame)
    assert receiving.decrypt(one) == b"one"
    for frame in (one, three):
        with refused("bad_handshake"):
            receiving.decrypt(frame)
    assert receiving.decrypt(two) == b"two"


def encrypt_elsewhere(key: bytes, counter: int, plaintext: bytes) -> tuple[bytes, int]:
    """In another process: go on sending where the first left off."""
    half = SendingHalf(key, counter)
    return half.encrypt(plaintext), half.counter


def test_the_sending_half_goes_on_in_another_process() -> None:
    """The reader sends the welcome's frame, say, and a worker everything after it, under the next counter."""
    sending, receiving = channel()
    assert receiving.decrypt(sending.encrypt(b"from the reader")) == b"from the reader"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        ciphertext, counter = pool.apply(encrypt_elsewhere, (sending.key, sending.counter, b"from a worker"))
    assert receiving.decrypt(ciphertext) == b"from a worker"
    assert counter == 2
