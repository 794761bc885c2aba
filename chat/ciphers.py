"""Ciphers: what goes on after the handshake, a key and a counter for each direction.

The halves of a connection know nothing of one another, so they can live in different processes, as they do in the
server: its reader decrypts, and a fan-out worker encrypts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chat.codec import MAX_PLAINTEXT
from chat.faults import PeerFault

TAG = 16
"""Bytes by which a message grows when it is encrypted."""


class SendingHalf:
    """Encrypts one direction. The counter is never used twice: whoever hands this on must stop using it.

    The key is expanded when it is first used, and `woken` called then: that takes 2.4 KB until `rest`, and 1 µs.
    """

    __slots__ = ("_cipher", "_woken", "counter", "key")

    def __init__(self, key: bytes, counter: int = 0, woken: Callable[[SendingHalf], None] | None = None) -> None:
        self.key = key
        self.counter = counter
        self._woken = woken
        self._cipher: AESGCM | None = None

    def encrypt(self, plaintext: bytes) -> bytes:
        """Noise's transport message for at most 65,519 bytes: 16 bytes longer."""
        assert len(plaintext) <= MAX_PLAINTEXT
        cipher = self._cipher or self._expand()
        nonce = self.counter.to_bytes(12, "big")  # Noise: 32 zero bits, then the counter in 64, big-endian
        self.counter += 1
        return cipher.encrypt(nonce, plaintext, None)

    def rest(self) -> None:
        """Let the expanded key go until it is needed again. May be called in any thread."""
        self._cipher = None

    def _expand(self) -> AESGCM:
        cipher = self._cipher = AESGCM(self.key)
        if self._woken is not None:
            self._woken(self)
        return cipher


def encrypt_each(halves: Sequence[SendingHalf], plaintext: bytes, into: Sequence[memoryview]) -> None:
    """What `encrypt` does for each of them, in one loop; each has a buffer, `TAG` bytes longer than `plaintext`."""
    assert len(plaintext) <= MAX_PLAINTEXT
    for half, buffer in zip(halves, into, strict=True):
        nonce = half.counter.to_bytes(12, "big")
        half.counter += 1
        (half._cipher or half._expand()).encrypt_into(nonce, plaintext, None, buffer)


class ReceivingHalf:
    """Decrypts one direction; a frame that was changed, repeated, left out or reordered raises PeerFault.

    The key is expanded when it is first used: that takes 2.4 KB until `rest`, and 1 µs.
    """

    __slots__ = ("_cipher", "_counter", "_key")

    def __init__(self, key: bytes) -> None:
        self._counter = 0
        self._key = key
        self._cipher: AESGCM | None = None

    def decrypt(self, ciphertext: bytes | memoryview) -> bytes:
        nonce = self._counter.to_bytes(12, "big")
        if self._cipher is None:
            self._cipher = AESGCM(self._key)
        try:
            plaintext = self._cipher.decrypt(nonce, ciphertext, None)
        except (InvalidTag, ValueError):
            raise PeerFault("bad_handshake", "A frame can't be decrypted; connect anew.") from None
        self._counter += 1
        return plaintext

    def rest(self) -> None:
        """Let the expanded key go until it is needed again."""
        self._cipher = None
