"""`scripts/fuzz`: a million nearly right inputs for everything that reads what others send.

Each must be understood or refused by a `PeerFault` with a code; nothing else may be raised, what is understood must say
the same when it is written and read again, and none may take long. The first input that does otherwise is printed, and
ends the run with status 1; the same `--seed` makes the same inputs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import unicodedata
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tqdm import tqdm

from chat import beacon, names
from chat.ciphers import SendingHalf
from chat.codec import decode, decode_commands, encode
from chat.faults import CODES, PeerFault
from chat.frames import Cutter, frame
from chat.messages import Login, Unknown
from chat.protocol import Phase
from chat.secure import Initiator, new_private_key, public_key
from chat.signing import Signer
from chat.text import MAX_MARKS, safe_text
from scripts.siege.mutations import examples, mutated, odd_text
from server.gate import Gate
from server.session import Answer, Session

SLOW = 0.25
"""Seconds of CPU that no input may take."""

SHARES = {"plaintext": 40, "frames": 10, "handshake": 5, "conversation": 5, "beacon": 20, "name": 10, "text": 10}
"""Of each hundred inputs, how many go where: what takes longest is given least."""


HEAD = "| target | inputs | bytes | understood | refused | µs each | slowest ms |\n|---|---:|---:|---:|---:|---:|---:|"


class Fault(Exception):
    """Something was neither understood nor refused."""


@dataclass(slots=True)
class Score:
    """What became of the inputs of one target."""

    inputs: int = 0
    size: int = 0
    understood: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


class Fuzz:
    """The targets: each makes an input by chance, feeds it, and says if it was understood; `PeerFault` says no, too."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._messages = [encode(message) for message in examples()]
        self._server = new_private_key()
        self._client = new_private_key()
        self._beacons = self._make_beacons()
        self._session: Session | None = None
        self._cipher: SendingHalf | None = None
        self.last: bytes | str = b""
        """The newest input."""

    def plaintext(self) -> bool:
        """What a decrypted frame holds, for a client and for a server."""
        self.last = data = mutated(self._chance, self._messages)
        with suppress(PeerFault):
            deque(decode_commands(data), maxlen=0)
        understood = [message for message in decode(data) if not isinstance(message, Unknown)]
        again = list(decode(b"".join(map(encode, understood))))
        _hold(repr(again) == repr(understood), "it reads otherwise once it is written")  # nan is not itself
        return True

    def frames(self) -> bool:
        """A stream cut anywhere is the same stream."""
        stream = b"".join(frame(mutated(self._chance, self._messages)[:65_535] or b"x") for _ in range(3))
        self.last = stream = mutated(self._chance, [stream])
        pieces, cutter, start = [], Cutter(), 0
        while start < len(stream):
            end = start + self._chance.randint(1, 100)
            pieces += cutter.feed(stream[start:end])
            start = end
        _hold(pieces == Cutter().feed(stream), "other frames come of other pieces")
        return True

    def handshake(self) -> bool:
        """A hello or a proof that isn't one, or is it nearly."""
        session, initiator = Session(self._server, None, Gate(0)), self._initiator()
        hello = initiator.hello()
        if self._chance.random() < 0.5:
            self.last = hello = mutated(self._chance, [hello])
            session.receive(hello, 0.0)
        else:
            (answer,) = session.receive(hello, 0.0)
            assert isinstance(answer, Answer)
            self.last = proof = mutated(self._chance, [initiator.answer(Cutter().feed(answer.data)[0])])
            session.receive(proof, 0.0)
        return session.phase is not Phase.CLOSED

    def conversation(self) -> bool:
        """Well encrypted nonsense, from one who is logged in."""
        if self._session is None or self._session.phase is Phase.CLOSED:
            self._session, self._cipher = self._logged_in()
        assert self._cipher is not None
        self.last = data = mutated(self._chance, self._messages)[:60_000]
        self._session.receive(self._cipher.encrypt(data), 0.0)
        return self._session.phase is not Phase.CLOSED

    def beacon(self) -> bool:
        """A datagram from anywhere."""
        self.last = data = mutated(self._chance, self._beacons)
        received = beacon.decode(data)
        beacon.passed_on(data)
        if isinstance(received.content, beacon.Beacon) and beacon.is_genuine(data, received.content):
            body = 8 + 64
            _hold(any(data[body:] == seed[body:] for seed in self._beacons), "a forged beacon is genuine")
        return True

    def name(self) -> bool:
        """A name for a person and for a room."""
        self.last = text = odd_text(self._chance, 3)
        names.skeleton(text)
        for make in (names.person, names.room):
            made = make(text)
            _hold(make(made) == made, "a name becomes another the second time")
        return True

    def text(self) -> bool:
        """Text for a terminal: what comes out obeys nobody."""
        self.last = text = odd_text(self._chance, 20)
        shown, marks = safe_text(text), 0
        for char in shown:
            category = unicodedata.category(char)
            _hold(category not in ("Cc", "Cs", "Zl", "Zp"), f"U+{ord(char):04X} passes")
            _hold(unicodedata.bidirectional(char) not in _TURNING, f"U+{ord(char):04X} turns text around")
            marks = marks + 1 if category in ("Mn", "Me") and not _selects(char) else 0
            _hold(marks <= MAX_MARKS, "marks pile up")
        return True

    def _make_beacons(self) -> list[bytes]:
        signer = Signer(self._server)
        places = (beacon.place("10.0.0.1", 24), beacon.place("fe80::1", 64))
        whole = beacon.Beacon(public_key(self._server), 1, 2, b"", "box", 5050, places, "box:5050", False, False, 1, 2)
        pages = beacon.pages_of(whole, [beacon.Presence("alice"), beacon.Presence("bob", 7)])
        return [*(beacon.encode_beacon(page, signer) for page in pages), beacon.encode_probe(beacon.Probe(b"12345678"))]

    def _initiator(self) -> Initiator:
        return Initiator(self._client, None, lambda key: None)

    def _logged_in(self) -> tuple[Session, SendingHalf]:
        session, initiator = Session(self._server, None, Gate(0)), self._initiator()
        (answer,) = session.receive(initiator.hello(), 0.0)
        assert isinstance(answer, Answer)
        session.receive(initiator.answer(Cutter().feed(answer.data)[0]), 0.0)
        assert initiator.keys is not None
        cipher = SendingHalf(initiator.keys.sending)
        session.receive(cipher.encrypt(encode(Login("alice"))), 0.0)
        return session, cipher


