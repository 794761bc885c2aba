"""The lines of standard input, decoded, as they come.

Read with `os.read`, not through `sys.stdin`: a thread that waits in Python's own buffer could hold that buffer's
lock when the program ends, and a line must be sent when it is there, not when a block is full.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator

from chat.fields import MAX_TEXT
from client.failures import Usage

READ_SIZE = 65_536


def lines(descriptor: int, encoding: str) -> Iterator[str]:
    """The lines without their ends, empty ones left out: there is no empty message.

    Raises `Usage` at the first line that can't be sent; those before it have been given by then.
    """
    number = 0
    rest = ""
    try:
        for text in _decoded(descriptor, encoding):
            *whole, rest = (rest + text).split("\n")
            for line in whole:
                number += 1
                if line.removesuffix("\r"):
                    yield checked(line.removesuffix("\r"), f"Line {number} of the input")
            if len(rest) > MAX_TEXT:  # don't gather what can't be sent
                checked(rest, f"Line {number + 1} of the input")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise Usage(
            f"Line {number + 1} of the input holds the byte 0x{byte:02X}, which isn't {encoding} there; "
            "name the input's encoding with --encoding."
        ) from None
    if rest:
        yield checked(rest, f"Line {number + 1} of the input")


def checked(text: str, what: str) -> str:
    """`text`, if it can be sent. Raises `Usage` with a sentence about `what` otherwise."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Usage(f"{what} isn't valid text; mend its characters and send it again.") from None
    if not size:
        raise Usage(f"{what} is empty; there is nothing to send.")
    if size > MAX_TEXT:
        raise Usage(f"{what} is too long: a message may have {MAX_TEXT:,} bytes of UTF-8; send it in parts.")
    return text


def _decoded(descriptor: int, encoding: str) -> Iterator[str]:
    """Pieces of text; what stands before a wrong byte is given before its UnicodeDecodeError is raised."""
    decoder = codecs.getincrementaldecoder(encoding)()
    data = b"-"
    while data:
        data = os.read(descriptor, READ_SIZE)
        state = decoder.getstate()
        try:
            yield decoder.decode(data, not data)
        except UnicodeDecodeError:
            decoder.setstate(state)
            for index in range(len(data)):  # byte by byte up to the wrong one
                yield decoder.decode(data[index : index + 1])
            raise
