"""The gate: a token bucket for each connection. Pure arithmetic; the time comes in with each call."""

from __future__ import annotations

from chat.faults import PeerFault

BURST = 3
"""A connection may burst to this many seconds' worth of its rate."""

PATIENCE = 200
"""Commands refused one after the other before the connection is dropped."""


class Gate:
    """Lets `rate` commands a second pass, and bursts of three seconds' worth; a rate of 0 lets all pass."""

    __slots__ = ("_last", "_rate", "_refused", "_tokens")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._tokens = rate * BURST
        self._last = 0.0
        self._refused = 0

    def wait(self, now: float) -> float:
        """Seconds to wait until a command may pass; 0.0 if this one does.

        Raises `PeerFault` once the peer has gone on for too long without waiting.
        """
        if not self._rate:
            return 0.0
        self._tokens = min(self._rate * BURST, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens >= 1:
            self._tokens -= 1
            self._refused = 0
            return 0.0
        self._refused += 1
        if self._refused > PATIENCE:
            raise PeerFault("too_fast", f"More than {self._rate:g} messages a second for too long; slow down.")
        return (1 - self._tokens) / self._rate
