"""Why a client can't go on, each with the exit status that the command line promises."""

from __future__ import annotations


class Failure(Exception):
    """Ends a command: `str()` is one line that says what to do, `status` the exit status."""

    status = 1


class Usage(Failure):
    """What was asked for can't be meant: a wrong option, or input that can't be sent."""

    status = 2


class Unreachable(Failure):
    """No server was found, or none answers where it should be."""

    status = 3


class Refused(Failure):
    """The server says no. `code` is the protocol's (name_taken, passphrase_wrong …)."""

    status = 4

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class KeyChanged(Failure):
    """The server at a known address proves another key than before."""

    status = 5
