"""What a chaos run has done and seen, the limits that it has to keep, and its verdict for people."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.siege.checker import Checker

BACK_WITHIN = 2.0
"""Seconds from a child's death to the first message stored after it, at most."""

ORPHANS_WITHIN = 2.0
"""Seconds that a child may outlive the main process, at most."""


@dataclass(slots=True)
class Record:
    """What the run has done and seen, beside the checker's faults."""

    kills: dict[str, int] = field(default_factory=dict)
    stops: dict[str, int] = field(default_factory=dict)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """Seconds to the first message stored, by the process that was killed last."""
    returns: list[float] = field(default_factory=list)
    """Seconds until all clients were in again."""
    orphans: list[float] = field(default_factory=list)
    """Seconds that the last child has outlived each main process."""
    drained: float = 0.0
    faults: list[str] = field(default_factory=list)


def summary(record: Record, checker: Checker, clients: int, took: float, stop_for: float) -> str:
    """What was done, what came of it, and the verdict, for people; adds the limits that weren't kept to the faults."""
    lines = [
        f"{clients} clients in {len(checker.rooms)} rooms, {took:.0f} s",
        f"kill -9: {sum(record.kills.values())} ({_counts(record.kills)})",
        f"SIGSTOP for {stop_for:g} s: {sum(record.stops.values())} ({_counts(record.stops)})",
        f"sent {checker.sent}: stored {checker.stored}, refused {checker.refused}, unknown {checker.unknown}; "
        f"heard {checker.heard}",
    ]
    for part, seconds in record.recoveries.items():
        lines.append(f"stored again after the death of {part}: {_spread(seconds)}")
        if part != "reader" and max(seconds) > BACK_WITHIN:
            record.faults.append(f"{part}: back only after {max(seconds):.2f} s")
    lines.append(f"all clients in again: {_spread(record.returns)}")
    lines.append(f"children outlived the main process by {_spread(record.orphans)}")
    if max(record.orphans, default=0) > ORPHANS_WITHIN:
        record.faults.append("children outlived the main process for too long")
    lines.append(f"SIGTERM under load: ended after {record.drained:.2f} s")
    if record.drained > BACK_WITHIN:
        record.faults.append("SIGTERM took too long")
    lines.append("integrity_check ok, no fault" if not record.faults else "FAULTS:")
    return "\n".join(lines + record.faults + checker.examples)


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{part} {count}" for part, count in numbers.items()) or "none"


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    return f"median {sorted(seconds)[len(seconds) // 2]:.2f} s, worst {max(seconds):.2f} s of {len(seconds)}"
