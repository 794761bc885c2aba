"""Why a server can't begin, or can't go on: ends `chat-server` with one line and exit status 1."""


class CannotServe(Exception):
    """The sentence says why, and what to do."""
