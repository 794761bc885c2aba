"""What a client keeps on disk, also when several of a user's clients write at once."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from chat.secure import new_private_key, public_key
from client.failures import Failure, KeyChanged
from client.home import Home

SPAWN = multiprocessing.get_context("spawn")


def meet_servers(folder: Path, first: int, count: int) -> None:
    home = Home(folder)
    for port in range(first, first + count):
        home.remember_server(f"127.0.0.1:{port}", bytes([port % 256]) * 32, f"server {port}")


def make_key(folder: Path) -> None:
    (folder / f"seen-{multiprocessing.current_process().pid}").write_bytes(Home(folder).private_key())


def test_the_folder_and_the_key_are_the_users_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    key = home.private_key()
    assert len(public_key(key)) == 32
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "key").stat().st_mode) == 0o600
    assert Home(tmp_path / "home").private_key() == key


def test_clients_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    processes = [SPAWN.Process(target=make_key, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    seen = {path.read_bytes() for path in tmp_path.glob("seen-*")}
    assert seen == {Home(tmp_path).private_key()}


def test_clients_that_meet_servers_at_once_lose_none(tmp_path: Path) -> None:
    processes = [SPAWN.Process(target=meet_servers, args=(tmp_path, first, 25)) for first in (100, 200, 300)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert len(Home(tmp_path).known_servers()) == 75


def test_a_changed_key_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path)
    old, new = public_key(new_private_key()), public_key(new_private_key())
    home.check_server("10.0.0.1:5050", old)  # unknown: passes
    home.remember_server("10.0.0.1:5050", old, "den")
    home.check_server("10.0.0.1:5050", old)
    with pytest.raises(KeyChanged, match=r"remove the line of 10\.0\.0\.1:5050 from") as caught:
        home.check_server("10.0.0.1:5050", new)
    assert caught.value.status == 5
    with pytest.raises(KeyChanged):
        home.remember_server("10.0.0.1:5050", new, "den")


def test_a_server_met_again_at_once_is_not_written_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.remember_server("10.0.0.1:5050", b"k" * 32, "den")
    before = (tmp_path / "known_servers").stat().st_ino
    home.remember_server("10.0.0.1:5050", b"k" * 32, "den")
    assert (tmp_path / "known_servers").stat().st_ino == before
    home.remember_server("10.0.0.1:5050", b"k" * 32, "new name")
    assert home.known_servers()["10.0.0.1:5050"]["name"] == "new name"


@pytest.mark.parametrize("content", ["{", "[]", '{"a:1": 5}', '{"a:1": {"key": "zz"}}', '{"a:1": {}}'])
def test_damaged_known_servers_are_named_not_guessed_at(tmp_path: Path, content: str) -> None:
    (tmp_path / "known_servers").write_text(content)
    with pytest.raises(Failure, match="known_servers is damaged"):
        Home(tmp_path).known_servers()


def test_what_it_writes_can_be_mended_by_hand(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.remember_server("10.0.0.1:5050", b"k" * 32, "den")
    servers = json.loads((tmp_path / "known_servers").read_text())
    del servers["10.0.0.1:5050"]
    (tmp_path / "known_servers").write_text(json.dumps(servers))
    home.check_server("10.0.0.1:5050", b"n" * 32)


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(Failure, match="isn't a key"):
        Home(tmp_path).private_key()
    assert (tmp_path / "key").read_bytes() == b"short"


def test_a_folder_that_cannot_be_made_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="set CHAT_HOME"):
        Home(tmp_path / "file" / "home")
