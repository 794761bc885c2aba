"""A machine's network interfaces as values: which addresses reach everybody on each of them.

Where they are listed (server/beacon_socket.py, client/search.py) is no business of this file.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

GROUP = "239.255.76.67"
"""The multicast group of beacons: administratively scoped (RFC 2365), so it stays within an organisation, and sent
with a time to live of 1, so it stays within a link."""

LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Interface:
    """One IPv4 address of one interface. Two addresses of one interface are two of these."""

    name: str
    index: int
    ip: str
    prefix: int

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network((self.ip, self.prefix), strict=False)

    @property
    def is_loopback(self) -> bool:
        return ipaddress.IPv4Address(self.ip) in LOOPBACK

    @property
    def broadcast(self) -> str | None:
        """The directed broadcast address, by the netmask; None on a point-to-point link, which has none."""
        return str(self.network.broadcast_address) if self.prefix < 31 else None

    @property
    def everybody(self) -> tuple[str, ...]:
        """Where to send what everybody on the link is to get: either way may be blocked, so both are used.

        Loopback has no multicast by default, and its broadcast is enough.
        """
        broadcast = self.broadcast
        ways = () if broadcast is None else (broadcast,)
        return ways if self.is_loopback else (*ways, GROUP)


def chosen(interfaces: Iterable[Interface], *, loopback_only: bool) -> tuple[Interface, ...]:
    """Those to use: all with an address that isn't self-assigned by accident, each address once, in a fixed order."""
    usable = {face for face in interfaces if face.is_loopback or not loopback_only}
    return tuple(sorted(usable, key=lambda face: (face.index, ipaddress.IPv4Address(face.ip))))


def is_attached(ip: str, interfaces: Iterable[Interface]) -> bool:
    """Whether `ip` is in a network that one of the interfaces is in."""
    address = ipaddress.ip_address(ip)
    return any(address in face.network for face in interfaces)
