"""The UDP socket of the beacons: sends on a chosen interface, and says on which one something came.

- One socket for all interfaces, bound to every address: a broadcast reaches only sockets bound to 0.0.0.0 or to the
  broadcast address itself. IP_PKTINFO (ip(7)) tells for each datagram the interface that it came by, and chooses the
  one that it leaves by; else the routing table would, and a VPN's default route takes what was meant for the next desk.
- A server on loopback binds 127.255.255.255 instead, where nothing from outside can come in.
- SO_REUSEADDR lets several servers and clients of one machine use the port: each gets every broadcast and multicast.
  A unicast datagram goes to one of them only (the last that was bound), so probes to a machine are broadcast within it.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

import ifaddr

from chat.interfaces import GROUP, Interface, is_attached

IP_PKTINFO, IP_MULTICAST_ALL = 8, 49  # <linux/in.h>; Python's socket module doesn't name them
_PKTINFO = struct.Struct("=i4s4s")  # interface, its address to send from, the destination of what came
_MREQN = struct.Struct("=4s4si")
_ANCILLARY = socket.CMSG_SPACE(_PKTINFO.size)
MAX_READ = 2048


@dataclass(frozen=True, slots=True)
class Came:
    """A datagram, who sent it, the interface (its number) that it came by, and which address it was sent to.

    `to_everybody` says that this was a broadcast or multicast address, which no router passes on: the sender is here.
    """

    data: bytes
    source: tuple[str, int]
    interface: int
    destination: str
    to_everybody: bool


def interfaces() -> list[Interface]:
    """This machine's IPv4 interfaces as they are now."""
    return [
        Interface(adapter.name, adapter.index or 0, ip.ip, ip.network_prefix)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str)
    ]


def face_of(came: Came, faces: tuple[Interface, ...]) -> Interface | None:
    """The interface that something came by; among its addresses, the one in whose network the sender is."""
    same = [face for face in faces if face.index == came.interface]
    return next((face for face in same if is_attached(came.source[0], [face])), same[0] if same else None)


class BeaconSocket:
    """Blocking, with a time limit for each `receive`. Raises OSError if the port can't be had."""

    def __init__(self, port: int, *, loopback_only: bool) -> None:
        self.sent = self.came = 0
        """Datagrams so far."""
        self._port = port
        self._joined: set[int] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            for level, option in ((socket.SOL_SOCKET, socket.SO_REUSEADDR), (socket.SOL_SOCKET, socket.SO_BROADCAST)):
                self._socket.setsockopt(level, option, 1)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            # 0: only groups that this socket has joined, on the interfaces where it has.
            self._socket.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
            self._socket.bind(("127.255.255.255" if loopback_only else "", port))
        except OSError:
            self._socket.close()
            raise

    def follow(self, current: tuple[Interface, ...]) -> None:
        """Be in the multicast group on just these interfaces. What can't be joined is left to broadcast."""
        wanted = {face.index for face in current if not face.is_loopback}
        for index in self._joined - wanted:
            self._change_membership(socket.IP_DROP_MEMBERSHIP, index)
        for index in wanted - self._joined:
            self._change_membership(socket.IP_ADD_MEMBERSHIP, index)
        self._joined = wanted

    def send_to_everybody(self, datagram: bytes, face: Interface) -> list[OSError]:
        """Send to all on the interface's link, in every way there is. What failed comes back."""
        failures = []
        for address in face.everybody:
            try:
                self._send(datagram, (address, self._port), face.index, face.ip)
            except OSError as error:
                failures.append(error)
        return failures

    def answer(self, datagram: bytes, came: Came, face: Interface) -> None:
        """Send to the one whom something came from, by the way it came. Raises OSError."""
        # With the interface given and no route to the asker, Linux takes them to be on its link: so one whose netmask
        # differs from ours hears from us all the same.
        self._send(datagram, came.source, face.index, face.ip)

    def send(self, datagram: bytes, ip: str) -> None:
        """Send to the beacons' port of a machine, by the way that the routing table says. Raises OSError."""
        self._socket.sendto(datagram, (ip, self._port))
        self.sent += 1

    def receive(self, timeout: float) -> Came | None:
        """The next datagram, or None after `timeout` seconds."""
        self._socket.settimeout(timeout)
        try:
            data, ancillary, _, source = self._socket.recvmsg(MAX_READ, _ANCILLARY)
        except (TimeoutError, BlockingIOError):
            return None
        self.came += 1
        for level, kind, content in ancillary:
            if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
                index, local, destination = _PKTINFO.unpack(content[: _PKTINFO.size])
                # For a broadcast or a multicast the kernel names another one as the local address.
                return Came(data, source, index, socket.inet_ntoa(destination), local != destination)
        raise AssertionError("IP_PKTINFO was asked for")

    def close(self) -> None:
        self._socket.close()

    def _send(self, datagram: bytes, address: tuple[str, int], index: int, ip: str) -> None:
        way = _PKTINFO.pack(index, socket.inet_aton(ip), bytes(4))
        self._socket.sendmsg([datagram], [(socket.IPPROTO_IP, IP_PKTINFO, way)], 0, address)
        self.sent += 1

    def _change_membership(self, option: int, index: int) -> None:
        try:
            self._socket.setsockopt(socket.IPPROTO_IP, option, _MREQN.pack(socket.inet_aton(GROUP), bytes(4), index))
        except OSError:
            pass  # no multicast on it, or it is gone
