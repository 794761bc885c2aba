"""The life of one connection as a literal table: which step may follow in which phase, and where it leads.

Both sides walk it. A step that isn't in the table is the peer's fault ("out_of_order"), never a surprise.

**Signs of life.** That a link is dead (a cut cable, a machine that lost its power) the kernel finds out by itself: both
sides have it probe a silent connection, `DEAD_LINK` in all, and no program wakes up for that. What a kernel can't know
is whether the program behind the other one still works, so a client asks with a `Ping` every `HEARTBEAT`, and sooner
where an answer is due; and a server ends a connection of whose program it has heard nothing for `SILENCE_LIMIT`.
"""

from __future__ import annotations

import enum

from chat.faults import PeerFault

HEARTBEAT = 60.0
"""Seconds: a client says something at least that often."""

SILENCE_LIMIT = 150.0
"""Seconds after which a server ends the connection of a client that said nothing."""

PROBE_AFTER, PROBE_EVERY, PROBES = 10, 5, 3
"""TCP keepalive: seconds of silence until the first probe, seconds between two, and how many may be lost."""

DEAD_LINK = PROBE_AFTER + PROBE_EVERY * PROBES
"""Seconds after which a link that takes nothing is dead, whether it was silent or busy."""


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
