"""Signatures by a Noise key: XEdDSA, so that the key which a handshake proves is also the key that signs beacons.

An X25519 key can't sign as it is. A second key would do, but then nothing would tie the two together before a first
login, and a beacon would have to carry both. XEdDSA (Signal, "The XEdDSA and VXEdDSA Signature Schemes", revision 1)
reads the same secret as a point of the twin curve Ed25519: the signature is an ordinary Ed25519 one, and whoever knows
the X25519 public key can compute what it is checked with. The arithmetic is libsodium's, in constant time.
"""

from __future__ import annotations

import hashlib
import secrets

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

SIGNATURE = 64
"""Bytes of a signature."""

_PRIME = 2**255 - 19
_SALT = b"\xfe" + b"\xff" * 31  # "hash_1" of the paper: no message of Ed25519 itself begins with this


class Signer:
    """Signs with an X25519 private key of 32 bytes."""

    def __init__(self, private: bytes) -> None:
        clamped = bytes([private[0] & 248]) + private[1:31] + bytes([private[31] & 127 | 64])
        scalar = sodium.crypto_core_ed25519_scalar_reduce(clamped + bytes(32))
        point = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar)
        # An X25519 key has no sign; the paper settles on 0, and so on the secret that has it.
        self._secret = sodium.crypto_core_ed25519_scalar_negate(scalar) if point[31] & 128 else scalar
        self._public = point[:31] + bytes([point[31] & 127])

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`; another one each time, all of them true."""
        once = _number(_SALT + self._secret + message + secrets.token_bytes(64))
        commitment = sodium.crypto_scalarmult_ed25519_base_noclamp(once)
        challenge = _number(commitment + self._public + message)
        answer = sodium.crypto_core_ed25519_scalar_mul(challenge, self._secret)
        return commitment + sodium.crypto_core_ed25519_scalar_add(once, answer)


def is_signed(message: bytes, signature: bytes, public: bytes) -> bool:
    """Whether the owner of the X25519 key `public` has signed `message`. False for whatever isn't a key."""
    u = int.from_bytes(public, "little")
    if len(public) != 32 or len(signature) != SIGNATURE or u >= _PRIME - 1:
        return False  # u = -1 has no twin
    y = (u - 1) * pow(u + 1, -1, _PRIME) % _PRIME
    try:
        sodium.crypto_sign_open(signature + message, y.to_bytes(32, "little"))
    except (CryptoError, ValueError):
        return False
    return True


def _number(data: bytes) -> bytes:
    return sodium.crypto_core_ed25519_scalar_reduce(hashlib.sha512(data).digest())
