"""Draw chat/protocol.py's table: `.venv/bin/python scripts/draw_protocol.py`. A test holds the README to it."""

from __future__ import annotations

from chat.protocol import TRANSITIONS, Phase, Step


def drawing() -> str:
    """One line for each step of a connection's life; the one that is possible nearly everywhere comes last."""
    width = max(len(phase.value) for phase in Phase)
    lines = [
        f"{before.value:<{width}} ──{step.value:─^9}─▶ {after.value}"
        for before, steps in TRANSITIONS.items()
        for step, after in steps.items()
        if step is not Step.END
    ]
    ending = ", ".join(phase.value for phase, steps in TRANSITIONS.items() if Step.END in steps)
    return "\n".join([*lines, f"{ending} ──end─▶ {Phase.CLOSED.value}"])


if __name__ == "__main__":
    print(drawing())
