"""The published test vectors of the two Noise protocols, through the functions that make every real handshake.

vectors.json holds the two of the cacophony project's vectors (in the public domain) whose protocols are spoken here.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from noise.connection import NoiseConnection

from chat import secure
from chat.ciphers import ReceivingHalf, SendingHalf
from chat.secure import public_key

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())["vectors"]
HANDSHAKE_MESSAGES = 3


@pytest.fixture(params=VECTORS, ids=lambda vector: vector["name"])
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def side(vector: dict[str, Any], role: str) -> NoiseConnection:
    """One side's handshake as chat/secure.py makes it, but with the ephemeral key that the vector gives."""
    psk = bytes.fromhex(vector["psk"]) if vector["psk"] else None
    static, prologue = bytes.fromhex(vector[f"{role}_static"]), bytes.fromhex(vector["prologue"])
    noise = secure._noise(static, psk, prologue, initiator=role == "initiator")
    protocol = noise.noise_protocol
    ephemeral = protocol.dh_fn.klass.from_private_bytes(bytes.fromhex(vector[f"{role}_ephemeral"]))
    protocol.handshake_state.e = ephemeral
    return noise


def test_the_published_vectors(vector: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of fixed ephemeral keys, rightly
        sides = [side(vector, "initiator"), side(vector, "responder")]
    peers = [
        sides[1].noise_protocol.handshake_state.s.public_bytes,
        sides[0].noise_protocol.handshake_state.s.public_bytes,
    ]
    steps = [(bytes.fromhex(step["payload"]), bytes.fromhex(step["ciphertext"])) for step in vector["messages"]]

    for number, (payload, ciphertext) in enumerate(steps[:HANDSHAKE_MESSAGES]):
        writer, reader = sides[number % 2], sides[1 - number % 2]
        assert bytes(writer.write_message(payload)) == ciphertext
        assert bytes(reader.read_message(ciphertext)) == payload

    keys = [secure._keys(noise, peer) for noise, peer in zip(sides, peers, strict=True)]
    assert keys[0].peer == public_key(bytes.fromhex(vector["responder_static"]))
    sending = [SendingHalf(key.sending) for key in keys]
    receiving = [ReceivingHalf(key.receiving) for key in keys]
    for number, (payload, ciphertext) in enumerate(steps[HANDSHAKE_MESSAGES:], HANDSHAKE_MESSAGES):
        assert sending[number % 2].encrypt(payload) == ciphertext
        assert receiving[1 - number % 2].decrypt(ciphertext) == payload