_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def run(inputs: int, seed: int) -> dict[str, Score]:
    """Feed as many inputs, in the targets' shares; raises `Fault` at the first that is neither taken nor refused."""
    fuzz, scores = Fuzz(seed), {name: Score() for name in SHARES}
    with tqdm(total=inputs, unit=" inputs", unit_scale=True, disable=not sys.stderr.isatty()) as progress:
        for name, share in SHARES.items():
            progress.set_description(name)
            for _ in range(inputs * share // 100):
                _feed(fuzz, getattr(fuzz, name), scores[name])
                progress.update()
    return scores


def _feed(fuzz: Fuzz, target: Callable[[], bool], score: Score) -> None:
    begun = time.thread_time()
    try:
        score.understood += target()
    except PeerFault as fault:
        _hold(fault.code in CODES and bool(fault.sentence), f"it is refused by an unknown code {fault.code!r}")
    except Exception as error:
        raise Fault(f"{target.__name__}: {type(error).__name__}: {error}\n{fuzz.last!r}") from error
    taken = time.thread_time() - begun
    if taken > SLOW:
        raise Fault(f"{target.__name__}: it takes {taken:.2f} s of CPU\n{fuzz.last!r}")
    score.inputs += 1
    score.size += len(fuzz.last)
    score.seconds += taken
    score.slowest = max(score.slowest, taken)


def main() -> int:
    parser = argparse.ArgumentParser("scripts/fuzz", description="Broken inputs for every decoder.")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many, over all (default: a million)")
    parser.add_argument("--seed", type=int, help="of the inputs' chance (default: another each time)")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    try:
        scores = run(chosen.inputs, seed)
    except Fault as fault:
        print(f"fuzz: {fault}", file=sys.stderr)
        return 1
    print(HEAD)
    for name, score in scores.items():
        cells = (score.inputs, score.size, score.understood, score.inputs - score.understood)
        each, slowest = 1e6 * score.seconds / max(1, score.inputs), 1e3 * score.slowest
        print(f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + f" | {each:.0f} | {slowest:.1f} |")
    total = sum(score.inputs for score in scores.values())
    print(f"{total:,} inputs: each understood or refused")
    return 0


def _hold(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def _selects(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


if __name__ == "__main__":
    sys.exit(main())
