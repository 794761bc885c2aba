"""A server for each model, shared by all tests of that model; and guests for one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.models.guests import Guests
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess


@pytest.fixture(scope="package")
def model(request: pytest.FixtureRequest) -> str:
    """The name of the model; each test module says which ones it is for."""
    return str(request.param)


@pytest.fixture(scope="package")
def server(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp(model) / "data", "--rate", "0", "--model", model) as running:
        yield running


@pytest.fixture
def guests(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    company = Guests(tmp_path_factory.mktemp("guests"), server.address)
    yield company
    company.close()


@pytest.fixture
def people(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    company = People(tmp_path_factory.mktemp("people"), server.where)
    yield company
    company.close()
