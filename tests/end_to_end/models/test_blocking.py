"""The blocking model serves one client at a time: several come by turns."""

from __future__ import annotations

import signal
import time

import pytest

from chat.messages import (
    Goodbye,
)
from tests.end_to_end.models.guests import Guests
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess

pytestmark = pytest.mark.parametrize("model", ["blocking"], scope="package", indirect=True)


def test_the_second_client_waits_until_the_first_has_gone(guests: Guests) -> None:
    first = guests.login("first")
    first.join("counter")
    began = time.monotonic()
    second = guests.login("second")  # returns once the server has turned to it
    assert first.hears(Goodbye).code == "silent"
    assert time.monotonic() - began >= 0.9
    assert second.join("counter").count == 2


def test_the_real_client_by_turns(people: People) -> None:
    assert (
        people.run("dave", "--room", "kitchen", "--send", "-", stdin="tea?\ncoffee!\n").out
        == "kitchen #1\nkitchen #2\n"
    )
    tail = people.run("carol", "--room", "kitchen", "--tail", "--since", "0", "--count", "2")
    assert len(tail.out.splitlines()) == 2


def test_the_end_while_a_client_is_served(model: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("end")
    with ServerProcess(folder / "data", "--model", model) as ending:
        guest = Guests(folder, ending.address).login("only")
        ending.terminate(signal.SIGINT)
        assert guest.hears(Goodbye).code == "stopping"
