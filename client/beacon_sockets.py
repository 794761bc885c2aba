"""The UDP sockets of a search, and the interfaces that they are for.

An *asker* belongs to one interface, bound to its address, so what comes back says by which way it came. An *ear*
listens on the beacons' own port, bound to the group's or a broadcast address: bound to 0.0.0.0 it would take the
unicast datagrams from a server on the same machine.
"""

from __future__ import annotations

import ipaddress
import socket
import sys

import ifaddr

from chat.interfaces import GROUP, Interface

_IP_MULTICAST_ALL = 49  # <linux/in.h>: 0 keeps out what other sockets have joined for, on other interfaces


def interfaces() -> list[Interface]:
    """This machine's IPv4 interfaces as they are now."""
    return [
        Interface(adapter.nice_name, adapter.index or 0, ip.ip, ip.network_prefix)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str)
    ]


def default_ip() -> str:
    """The address that packets to far away leave from; empty if there is no way there. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of documentation (RFC 5737): only the route is looked up
            ip: str = probe.getsockname()[0]
        except OSError:
            return ""
        return ip


def asker(ip: str) -> socket.socket:
    """A socket that asks from the interface with this address; from 0.0.0.0 by the routing table. Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if ip != "0.0.0.0":
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ip))
        sock.bind((ip, 0))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def ear(address: str, ip: str, port: int) -> socket.socket:
    """A socket that hears what is sent to everybody (`address`) on the interface with address `ip`. Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT") and sys.platform != "linux":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # what BSD and macOS ask for here
        if sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.bind(("" if sys.platform == "win32" else address, port))  # Windows binds to no such address
        if address == GROUP:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton(ip))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def is_ip(host: str) -> bool:
    """Whether it is an address, not a name that would have to be looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a server at this address is on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
