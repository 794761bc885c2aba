"""The life of one connection as a literal table: which step may follow in which phase, and where it leads.

Both sides walk it. A step that isn't in the table is the peer's fault ("out_of_order"), never a surprise.
"""

from __future__ import annotations

import enum

from chat.faults import PeerFault


class Phase(enum.Enum):
    """Where a connection stands."""

    OPENED = "opened"  # TCP stands, nothing was said
    ANSWERED = "answered"  # the server has answered the client's hello
    PROVED = "proved"  # both keys are proved, the ciphers stand
    NAMED = "named"  # the login is under way or done; commands may come
    CLOSED = "closed"


class Step(enum.Enum):
    """What moves a connection on."""

    HELLO = "hello"  # client: preface and Noise message 1; server: Noise message 2
    PROOF = "proof"  # client: Noise message 3
    LOGIN = "login"  # client: the first encrypted message
    COMMAND = "command"  # client: any other command
    END = "end"  # either: hang-up, fault, goodbye, deadline


TRANSITIONS: dict[Phase, dict[Step, Phase]] = {
    Phase.OPENED: {Step.HELLO: Phase.ANSWERED, Step.END: Phase.CLOSED},
    Phase.ANSWERED: {Step.PROOF: Phase.PROVED, Step.END: Phase.CLOSED},
    Phase.PROVED: {Step.LOGIN: Phase.NAMED, Step.END: Phase.CLOSED},
    Phase.NAMED: {Step.COMMAND: Phase.NAMED, Step.END: Phase.CLOSED},
    Phase.CLOSED: {},
}


def advance(phase: Phase, step: Step) -> Phase:
    """The phase after `step`. Raises `PeerFault("out_of_order")` if the step isn't allowed now."""
    try:
        return TRANSITIONS[phase][step]
    except KeyError:
        sentence = f"A {step.value} can't come while the connection is {phase.value}."
        raise PeerFault("out_of_order", sentence) from None
