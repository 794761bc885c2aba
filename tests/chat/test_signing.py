"""XEdDSA: what a Noise key signs, its public key checks, and nothing else passes."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from chat.secure import public_key
from chat.signing import SIGNATURE, Signer, is_signed

KEYS = st.binary(min_size=32, max_size=32)
PRIME = 2**255 - 19


@given(KEYS, st.binary(max_size=500))
def test_what_a_key_signs_its_public_key_checks(private: bytes, message: bytes) -> None:
    signature = Signer(private).sign(message)
    assert len(signature) == SIGNATURE
    assert is_signed(message, signature, public_key(private))


@given(KEYS, st.binary(min_size=1, max_size=100), st.data())
def test_one_bit_changed_anywhere_fails(private: bytes, message: bytes, data: st.DataObject) -> None:
    parts = [message, Signer(private).sign(message), public_key(private)]
    which = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, 8 * len(parts[which]) - 1))
    if which == 2 and bit == 255:
        return  # the last bit of an X25519 key means nothing (RFC 7748)
    changed = bytearray(parts[which])
    changed[bit // 8] ^= 1 << bit % 8
    parts[which] = bytes(changed)
    assert not is_signed(*parts)


@given(KEYS, st.binary(max_size=100))
def test_it_is_an_ordinary_ed25519_signature(private: bytes, message: bytes) -> None:
    # Another implementation agrees: the twin of the X25519 key, with sign 0, checks it as Ed25519 does.
    u = int.from_bytes(public_key(private), "little")
    twin = ((u - 1) * pow(u + 1, -1, PRIME) % PRIME).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(twin).verify(Signer(private).sign(message), message)
    try:
        Ed25519PublicKey.from_public_bytes(twin).verify(Signer(private).sign(message), message + b"!")
    except InvalidSignature:
        return
    raise AssertionError("the other implementation passes anything")


@given(st.binary(max_size=40), st.binary(max_size=70))
def test_what_is_no_key_checks_nothing(public: bytes, signature: bytes) -> None:
    assert not is_signed(b"message", signature, public)


def test_keys_of_low_order_and_out_of_range_check_nothing() -> None:
    for number in (0, 1, PRIME - 1, PRIME, PRIME + 1, 2**255 - 1):
        assert not is_signed(b"message", bytes(64), number.to_bytes(32, "little"))
        assert not is_signed(b"message", Signer(bytes(32)).sign(b"message"), number.to_bytes(32, "little"))


def test_no_signature_is_made_twice() -> None:
    signer = Signer(bytes(range(32)))
    assert len({signer.sign(b"message") for _ in range(20)}) == 20
