"""What every model's server does before it serves, and after."""

from __future__ import annotations

from types import ModuleType

from chat.secure import psk_of
from server.children import raise_file_limit, start_logging
from server.config import Config
from server.datafolder import DataFolder
from server.listening import first_line, listen
from server.models.door import Closed, Door
from server.models.line import Terms


def run(model: ModuleType, config: Config, folder: DataFolder) -> None:
    """Serve until SIGTERM or SIGINT. Raises `CannotListen` or `Lacking`."""
    if hasattr(model, "check"):
        model.check()
    start_logging()
    raise_file_limit()
    psk = None if config.passphrase is None else psk_of(config.passphrase)
    terms = Terms(config.name, folder.private_key(), psk, config.rate)
    with Door(listen(config.host, config.port)) as door:
        door.close_at_signals()
        print(first_line(door.listener, terms.private_key), flush=True)
        try:
            model.serve(door, terms)
        except Closed:
            pass
