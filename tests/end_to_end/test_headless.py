"""`--send` and `--tail` at a real server: pace, refusals, ends, statuses."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.end_to_end.people import CLIENT, People
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import UNIT, wait_for


@pytest.fixture
def strict(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A server with its flood limit on, at a rate that makes waiting short."""
    with ServerProcess(tmp_path / "strict", "--rate", "50") as running:
        yield running


def test_a_line_is_printed_as_soon_as_it_is_stored_while_the_pipe_stays_open(people: People) -> None:
    sender = people.start("bob", "--room", "r", "--send", "-")
    assert sender.process.stdin is not None
    for number in range(1, 4):
        sender.process.stdin.write(b"line\n")
        sender.process.stdin.flush()
        wait_for(lambda number=number: sender.out.endswith(f"r #{number}\n"), "the line is stored")
    assert sender.wait().status == 0


def test_lines_over_the_flood_limit_wait_and_keep_their_order(strict: ServerProcess, tmp_path: Path) -> None:
    people = People(tmp_path / "people", strict.where)
    began = time.monotonic()
    sent = people.run("bob", "--room", "r", "--send", "-", stdin="".join(f"{n}\n" for n in range(300)))
    took = time.monotonic() - began
    assert (sent.status, sent.err) == (0, "")
    assert sent.out == "".join(f"r #{n}\n" for n in range(1, 301))
    assert took > 2, "the limit was on"
    tail = people.run("bob", "--room", "r", "--tail", "--since", "0", "--count", "300")
    assert [json.loads(line)["text"] for line in tail.out.splitlines()] == [str(n) for n in range(300)]


def test_a_wrong_byte_ends_it_after_the_lines_before(people: People) -> None:
    ended = people.run("bob", "--room", "r", "--send", "-", stdin=b"one\ntwo\n\xff\nfour\n")
    assert (ended.status, ended.out) == (2, "r #1\nr #2\n")
    assert ended.err.startswith("chat-client: Line 3 of the input holds the byte 0xFF, which isn't utf-8 there;")


def test_input_in_another_encoding(people: People) -> None:
    ended = people.run("bob", "--room", "r", "--send", "-", "--encoding", "gbk", stdin="你好\n世界\n".encode("gbk"))
    assert (ended.status, ended.out) == (0, "r #1\nr #2\n")
    tail = people.run("bob", "--room", "r", "--tail", "--since", "0", "--count", "2")
    assert [json.loads(line)["text"] for line in tail.out.splitlines()] == ["你好", "世界"]


def test_the_longest_message_and_one_byte_more(people: People) -> None:
    assert people.run("bob", "--room", "r", "--send", "-", stdin="x" * 16384).out == "r #1\n"
    ended = people.run("bob", "--room", "r", "--send", "-", stdin="fine\n" + "x" * 16385)
    assert (ended.status, ended.out) == (2, "r #2\n")
    assert "Line 2 of the input is too long" in ended.err


def test_a_room_that_cannot_be_is_refused(people: People) -> None:
    for room in ("two words", "x" * 65, "#r", "@a@b"):
        ended = people.run("bob", f"--room={room}", "--send", "x")
        assert (ended.status, ended.out) == (4, ""), room
        assert ended.err.count("\n") == 1


def test_live_means_from_now_and_since_from_there(people: People) -> None:
    people.run("bob", "--room", "r", "--send", "-", stdin="1\n2\n3\n")
    live = people.start("alice", "--room", "r", "--tail", "--count", "2")
    wait_for(lambda: _sends_until_seen(people, live), "the live tail sees something")
    ended = live.wait()
    assert ended.status == 0
    first, second = live.numbers()
    assert first > 3 and second == first + 1
    late = people.run("alice", "--room", "r", "--tail", "--since", "2", "--count", "1")
    assert json.loads(late.out)["seq"] == 3


