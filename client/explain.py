"""Why a network doesn't show its servers: what was tried on every interface, what came of it, the likely reason, and
what to do. `check` does the trying; `diagnose` only judges, and can be asked about any network.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chat.beacon import Beacon
from chat.interfaces import Interface
from chat.text import safe_text
from client.beacon_sockets import default_ip
from client.config import Options
from client.finder import Hunt, Known, Try
from client.home import Home
from client.search import Search, Sighting, Way

CHECK = 3.5
"""Seconds that a check takes: a beacon comes every three, asked for or not."""

TUNNELS = ("tun", "tap", "wg", "ppp", "utun", "ipsec", "tailscale", "zt")
"""What the names of VPN interfaces begin with."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One interface: what was done, what came back, and what that means. `reason` is for programs."""

    interface: str
    sent: str
    came: str
    reason: str
    sentence: str
    advice: str = ""

    def __str__(self) -> str:
        lines = [self.interface, f"  sent: {self.sent}", f"  came back: {self.came}", f"  {self.sentence}"]
        return "\n".join([*lines, f"  what to do: {self.advice}"] if self.advice else lines)


def check(options: Options, home: Home, seconds: float = CHECK) -> list[Verdict]:
    """Search on every interface for `seconds`, and say how each is doing."""
    known = Known(home)
    with Search(options, known.places) as search:
        hunt = Hunt(options, known, search)
        hunt.run(limit=seconds, to_the_end=True)
        return diagnose([*search.ways, search.elsewhere], hunt.sightings, hunt.tries, default_ip(), options.beacon_port)


def diagnose(
    ways: Sequence[Way],
    sightings: Mapping[bytes, Sequence[Sighting]],
    tries: Iterable[Try],
    default: str,
    beacon_port: int,
) -> list[Verdict]:
    """A verdict on each of `ways` by which something was sent or could have been. `default` is the address that
    packets to far away leave from."""
    tries = list(tries)
    here = [way for way in ways if way.interface.index]
    verdicts = []
    for way in ways:
        seen = [sighting.beacon for seen in sightings.values() for sighting in seen if sighting.way is way]
        if not way.interface.index and not way.sent:
            continue  # nobody has been met before
        reason, sentence, advice = _judge(way, seen, tries, here, default, beacon_port)
        verdicts.append(Verdict(_title(way.interface), _sent(way), _came(way, seen), reason, sentence, advice))
    return verdicts


def worst(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The verdict that explains best why nothing was found."""
    order = ("refused", "netmask", "unreachable", "cant_send", "vpn", "udp_blocked", "only_loopback", "silent")
    failing = [verdict for verdict in verdicts if verdict.reason in order and not verdict.interface.startswith("lo ")]
    return min(failing, key=lambda verdict: order.index(verdict.reason), default=None)


def _judge(
    way: Way, seen: list[Beacon], tries: list[Try], here: list[Way], default: str, beacon_port: int
) -> tuple[str, str, str]:
    face = way.interface
    if seen:
        return _judge_seen(face, seen, tries)
    if not face.index:
        return _judge_elsewhere(tries, beacon_port)
    if not way.sent:
        blocked = any("not permitted" in failure for failure in way.failed)
        why = "A firewall of this machine forbids it." if blocked else "; ".join(dict.fromkeys(way.failed))
        advice = f"Allow UDP port {beacon_port} out on {face.name}." if blocked else f"Check {face.name}'s settings."
        return "cant_send", f"Nothing could be sent here. {why}", advice
    if face.is_loopback:
        return "nobody_here", "No server runs on this machine.", ""
    if _is_tunnel(face):
        if face.ip == default:
            sentence = "Silence: this looks like a VPN, and it holds the default route; the local network is behind it."
            return "vpn", sentence, "Disconnect the VPN or let it allow the local network; or name the server."
        return "tunnel", "Silence: this looks like a VPN, which carries no broadcasts.", ""
    if any(other.interface.is_loopback and other.answers for other in here):
        sentence = "Silence, though this machine's own server answers on loopback: nothing comes back from the network."
        return "only_loopback", sentence, f"If others should be here, check the firewalls for UDP port {beacon_port}."
    sentence = (
        "Silence: no server on this network, or a firewall drops UDP port "
        f"{beacon_port}, or the access point keeps its clients apart."
    )
    return "silent", sentence, "Ask for the server's address and name it once with --server; it is remembered."


def _judge_seen(face: Interface, seen: list[Beacon], tries: list[Try]) -> tuple[str, str, str]:
    keys = {beacon.key for beacon in seen if not beacon.leaving}
    reached = {attempt.key for attempt in tries if not attempt.trouble}
    missing = [beacon for beacon in seen if beacon.key in keys - reached]
    if not missing:
        return "fine", "Fine.", ""
    beacon = missing[0]
    failed = [attempt for attempt in tries if attempt.key == beacon.key]
    name = safe_text(beacon.name)
    where = ", ".join(f"{attempt.address[0]}:{attempt.address[1]}" for attempt in failed) or f"port {beacon.port}"
    mask = _other_mask(face, beacon)
    if mask:
        sentence = f"{name} is seen, but takes its network to be {mask}, and this machine {face.network}."
        return "netmask", sentence, "Give both machines the same netmask."
    if any(attempt.trouble == "connection refused" for attempt in failed):
        sentence = f"{name} is seen, but TCP is refused at {where}: a firewall closes the port, or the server is gone."
        return "refused", sentence, f"Allow TCP port {beacon.port} on the server's machine."
    sentence = f"{name} is seen, but TCP gets no answer at {where}: a firewall or a missing route."
    return "unreachable", sentence, f"Allow TCP port {beacon.port} on the server's machine, and check the routes."


def _judge_elsewhere(tries: list[Try], beacon_port: int) -> tuple[str, str, str]:
    if any(not attempt.trouble for attempt in tries):
        sentence = "A server met before answers by TCP, though no beacon of it comes."
        return "udp_blocked", sentence, f"For --who to show it, let UDP port {beacon_port} through to it."
    return "gone", "No server met before answers where it was.", "If it has moved, name its new address with --server."


def _other_mask(face: Interface, beacon: Beacon) -> str:
    """The network that the server takes itself to be in, if it is another than ours although its address is in ours."""
    for place in beacon.places:
        ip = ipaddress.ip_address(place.packed)
        ours = ip in face.network
        theirs = ipaddress.ip_address(face.ip) in ipaddress.ip_network(place.network)
        if (ours or theirs) and place.network != str(face.network):
            return place.network
    return ""


def _is_tunnel(face: Interface) -> bool:
    return face.prefix >= 31 or face.name.lower().startswith(TUNNELS)


def _title(face: Interface) -> str:
    return f"{safe_text(face.name)}  {face.ip}/{face.prefix}" if face.index else "servers met before"


def _sent(way: Way) -> str:
    if not way.sent:
        return "nothing"
    return ", ".join(f"{count} probes to {address}" for address, count in Counter(way.sent).items())


def _came(way: Way, seen: list[Beacon]) -> str:
    if not (way.answers or way.heard):
        return "nothing" + (f" but {way.noise} datagrams of noise" if way.noise else "")
    names = ", ".join(sorted({safe_text(beacon.name) for beacon in seen}))
    return f"{way.answers} answers, {way.heard} beacons unasked" + (f", of {names}" if names else "")
