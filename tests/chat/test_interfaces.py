"""Interfaces: everybody on a link is reached by its own broadcast address, and by the group."""

from __future__ import annotations

import pytest

from chat.interfaces import GROUP, Interface, chosen, is_attached

LO = Interface("lo", 1, "127.0.0.1", 8)
ETH = Interface("eth0", 2, "10.1.2.3", 20)
TUN = Interface("tun0", 3, "10.9.0.2", 32)


@pytest.mark.parametrize(
    ("face", "everybody"),
    [
        (LO, ("127.255.255.255",)),
        (ETH, ("10.1.15.255", GROUP)),
        (TUN, (GROUP,)),
        (Interface("eth0", 2, "10.0.0.10", 25), ("10.0.0.127", GROUP)),
    ],
)
def test_everybody_on_a_link(face: Interface, everybody: tuple[str, ...]) -> None:
    assert face.everybody == everybody


def test_only_loopback_when_told_so() -> None:
    assert chosen([TUN, LO, ETH], loopback_only=True) == (LO,)
    assert chosen([TUN, LO, ETH, ETH], loopback_only=False) == (LO, ETH, TUN)


def test_attached_is_who_shares_a_network() -> None:
    assert is_attached("10.1.15.1", [LO, ETH]) and is_attached("127.5.5.5", [LO])
    assert not is_attached("10.1.16.1", [LO, ETH]) and not is_attached("8.8.8.8", [TUN])
