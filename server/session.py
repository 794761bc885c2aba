"""The session: one connection's conversation as a generator coroutine, from the first byte to the last.

`yield` is where it waits. It is sent a frame and the time at which the frame came, and yields the list of actions
that follow. It knows no socket, clock, thread or process, so anything can drive it: the edge-triggered loop of
server/reader.py does, a test does with a list, and each file in server/models/ does in its own way.

It reads top to bottom as the protocol does: hello, proof, login, commands. A peer's fault never raises through the
loop: it becomes a `Drop`, and the coroutine ends.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from chat.ciphers import ReceivingHalf
from chat.codec import decode_commands
from chat.faults import PeerFault
from chat.frames import frame
from chat.messages import Command, Login, Refused
from chat.protocol import Phase, Step, advance
from chat.secure import Keys, Responder, alert
from server.gate import Gate

# --- what a session asks its driver to do -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """Write these bytes to the client, before the ciphers stand."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Handover:
    """The handshake is done: everything sent from now on is encrypted with `keys.sending`."""

    keys: Keys


@dataclass(frozen=True, slots=True)
class Submit:
    """Carry out a command."""

    command: Command


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the client that a command isn't carried out."""

    notice: Refused


@dataclass(frozen=True, slots=True)
class Drop:
    """Tell the client why, and end the connection. `alert` is the plain frame for it if no ciphers stand yet."""

    code: str
    sentence: str
    alert: bytes = b""


Action = Answer | Handover | Submit | Refuse | Drop
Script = Generator[list[Action], bytes, None]


class Session:
    """A session and the phase that it is in. Feed it frames; it ends with a `Drop` or with its connection."""

    __slots__ = ("_cipher", "_clock", "_gate", "_script", "phase")

    def __init__(self, private_key: bytes, psk: bytes | None, gate: Gate) -> None:
        self.phase = Phase.OPENED
        self._cipher: ReceivingHalf | None = None
        self._clock = 0.0
        self._gate = gate
        self._script = self._converse(Responder(private_key, psk))
        next(self._script)

    def receive(self, payload: bytes, now: float) -> list[Action]:
        """The actions that a frame leads to. `now` is monotonic, in seconds."""
        if self.phase is Phase.CLOSED:
            return []
        self._clock = now
        return self._script.send(payload)

    def rest(self) -> None:
        """Keep nothing that is easily made again: to be called when no further frame is at hand.

        Of ten thousand connections few talk at a time, and each would keep 2.4 KB for what takes 1 µs to make.
        """
        if self._cipher is not None:
            self._cipher.rest()

    def __repr__(self) -> str:
        return f"<Session {self.phase.value}>"

    def _converse(self, responder: Responder) -> Script:
        try:
            keys = yield from self._shake_hands(responder)
        except PeerFault as fault:
            yield self._drop(fault, alert(fault.code))
            return
        del responder  # its handshake holds kilobytes, and this frame lives as long as the connection
        self._cipher = ReceivingHalf(keys.receiving)
        yield from self._talk(self._cipher, keys)

    def _shake_hands(self, responder: Responder) -> Generator[list[Action], bytes, Keys]:
        hello = yield []
        answer = responder.answer(hello)
        self.phase = advance(self.phase, Step.HELLO)
        proof = yield [Answer(frame(answer))]
        keys = responder.finish(proof)
        self.phase = advance(self.phase, Step.PROOF)
        return keys

    def _talk(self, cipher: ReceivingHalf, keys: Keys) -> Script:
        actions: list[Action] = [Handover(keys)]
        while True:
            payload = yield actions
            actions = []
            try:
                for command in decode_commands(cipher.decrypt(payload)):
                    actions.append(self._act_on(command))
            except PeerFault as fault:  # the frame can't be read to its end; what came before it counts
                actions += self._drop(fault)

    def _act_on(self, command: Command | PeerFault) -> Action:
        if isinstance(command, PeerFault):
            if self.phase is not Phase.NAMED:
                raise command
            return Refuse(Refused(command.label, command.code, command.sentence))
        self.phase = advance(self.phase, Step.LOGIN if isinstance(command, Login) else Step.COMMAND)
        wait = self._gate.wait(self._clock)
        if wait:
            sentence = f"Too many messages; wait {wait:.1f} s and send it again."
            return Refuse(Refused(getattr(command, "label", ""), "too_fast", sentence, wait))
        return Submit(command)

    def _drop(self, fault: PeerFault, plain: bytes = b"") -> list[Action]:
        self.phase = advance(self.phase, Step.END)
        return [Drop(fault.code, fault.sentence, frame(plain) if plain else b"")]
