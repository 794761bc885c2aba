"""How much each sender of datagrams may cost: a token bucket for each source address, in a table that stays small."""

from __future__ import annotations

from collections import OrderedDict

MAX_SOURCES = 1024
"""Sources remembered. One more, and the one unheard for longest is forgotten: it gets a full bucket if it comes back,
so the bucket for all together is what bounds those who invent addresses."""


class Bucket:
    """`rate` tokens a second flow in, up to `depth`."""

    __slots__ = ("_depth", "_last", "_rate", "_tokens")

    def __init__(self, rate: float, depth: float, now: float) -> None:
        self._rate, self._depth = rate, depth
        self._tokens, self._last = depth, now

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._tokens = min(self._depth, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Sources:
    """A bucket for each source, and one for all together."""

    def __init__(self, rate: float, burst: float, total: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._total = Bucket(total, total, now)

    def allow(self, source: str, now: float) -> bool:
        """Whether one thing more may be done for `source`."""
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = Bucket(self._rate, self._burst, now)
            if len(self._buckets) > MAX_SOURCES:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(source)
        return bucket.take(now) and self._total.take(now)

    def __len__(self) -> int:
        return len(self._buckets)
