"""`Peek`: learn which key answers at an address, without waiting and without showing one's own.

The first two messages of the handshake are exchanged, with a key made for the purpose; then it is broken off. So what
a beacon promised is proved before anybody acts on it. Driven by a selector: nothing in here blocks.
"""

from __future__ import annotations

import errno
import socket

from chat.faults import PeerFault
from chat.frames import Cutter, frame
from chat.secure import Initiator, new_private_key
from client.config import Address

_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN}


class _Seen(Exception):
    """Ends a handshake: the server's key is known now."""


class Peek:
    """One attempt. `key` is there once it has succeeded, `trouble` (a short reason) once it has failed."""

    def __init__(self, address: Address, *, passphrase: bool) -> None:
        self.address = address
        self.key = b""
        self.trouble = ""
        # The passphrase enters only with the client's proof, which isn't sent: any will do to get that far.
        self._initiator = Initiator(new_private_key(), bytes(32) if passphrase else None, self._see)
        self._cutter = Cutter()
        self._begun = False
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        error = self.socket.connect_ex(address)
        if error and error not in _UNDER_WAY:
            self._fail(OSError(error, ""))

    @property
    def over(self) -> bool:
        return bool(self.key or self.trouble)

    @property
    def wants_to_write(self) -> bool:
        """Whether it waits for the connection; afterwards it waits for the answer."""
        return not self._begun

    def go_on(self) -> None:
        """Call when the socket is ready for what it waits for."""
        try:
            if not self._begun:
                error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "")
                self._begun = True
                self.socket.send(frame(self._initiator.hello()))
                return
            data = self.socket.recv(4096)
            frames = self._cutter.feed(data)
            if frames:
                self._initiator.answer(frames[0])
            elif not data:
                self.trouble = "it hung up"
        except _Seen:
            pass
        except PeerFault as fault:
            self.trouble = fault.sentence
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        self.socket.close()

    def _see(self, key: bytes) -> None:
        self.key = key
        raise _Seen

    def _fail(self, error: OSError) -> None:
        refused = error.errno in (errno.ECONNREFUSED, errno.ECONNRESET)
        self.trouble = "connection refused" if refused else errno.errorcode.get(error.errno or 0, "error")
