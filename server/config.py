"""The server's settings, as the command line gives them; read once, then passed on as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """What one server was started with."""

    host: str
    port: int
    data: Path
    name: str
    workers: int
    passphrase: str | None
    rate: float
    max_per_address: int
    beacon: bool
    beacon_port: int
    metrics_port: int
    model: str = "pipeline"
    """Which concurrency model serves: the pipeline, or one of server/models/."""
    advertised: str = ""
    """HOST:PORT that beacons name for clients in other networks."""
    hints: tuple[tuple[str, int], ...] = ()
    """Servers in other networks, as the operator names them."""
