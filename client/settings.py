"""What the user has chosen, kept in their home: `settings.json`, written by commands, and `config.toml`, by hand.

`config.toml` changes keys: under `[keys]` an action's name and the key that it should have, in prompt_toolkit's
spelling, such as `next-room = "c-right"` or `help = "escape h"`. client/keys.py names the actions.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields

from client.failures import Usage
from client.home import Home, write

NOTIFY = ("mentions", "all", "none")


@dataclass(slots=True)
class Settings:
    """Loaded at the start; `save` after each change."""

    name: str = ""
    """The name used last: the one that is suggested."""
    theme: str = "dark"
    notify: str = "mentions"
    """What rings: mentions and direct messages, every message, or nothing."""
    bell: bool = True
    desktop: bool = True
    """Whether the terminal and the desktop are asked to show a notification."""
    muted: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, home: Home) -> Settings:
        """What was saved; what can't be read, or isn't of the right type, is as at first."""
        settings = cls()
        try:
            saved = json.loads((home.folder / "settings.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return settings
        for each in fields(cls):
            value = saved.get(each.name) if isinstance(saved, dict) else None
            if type(value) is type(getattr(settings, each.name)):
                setattr(settings, each.name, value)
        return settings

    def save(self, home: Home) -> None:
        write(home.folder / "settings.json", json.dumps(asdict(self), indent=1).encode())


def keys_of(home: Home) -> dict[str, str]:
    """The keys that `config.toml` gives to actions. Raises `Usage` if it makes no sense."""
    path = home.folder / "config.toml"
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Usage(f"Can't read {path}: {error}.") from error
    keys = config.get("keys", {})
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        raise Usage(f'{path}: under [keys] each action has one key, as in next-room = "c-right".')
    return keys
