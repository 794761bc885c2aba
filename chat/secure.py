"""Noise: a handshake that proves both keys, then one cipher for each direction, usable in different processes.

`Noise_XX_25519_AESGCM_SHA256`, or `Noise_XXpsk3_…` with a passphrase, as the Noise Protocol Framework (revision 34)
defines them. The handshake is the noiseprotocol library's; afterwards only two 32-byte keys are kept, of which
chat/ciphers.py makes what encrypts, for a handshake object costs tens of kilobytes and a cipher a few hundred bytes.

The first frame of a client is not only Noise: it begins with a *preface* that says which version and whether a
passphrase is meant, so that a mismatch has a name. The preface is the handshake's prologue: changed on the way, the
handshake fails. Each frame of the server before the ciphers stand begins with one byte: 0 to go on, else an alert.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from noise.backends.default.keypairs import KeyPair25519
from noise.connection import NoiseConnection

from chat.faults import PeerFault

VERSION = 1
MAX_HANDSHAKE = 128
"""Bytes in a handshake frame: preface, two keys and their tags need 102; no message carries a payload."""

GO_ON = 0
ALERTS: dict[int, tuple[str, str]] = {
    1: ("wrong_version", "The server speaks another version of the protocol; update the older of the two."),
    2: ("passphrase_needed", "The server asks for a passphrase; give it with --passphrase-file."),
    3: ("passphrase_wrong", "The passphrase is wrong; ask whoever runs the server for the right one."),
    4: ("passphrase_unused", "The server has no passphrase; connect without --passphrase-file."),
    5: ("bad_handshake", "The handshake failed; the server was sent something that isn't this protocol."),
    6: ("too_many_connections", "The server has too many connections from this address; close some."),
    7: ("silent", "The handshake took too long; check the network and try again."),
}
"""What the server says before there are ciphers, as one byte: the code and the sentence for it."""

_MAGIC = b"LChat"
PREFACE = len(_MAGIC) + 2
_ALERT_OF = {code: number for number, (code, _) in ALERTS.items()}


def alert(code: str) -> bytes:
    """The frame payload that tells a client `code` before the ciphers stand."""
    return bytes([_ALERT_OF[code]])


def new_private_key() -> bytes:
    """A new X25519 private key, 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_key(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def fingerprint(public: bytes) -> str:
    """A key as people compare it: 32 hexadecimal digits of its SHA-256 (128 bits)."""
    return hashlib.sha256(public).hexdigest()[:32]


@functools.lru_cache(maxsize=8)
def psk_of(passphrase: str) -> bytes:
    """The pre-shared key of a passphrase: scrypt (RFC 7914), 16 MiB of memory and some 50 ms for each guess."""
    return hashlib.scrypt(passphrase.encode(), salt=b"lan-chat psk 1", n=2**14, r=8, p=1, dklen=32)


@dataclass(frozen=True, slots=True)
class Keys:
    """What a finished handshake leaves: a key for each direction, and who the peer proved to be."""

    sending: bytes
    receiving: bytes
    peer: bytes


class Initiator:
    """The client's side: `hello`, then `answer` the server's message; `keys` is there afterwards.

    `accept` is asked with the server's public key before the client's own is revealed; it raises to refuse.
    """

    def __init__(self, private: bytes, psk: bytes | None, accept: Callable[[bytes], None]) -> None:
        self._preface = _MAGIC + bytes([VERSION, psk is not None])
        self._noise = _noise(private, psk, self._preface, initiator=True)
        self._accept = accept
        self.keys: Keys | None = None

    def hello(self) -> bytes:
        return self._preface + bytes(self._noise.write_message())

    def answer(self, payload: bytes) -> bytes:
        """The client's proof for the server's message. Raises `PeerFault` for an alert or a false message."""
        raise_alert(payload)
        _read(self._noise, payload[1:])
        peer = self._noise.noise_protocol.handshake_state.rs.public_bytes
        self._accept(peer)
        proof = bytes(self._noise.write_message())
        self.keys = _keys(self._noise, peer)
        return proof


class Responder:
    """The server's side: `answer` the client's hello, then `finish` with its proof."""

    def __init__(self, private: bytes, psk: bytes | None) -> None:
        self._private, self._psk = private, psk
        self._noise: NoiseConnection | None = None

    def answer(self, payload: bytes) -> bytes:
        """The server's message for the client's hello. Raises `PeerFault` with one of the alerts' codes."""
        if len(payload) > MAX_HANDSHAKE or payload[: len(_MAGIC)] != _MAGIC or len(payload) < PREFACE:
            raise _fault("bad_handshake")
        version, with_psk = payload[PREFACE - 2 : PREFACE]
        if version != VERSION or with_psk > 1:
            raise _fault("wrong_version")
        if self._psk is not None and not with_psk:
            raise _fault("passphrase_needed")
        if self._psk is None and with_psk:
            raise _fault("passphrase_unused")
        self._noise = _noise(self._private, self._psk, payload[:PREFACE], initiator=False)
        _read(self._noise, payload[PREFACE:])
        try:
            return bytes([GO_ON]) + bytes(self._noise.write_message())
        except ValueError:  # the first use of the client's key: a low-order one gives an all-zero secret
            raise _fault("bad_handshake") from None

    def finish(self, payload: bytes) -> Keys:
        """The keys, once the client has proved its own. Raises `PeerFault` if it can't."""
        assert self._noise is not None
        state = self._noise.noise_protocol.handshake_state
        try:
            if len(payload) > MAX_HANDSHAKE:
                raise _fault("bad_handshake")
            _read(self._noise, payload)
        except PeerFault:
            # Message 3 is the first that the passphrase enters (psk3), and all before it was well.
            raise _fault("bad_handshake" if self._psk is None else "passphrase_wrong") from None
        return _keys(self._noise, state.rs.public_bytes)


def raise_alert(payload: bytes) -> None:
    """Raise the `PeerFault` that a server's handshake frame stands for, unless it says to go on."""
    if not payload:
        raise _fault("bad_handshake")
    if payload[0] != GO_ON:
        raise _fault(ALERTS.get(payload[0], ("bad_handshake", ""))[0])


def _fault(code: str) -> PeerFault:
    return PeerFault(code, ALERTS[_ALERT_OF[code]][1])


def _noise(private: bytes, psk: bytes | None, prologue: bytes, *, initiator: bool) -> NoiseConnection:
    name = "Noise_XX_25519_AESGCM_SHA256" if psk is None else "Noise_XXpsk3_25519_AESGCM_SHA256"
    noise = NoiseConnection.from_name(name.encode())
    noise.set_prologue(prologue)
    if psk is not None:
        noise.set_psks(psk)
    noise.noise_protocol.keypairs["s"] = _keypair(private)
    if initiator:
        noise.set_as_initiator()
    else:
        noise.set_as_responder()
    noise.start_handshake()
    return noise


@functools.lru_cache(maxsize=1)
def _keypair(private: bytes) -> KeyPair25519:
    """What the library's `set_keypair_from_private_bytes` makes anew for each connection, multiplying on the curve."""
    return KeyPair25519.from_private_bytes(private)


def _read(noise: NoiseConnection, message: bytes) -> bytes:
    # The library checks no lengths, so a short message fails in whatever way slicing and the primitives
    # fail; all of them mean the same here.
    try:
        payload = bytes(noise.read_message(message))
    except Exception:
        raise _fault("bad_handshake") from None
    if payload:
        raise _fault("bad_handshake")
    return payload


def _keys(noise: NoiseConnection, peer: bytes) -> Keys:
    protocol = noise.noise_protocol
    return Keys(protocol.cipher_state_encrypt.k, protocol.cipher_state_decrypt.k, peer)
