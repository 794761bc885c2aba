"""One room's messages in order, each once: what `--tail` shows, whatever the network and the server's deaths do.

Pure: feed it what comes; it gives what to show and says what to ask for. A message that isn't the next one is not
shown and needn't be kept: it is stored on the server, so the hole before it is fetched page by page, and the message
itself comes with the last of them.
"""

from __future__ import annotations

from chat.messages import Page, PageEnd, Said

PAGE_SIZE = 200


class Place:
    """`shown` is the number of the last message shown, or None until one knows where to begin."""

    def __init__(self, since: int | None) -> None:
        self.shown = since
        self._newest = 0
        self._asked = ""  # label of the page that is on its way
        self._reached = 0  # what was shown when it was asked for

    def begin(self, last: int) -> None:
        """The room's newest message is number `last`: without a place to begin, begin after it."""
        if self.shown is None:
            self.shown = last

    def take(self, message: Said) -> Said | None:
        """The message, if it is the next one to show."""
        self._newest = max(self._newest, message.seq)
        if self.shown is None or message.seq != self.shown + 1:
            return None
        self.shown = message.seq
        return message

    def ask(self, room: str, label: str) -> Page | None:
        """The page to ask for, if there is a hole; `label` is a new one to use."""
        if self._asked or self.shown is None or self._newest <= self.shown:
            return None
        self._asked, self._reached = label, self.shown
        return Page(label, room, self.shown + PAGE_SIZE + 1, PAGE_SIZE)

    def page_ended(self, end: PageEnd) -> bool:
        """A page is complete. False if it was the one asked for and brought nothing on: the hole can't be filled."""
        if self.shown is None or end.label != self._asked:
            return True
        self._asked = ""
        return self.shown > self._reached or self._newest <= self.shown

    def refused(self, label: str) -> bool:
        """Whether it was the page asked for that was refused; it may be asked for again."""
        mine = bool(label) and label == self._asked
        self._asked = "" if mine else self._asked
        return mine

    def lost(self) -> None:
        """The connection is gone; a new one replays what comes after `shown`."""
        self._asked = ""
        self._newest = 0
