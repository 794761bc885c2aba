"""Settings and keys: kept, and bad ones are as at first, or one clear sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.keys import Keys

from client.failures import Usage
from client.home import Home
from client.keys import ACTIONS, bindings
from client.settings import Settings, keys_of


def test_settings_are_there_again(tmp_path: Path) -> None:
    settings = Settings.load(Home(tmp_path))
    settings.theme, settings.bell, settings.muted = "light", False, ["ops"]
    settings.save(Home(tmp_path))
    assert Settings.load(Home(tmp_path)) == settings


@pytest.mark.parametrize("saved", ["", "[]", "{", '{"bell": "yes", "muted": 3, "theme": null, "more": 1}', "\xff"])
def test_settings_that_cant_be_read_are_as_at_first(tmp_path: Path, saved: str) -> None:
    (tmp_path / "settings.json").write_text(saved, encoding="latin-1")
    assert Settings.load(Home(tmp_path)) == Settings()


def test_a_key_can_be_changed(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[keys]\nhelp = "escape h"\n')
    called: list[str] = []

    class Actions:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: called.append(name)

    keys = bindings(Actions(), Buffer(), keys_of(Home(tmp_path)))
    (changed,) = [each for each in keys.bindings if each.keys == (Keys.Escape, "h")]
    changed.handler(None)  # type: ignore[arg-type]
    assert called == ["help"]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("[keys", "Can't read"),
        ("keys = 3", "each action has one key"),
        ("[keys]\nhelp = 3", "each action has one key"),
        ('[keys]\nhlep = "f1"', "there is no action hlep"),
        ('[keys]\nhelp = "no-such-key"', "help can't have that key"),
    ],
)
def test_a_config_that_makes_no_sense_is_one_sentence(tmp_path: Path, config: str, sentence: str) -> None:
    (tmp_path / "config.toml").write_text(config)
    with pytest.raises(Usage, match=sentence):
        bindings(object(), Buffer(), keys_of(Home(tmp_path)))


def test_no_two_actions_have_the_same_key() -> None:
    keys = [action.key for action in ACTIONS.values()]
    assert len(keys) == len(set(keys))