def _sends_until_seen(people: People, live) -> bool:  # type: ignore[no-untyped-def]
    people.run("bob", "--room", "r", "--send", "now")
    return len(live.messages()) == 2


def test_the_keys_of_a_line_and_their_order(people: People) -> None:
    people.run("bob", "--room", "R", "--send", "\x1b[31m\u202ered")
    line = people.run("bob", "--room", "r", "--tail", "--since", "0", "--count", "1").out
    message = json.loads(line)
    assert list(message) == ["room", "seq", "author", "time", "text", "label"]
    assert (message["room"], message["seq"], message["author"]) == ("r", 1, "bob")
    assert message["text"] == "\x1b[31m\u202ered"
    assert abs(message["time"] - time.time()) < 60
    assert line.isascii() and "\x1b" not in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_tail_quietly_with_0(number: int, people: People) -> None:
    people.run("bob", "--room", "r", "--send", "x")
    tail = people.start("bob", "--room", "r", "--tail", "--since", "0")
    wait_for(tail.messages, "it is under way")
    ended = tail.end(number)
    assert (ended.status, ended.err) == (0, "")


def test_ctrl_c_ends_a_sender_at_once(people: People) -> None:
    sender = people.start("bob", "--room", "r", "--send", "-")
    assert sender.process.stdin is not None
    sender.process.stdin.write(b"one\n")
    sender.process.stdin.flush()
    wait_for(lambda: sender.out == "r #1\n", "the first is stored")
    sender.process.send_signal(signal.SIGINT)
    assert sender.process.wait(5 * UNIT) == 130
    assert sender.err == ""


def test_a_reader_that_has_enough_ends_a_tail_quietly_with_0(server: ServerProcess, people: People) -> None:
    people.run("bob", "--room", "r", "--send", "-", stdin="".join(f"{n}\n" for n in range(2000)))
    command = (
        f"{CLIENT} --name bob --server {server.where} --room r --tail --since 0 | head -1; exit ${{PIPESTATUS[0]}}"
    )
    environment = {"CHAT_HOME": str(people.home("bob").folder)}
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, timeout=30 * UNIT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["seq"] == 1


def test_a_tail_waits_for_a_server_that_comes_back(server: ServerProcess, people: People) -> None:
    people.run("bob", "--room", "r", "--send", "1")
    tail = people.start("alice", "--room", "r", "--tail", "--since", "0")
    wait_for(tail.messages, "it is under way")
    server.terminate()
    server.start()
    assert people.run("bob", "--room", "r", "--send", "2").status == 0
    wait_for(lambda: len(tail.messages()) == 2, "the tail is back")
    assert tail.numbers() == [1, 2]
    assert (tail.end().status, tail.err) == (0, "")


def test_a_changed_server_key_is_status_5(server: ServerProcess, people: People) -> None:
    people.run("bob", "--room", "r", "--send", "1")
    server.terminate()
    next(server.data.glob("*key*")).unlink()
    server.start()
    for options in (["--send", "2"], ["--tail"]):
        ended = people.run("bob", "--room", "r", *options)
        assert (ended.status, ended.out) == (5, "")
        assert "has changed" in ended.err and "known_servers" in ended.err and ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("servers", "clients", "word"),
    [("secret", "", "asks for a passphrase"), ("secret", "wrong", "passphrase is wrong"), ("", "x", "no passphrase")],
)
def test_passphrases(servers: str, clients: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "servers").write_text(servers + "\n")
    (tmp_path / "clients").write_text(clients + "\n")
    options = ["--passphrase-file", str(tmp_path / "servers")] if servers else []
    with ServerProcess(tmp_path / "data", *options) as server:
        people = People(tmp_path / "people", server.where)
        given = ["--passphrase-file", str(tmp_path / "clients")] if clients else []
        ended = people.run("bob", "--send", "x", *given)
        assert (ended.status, ended.out) == (4, "")
        assert word in ended.err and ended.err.count("\n") == 1
        assert people.run("bob", "--send", "x", *options).status == 0
