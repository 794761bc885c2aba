"""`chat-client`: the command line. Parses, dispatches, and turns every failure into one line and its exit status."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from chat.text import safe_text
from client.config import BEACON_PORT, DEFAULT_ROOM, Address, Options, parse_address
from client.failures import Failure, Usage
from client.home import Home

INTERRUPTED = 130
"""What a shell reports for a command that Ctrl-C has ended."""

EPILOG = """\
exit status: 0 done; 2 wrong usage; 3 no server found or reachable; 4 refused by the server; 5 the server's key has
changed. CHAT_HOME names the folder that keeps keys and known servers; CHAT_DISCOVERY=loopback looks for servers on
this machine only. With --send - empty lines are left out, and at the first line that can't be sent it ends with 2."""


def main(argv: list[str] | None = None) -> int:
    """Run `chat-client` and return its exit status."""
    try:
        return _dispatch(parse(argv), Home())
    except Failure as failure:
        print(f"chat-client: {safe_text(str(failure))}", file=sys.stderr)
        return failure.status
    except BrokenPipeError:
        # Whoever read our output has enough. Python flushes stdout once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def parse(argv: list[str] | None) -> Options:
    """The options that `argv` (default: the program's own) stands for. Raises `Usage` if they make no sense."""
    chosen = _parser().parse_args(argv)
    options = Options(
        name=chosen.name,
        server=chosen.server,
        room=DEFAULT_ROOM if chosen.room is None else chosen.room,
        send=chosen.send,
        tail=chosen.tail,
        since=chosen.since,
        count=chosen.count,
        encoding=chosen.encoding or "utf-8",
        who=chosen.who,
        json=chosen.json,
        wait=chosen.wait,
        watch=chosen.watch,
        plain=chosen.plain,
        verbose=chosen.verbose,
        passphrase_file=chosen.passphrase_file,
        discovery=chosen.discovery,
        beacon_port=chosen.beacon_port,
    )
    _check(options, chosen)
    return options


def _dispatch(options: Options, home: Home) -> int:
    # Imported only when needed: a script's `--send` shouldn't wait for a terminal UI to load.
    if options.who:
        return _run("client.who", options, home)
    if options.send is not None:
        from client.headless import send

        return send(options, home)
    if options.tail:
        from client.headless import tail

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return tail(options, home)
        except KeyboardInterrupt:
            return 0  # the way to end it
    return _run("client.arrival", options, home)


def _run(module: str, options: Options, home: Home) -> int:
    status: int = importlib.import_module(module).run(options, home)
    return status


def _check(options: Options, chosen: argparse.Namespace) -> None:
    """Refuse options that say nothing together."""
    if options.name is None and (options.send is not None or options.tail):
        raise Usage("say who you are with --name; chat-client --help lists all options.")
    if options.plain and (options.who or options.send is not None or options.tail):
        raise Usage("--plain is for the terminal UI, which --send, --tail and --who don't open.")
    for given, needed, allowed in (
        ("--since", "--tail", options.since is None or options.tail),
        ("--count", "--tail", options.count is None or options.tail),
        ("--encoding", "--send -", chosen.encoding is None or options.send == "-"),
        ("--json", "--who", not options.json or options.who),
        ("--wait", "--who", options.wait is None or options.who),
        ("--watch", "--who", not options.watch or options.who),
        ("--verbose", "--who", not options.verbose or options.who),
    ):
        if not allowed:
            raise Usage(f"{given} needs {needed}.")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message}; chat-client --help lists all options.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "chat-client",
        description="Chat with everyone on the local network. Without --send, --tail or --who it opens a terminal UI.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--name", type=_filled, help="who you are; the first to use a name on a server owns it")
    add("--server", type=_address, metavar="HOST[:PORT]", help="which server (default: the one that is found)")
    add("--room", type=_filled, help=f"a room, or @NAME for one person (default: {DEFAULT_ROOM})")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--send", metavar="TEXT", help="send TEXT, or with - each line of standard input")
    action.add_argument("--tail", action="store_true", help="print the room's messages, a JSON object a line")
    action.add_argument("--who", action="store_true", help="list the servers and who is on them, without joining")
    add("--since", type=_number, metavar="N", help="with --tail: begin after message N, 0 for all (default: live)")
    add("--count", type=_positive, metavar="N", help="with --tail: end after N messages")
    add("--encoding", type=_encoding, help="with --send -: of standard input (default: utf-8)")
    add("--json", action="store_true", help="with --who: print JSON")
    add("--wait", type=_seconds, metavar="SECONDS", help="with --who: how long to wait for answers")
    add("--watch", action="store_true", help="with --who: go on and show each change, until Ctrl-C")
    add("--verbose", action="store_true", help="with --who: explain what came of each network interface")
    add("--plain", action="store_true", help="the UI as plain lines, for screen readers and simple terminals")
    add("--passphrase-file", type=Path, metavar="F", help="file with the server's passphrase, if it asks for one")
    add("--beacon-port", type=_port, default=BEACON_PORT, metavar="P", help=f"UDP (default: {BEACON_PORT})")
    add("--discovery", type=_discovery, default=os.environ.get("CHAT_DISCOVERY") or "lan", metavar="WHERE",
        help="where to look for servers: lan or loopback (default: CHAT_DISCOVERY, else lan)")  # fmt: skip
    return parser


# --- argument types: each raises ArgumentTypeError with what it wants ---------------------------------------------


def _filled(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError("must not be empty or hold unprintable characters")
    return text


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number, 0 or more")
    return int(text)


def _positive(text: str) -> int:
    if not _number(text):
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def _port(text: str) -> int:
    if not 1 <= _number(text) <= 65_535:
        raise argparse.ArgumentTypeError("must be a port from 1 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number of seconds up to 3600")
    return seconds


def _encoding(text: str) -> str:
    try:
        "".encode(text)  # LookupError also for codecs that aren't of text
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} isn't an encoding that is known here") from None
    return text


def _discovery(text: str) -> str:
    if text not in ("lan", "loopback"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither lan nor loopback")
    return text


if __name__ == "__main__":
    sys.exit(main())
