"""`chat-server`: the command line. Imports the server only when it runs one, so that the children, which import
this file again as their main module, start quickly."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from server import models
from server.config import Config

if TYPE_CHECKING:
    from server.datafolder import DataFolder

CANNOT_SERVE = 1
WRONG_USAGE = 2

PIPELINE = "pipeline"

Run = Callable[[Config, "DataFolder"], None]
"""Serves until SIGTERM or SIGINT. Raises `CannotServe` or `Lacking`."""


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit status: 0 ended cleanly, 1 can't serve, 2 wrong usage."""
    chosen = _parser().parse_args(argv)
    if chosen.top:
        from server import top
        from server.datafolder import gauges_of

        return top.run(gauges_of(chosen.data))
    if chosen.relay:
        return _relay(chosen)
    return _serve(_config(chosen))


def _relay(chosen: argparse.Namespace) -> int:
    from server import relay

    try:
        relay.run(chosen.beacon_port, tuple(chosen.hint), loopback_only=chosen.host.startswith("127."))
    except OSError as error:
        sentence = f"UDP port {chosen.beacon_port} can't be had: {error.strerror}; choose another with --beacon-port."
        print(f"chat-server: {sentence}", file=sys.stderr)
        return CANNOT_SERVE
    return 0


def _serve(config: Config) -> int:
    run = _pipeline() if config.model == PIPELINE else _model(config.model)
    from server.datafolder import DataFolder
    from server.failures import CannotServe

    os.umask(0o077)  # what a server writes is for its user alone, wherever --data points
    try:
        folder = DataFolder(config.data)
        try:
            run(config, folder)
        finally:
            folder.close()
    except models.Lacking as lack:
        print(f"chat-server: {lack}", file=sys.stderr)
        return WRONG_USAGE
    except CannotServe as trouble:
        print(f"chat-server: {trouble}", file=sys.stderr)
        return CANNOT_SERVE
    return 0


def _pipeline() -> Run:
    from server.supervisor import Supervisor

    return lambda config, folder: Supervisor(config, folder).run()


def _model(name: str) -> Run:
    model = models.load(name)  # before anything else is imported: gevent's patches what the others import
    from server.models.running import run

    return lambda config, folder: run(model, config, folder)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Wrong usage is one line, and status 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser("chat-server", description="Serve a group chat to the local network.", allow_abbrev=False)
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (default: all of them)")
    parser.add_argument("--port", type=_port, default=5050, help="TCP port; 0 takes a free one (default: 5050)")
    parser.add_argument("--data", type=Path, default=_default_data(), help="folder of the key and the database")
    parser.add_argument("--name", type=_name, default=socket.gethostname()[:64] or "chat", help="shown to clients")
    parser.add_argument("--workers", type=_workers, default=_default_workers(), help="fan-out processes")
    parser.add_argument("--passphrase-file", type=_passphrase, metavar="F", help="file with a passphrase to ask for")
    rate_help = "messages a second that one connection may send; 0 lifts the limit (default: 20)"
    parser.add_argument("--rate", type=_rate, default=20.0, metavar="N", help=rate_help)
    address_help = "connections that one address may have; 0 lifts the limit (default: 4096)"
    parser.add_argument("--max-per-address", type=_count, default=4096, metavar="N", help=address_help)
    parser.add_argument("--no-beacon", action="store_true", help="don't announce the server on the network")
    parser.add_argument("--beacon-port", type=_port, default=5051, help="UDP port of the beacons (default: 5051)")
    advertise_help = "the address for clients elsewhere, for a server behind NAT or a forwarded port"
    parser.add_argument("--advertise", type=_advertised, metavar="HOST:PORT", help=advertise_help)
    hint_help = "a server in another network, to tell of it in this one; may be given several times"
    parser.add_argument("--hint", type=_address, action="append", default=[], metavar="HOST[:PORT]", help=hint_help)
    relay_help = "serve nobody, only repeat beacons between this machine's networks and those of the hints"
    parser.add_argument("--relay", action="store_true", help=relay_help)
    metrics_help = "TCP port on loopback that gives the counters to Prometheus"
    parser.add_argument("--metrics", type=_port, default=0, metavar="PORT", help=metrics_help)
    top_help = "show the figures of the server that runs on the data folder, and serve nothing"
    parser.add_argument("--top", action="store_true", help=top_help)
    model_help = "concurrency model that serves; all but the pipeline keep messages in memory only (default: pipeline)"
    names = (PIPELINE, *models.NAMES)
    parser.add_argument("--model", choices=names, default=PIPELINE, metavar="NAME", help=model_help)
    return parser


def _config(chosen: argparse.Namespace) -> Config:
    return Config(
        host=chosen.host,
        port=chosen.port,
        data=chosen.data,
        name=chosen.name,
        workers=chosen.workers,
        passphrase=chosen.passphrase_file,
        rate=chosen.rate,
        max_per_address=chosen.max_per_address,
        beacon=not chosen.no_beacon,
        beacon_port=chosen.beacon_port,
        advertised=chosen.advertise or "",
        hints=tuple(chosen.hint),
        metrics_port=chosen.metrics,
        model=chosen.model,
    )


def _default_data() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(base) / "lan-chat-server"


def _default_workers() -> int:
    return max(1, len(os.sched_getaffinity(0)) - 1)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host, port = (host, port) if colon else (text, "5050")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not host.isascii() or not host.isprintable() or " " in host or not 1 <= _port(port) <= 65535:
        raise argparse.ArgumentTypeError("must be HOST or HOST:PORT")
    return host, int(port)


def _advertised(text: str) -> str:
    host, port = _address(text)
    if len(text) > 80:
        raise argparse.ArgumentTypeError("may have 80 characters")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("must be a whole number, 0 or more")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("must be a number from 1 to 64")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < 1e9:
        raise argparse.ArgumentTypeError("must be a number of messages a second, or 0")
    return rate


def _name(text: str) -> str:
    if not 1 <= len(text) <= 64 or not text.isprintable():
        raise argparse.ArgumentTypeError("must have 1 to 64 printable characters")
    return text


def _passphrase(path: str) -> str:
    try:
        passphrase = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{path} can't be read: {error}") from None
    if not passphrase:
        raise argparse.ArgumentTypeError(f"{path} is empty")
    return passphrase


if __name__ == "__main__":
    sys.exit(main())
