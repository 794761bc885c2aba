"""Each process is killed under load: the service is back, and every stream whole."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Report
from tests.end_to_end.load import Load
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.stages import stages
from tests.waiting import wait_for


@pytest.mark.parametrize("stage", ["journal", "manager", "worker 0", "worker 1"])
def test_a_killed_stage_is_replaced_and_no_stream_has_a_hole(
    stage: str, server: ServerProcess, tmp_path: Path, report: Report
) -> None:
    with Load(server.address, tmp_path / "people", rooms=2) as load:
        load.goes_on()
        os.kill(stages(server)[stage], signal.SIGKILL)
        wait_for(load.lost.is_set, "somebody is cut off")
        took = load.goes_on()
        report(f"{stage} killed: back after {took:.2f} s")
        load.finish()
    assert server.pid == stages(server)["reader"]


def test_the_main_process_killed_leaves_nobody_and_starts_again_on_the_same_port(
    server: ServerProcess, tmp_path: Path
) -> None:
    with Load(server.address, tmp_path / "people", rooms=2) as load:
        load.goes_on()
        server.kill()
        wait_for(lambda: not server.processes(), "no orphan is left", units=2)
        server.start()
        load.goes_on()
        load.finish()
