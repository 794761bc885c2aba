"""Which server to talk to: the one that was named, or those that are found; and if none is, the likely reason."""

from __future__ import annotations

from client import explain
from client.beacon_sockets import default_ip
from client.config import Address, Options
from client.failures import Unreachable
from client.finder import NAME_ONE, Found, Hunt, Known
from client.home import Home
from client.search import Search


def locate(options: Options, home: Home) -> Address:
    """The server that `--server` names, else the one used last of those found. Raises `Unreachable`."""
    return options.server if options.server is not None else servers(options, home)[0].address


def servers(options: Options, home: Home, *, in_a_hurry: bool = True) -> list[Found]:
    """The servers that are found, the one used last first. Raises `Unreachable` if there is none."""
    known = Known(home)
    with Search(options, known.places) as search:
        hunt = Hunt(options, known, search)
        hunt.run(in_a_hurry=in_a_hurry)
        if hunt.proved:
            return [hunt.proved[key] for key in hunt.by_last_use()]
        ways = [*search.ways, search.elsewhere]
        verdicts = explain.diagnose(ways, hunt.sightings, hunt.tries, default_ip(), options.beacon_port)
    raise Unreachable(why_none(options, verdicts))


def why_none(options: Options, verdicts: list[explain.Verdict]) -> str:
    """One line that says that no server was found, why that may be, and what to do."""
    where = "on this machine" if options.discovery == "loopback" else "on the network"
    verdict = explain.worst(verdicts)
    if verdict is None:
        return f"No server was found {where}; {NAME_ONE}."
    advice = f"{NAME_ONE[0].upper()}{NAME_ONE[1:]}." if verdict.reason == "silent" else verdict.advice
    return f"No server was found {where} ({verdict.interface.split()[0]}: {verdict.sentence.rstrip('.')}). {advice}"
