"""Before the room: who comes in, and at which server. What is missing on the command line is asked at the terminal.

Your name [bob]:
Looking for servers … 2 are here:
  1  Office     192.0.2.7:5050   3 online  key 9f3a-…  (used before)
  2  Workshop   192.0.2.9:5050   1 online  key 77c1-…
Which one? [1-2, Enter for 1]
"""

from __future__ import annotations

import dataclasses
import getpass
import importlib
import sys

from chat import names
from chat.faults import PeerFault
from chat.secure import fingerprint
from chat.text import safe_text
from client import explain
from client.config import Address, Options
from client.failures import Refused, Unreachable, Usage
from client.finder import Found
from client.home import Home
from client.locate import servers
from client.settings import Settings

ANOTHER_NAME = ("bad_name", "name_taken", "name_alike", "name_reserved")
"""Refusals that another name gets past."""


def run(options: Options, home: Home) -> int:
    """Ask what has to be asked, and open the UI; gives the exit status. Raises `Failure`."""
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if options.name is None:
        if not at_terminal:
            raise Usage("say who you are with --name; chat-client --help lists all options.")
        options = dataclasses.replace(options, name=_ask_name(suggestion(home)))
    if options.server is None:
        options = dataclasses.replace(options, server=_find(options, home, at_terminal), roaming=True)
    while True:
        try:
            return _open_ui(options, home)
        except Refused as refused:
            if refused.code not in ANOTHER_NAME or not at_terminal:
                raise
            print(safe_text(str(refused)))
            another = _ask("Another name (Enter to give up): ").strip()
            if not another:
                raise
            options = dataclasses.replace(options, name=another)


def suggestion(home: Home) -> str:
    """The name used last, else the login name, if it can be a name here."""
    try:
        return names.person(Settings.load(home).name or getpass.getuser())
    except (PeerFault, OSError, KeyError):
        return ""


def _open_ui(options: Options, home: Home) -> int:
    module = importlib.import_module("client.plain" if options.plain else "client.app")
    status: int = module.run(options, home)
    return status


def _ask_name(suggested: str) -> str:
    while True:
        typed = _ask(f"Your name [{suggested}]: " if suggested else "Your name: ").strip() or suggested
        try:
            return names.person(typed)
        except PeerFault as fault:
            print(fault.sentence)


def _find(options: Options, home: Home, at_terminal: bool) -> Address:
    """The server that is found; whoever sits at a terminal may choose, and is told in full why there is none."""
    if not at_terminal:
        return servers(options, home)[0].address
    print("Looking for servers … ", end="", flush=True)
    try:
        found = servers(options, home, in_a_hurry=False)
    except Unreachable:
        print("none is here. Looking closer:")
        print("\n".join(str(verdict) for verdict in explain.check(options, home)))
        raise
    print("found." if len(found) == 1 else f"{len(found)} are here:")
    for number, each in enumerate(found, start=1):
        print(_line(number, each))
    return found[_ask_which(len(found)) - 1 if len(found) > 1 else 0].address


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise Usage("nothing was answered; chat-client --help lists the options that answer beforehand.") from None


def _line(number: int, found: Found) -> str:
    host, port = found.address
    online = f"{found.online} online  " if found.online is not None else ""
    before = "  (used before)" if found.met_before else ""
    return f"  {number}  {safe_text(found.name)}  {host}:{port}  {online}key {fingerprint(found.key)}{before}"


def _ask_which(count: int) -> int:
    while True:
        answer = _ask(f"Which one? [1-{count}, Enter for 1] ").strip() or "1"
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= count:
            return int(answer)
