"""What is on its way to the server: lines in, batches out, and the numbers they got back, in order.

Sent line by line, each would wait a round trip and a disk's sync; sent all at once, a flood limit could let a later
line pass before an earlier one that it refused. So they travel in batches of one frame each, the next one when
every line of the last is answered: the server judges a frame at one moment, so what it refuses as too fast is
the batch's end, and sending that again keeps the order.

Pure: no socket and no clock; `hold` says how long to wait before the next batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from chat.codec import MAX_PLAINTEXT, encode
from chat.messages import Refused, Said, Say, Tell

WINDOW = 64
"""Lines sent and not yet answered, at most."""

Line = Say | Tell


class Outgoing:
    """Lines that aren't known to be stored yet. Whoever loses a connection says so and sends `batch` again."""

    def __init__(self) -> None:
        self.hold = 0.0
        """Seconds to wait before the next batch."""
        self.refusal: Refused | None = None
        """Why the server will not have a line, whenever it comes."""
        self._window = WINDOW
        self._waiting: deque[Line] = deque()
        self._flight: dict[str, Line] = {}
        self._too_fast: list[Line] = []
        self._order: deque[str] = deque()  # labels of all that isn't printed yet
        self._stored: dict[str, Said] = {}
        self._passed = 0

    def __len__(self) -> int:
        """How many lines aren't known to be stored."""
        return len(self._waiting) + len(self._flight) + len(self._too_fast)

    @property
    def in_flight(self) -> bool:
        """Whether a batch is sent and not yet answered to its end."""
        return bool(self._flight)

    def add(self, line: Line) -> None:
        self._waiting.append(line)
        self._order.append(line.label)

    def batch(self) -> list[Line]:
        """The lines to send now, as one frame; none while others are unanswered."""
        if self._flight:
            return []
        batch: list[Line] = []
        size = 0
        while self._waiting and len(batch) < self._window:
            size += len(encode(self._waiting[0]))
            if size > MAX_PLAINTEXT:
                break
            batch.append(self._waiting.popleft())
        self._flight = {line.label: line for line in batch}
        self._passed = 0
        self.hold = 0.0
        return batch

    def answer(self, message: Said | Refused) -> None:
        """Take the server's word on a line; words on anything else are passed over."""
        line = self._flight.pop(message.label, None)
        if line is None:
            return
        if isinstance(message, Said):
            self._stored[message.label] = message
            self._passed += 1
        elif message.code == "too_fast":
            self._too_fast.append(line)
            self.hold = max(self.hold, message.wait)
        elif self.refusal is None:
            self.refusal = message
        if not self._flight:
            self._settle()

    def lost(self) -> None:
        """The connection is gone: what is unanswered will be sent again, under the same labels."""
        self._waiting.extendleft(reversed(self._flight.values()))
        self._flight = {}
        self._settle()

    def numbered(self) -> Iterator[Said]:
        """The stored lines in the order in which they were added, each once, as far as that is known."""
        while self._order and self._order[0] in self._stored:
            yield self._stored.pop(self._order.popleft())

    def stored_despite(self) -> list[Said]:
        """The lines stored although one before them was refused."""
        return [self._stored[label] for label in self._order if label in self._stored]

    def _settle(self) -> None:
        """A batch is answered: learn from it how large the next one may be."""
        if self._too_fast:
            self._waiting.extendleft(reversed(self._too_fast))
            self._too_fast = []
            self._window = max(1, self._passed // 2)
        else:
            self._window = min(WINDOW, self._window + 1)
