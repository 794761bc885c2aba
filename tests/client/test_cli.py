"""The command line: what it accepts, and one line with the right status for what it doesn't."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from client.cli import main, parse
from client.config import Options, parse_address
from client.failures import Usage


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_HOME", str(tmp_path))
    monkeypatch.delenv("CHAT_DISCOVERY", raising=False)


def test_defaults() -> None:
    assert parse(["--name", "bob"]) == Options(name="bob")


def test_every_option() -> None:
    words = "--name bob --server host:7 --room r --tail --since 0 --count 3 --passphrase-file f --beacon-port 9"
    assert parse([*words.split(), "--discovery", "loopback"]) == Options(
        name="bob",
        server=("host", 7),
        room="r",
        tail=True,
        since=0,
        count=3,
        passphrase_file=Path("f"),
        discovery="loopback",
        beacon_port=9,
    )
    assert parse(["--who", "--json", "--wait", "0.5"]) == Options(who=True, json=True, wait=0.5)
    assert parse(["--name", "b", "--send", "-", "--encoding", "gbk"]) == Options(name="b", send="-", encoding="gbk")


def test_the_environment_chooses_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_DISCOVERY", "loopback")
    assert parse(["--name", "bob"]).discovery == "loopback"
    assert parse(["--name", "bob", "--discovery", "lan"]).discovery == "lan"
    monkeypatch.setenv("CHAT_DISCOVERY", "mars")
    with pytest.raises(Usage, match="'mars' is neither lan nor loopback"):
        parse(["--name", "bob"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "say who you are with --name"),
        ("--name", "--name: expected one argument"),
        ("--name bob --tail --send x", "not allowed with"),
        ("--name bob --since 0", "--since needs --tail."),
        ("--name bob --send x --count 1", "--count needs --tail."),
        ("--name bob --tail --count 0", "must be at least 1"),
        ("--name bob --tail --since -1", "--since: expected one argument|isn't a whole number"),
        ("--name bob --send x --encoding gbk", "--encoding needs --send -."),
        ("--name bob --send - --encoding base64", "'base64' isn't an encoding"),
        ("--name bob --send - --encoding klingon", "'klingon' isn't an encoding"),
        ("--name bob --json", "--json needs --who."),
        ("--name bob --wait 1", "--wait needs --who."),
        ("--who --wait soon", "'soon' isn't a number of seconds"),
        ("--name bob --server :80", "':80' isn't an address"),
        ("--name bob --server host:0", "isn't a port"),
        ("--name bob --beacon-port 65536", "must be a port"),
        ("--name bob --nam x", "unrecognized arguments: --nam x"),
        ("--name bob --send x --passphrase-file missing/file", "Can't read the passphrase from missing/file"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["--server", "127.0.0.1:1", *words.split()] if words and "--server" not in words else words.split()) == 2
    )
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and captured.err.startswith("chat-client: ")
    assert any(part in captured.err for part in sentence.split("|"))


def test_an_empty_message_is_refused_before_any_server_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "bob", "--server", "127.0.0.1:1", "--send", ""]) == 2
    assert capsys.readouterr().err == "chat-client: The message is empty; there is nothing to send.\n"


def test_no_server_is_status_3_and_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "bob", "--server", "127.0.0.1:1", "--send", "x"]) == 3
    assert capsys.readouterr().err.startswith("chat-client: No server answers at 127.0.0.1:1 (")


def test_a_control_character_in_a_failure_does_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "bob", "--server", "a\x1b]0;b c"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_it_also_runs_as_a_module_and_help_names_the_statuses() -> None:
    done = subprocess.run([sys.executable, "-m", "client", "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0
    assert "5 the server's key has" in done.stdout


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("host", ("host", 5050)),
        ("host:7", ("host", 7)),
        ("10.0.0.1:65535", ("10.0.0.1", 65535)),
        ("[::1]:7", ("::1", 7)),
        ("[fe80::1]", ("fe80::1", 5050)),
        ("::1", ("::1", 5050)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", ":", "host:", ":7", "host:x", "host:0", "host:65536", "[::1]x", "a b", "host:٣"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):
        parse_address(text)
