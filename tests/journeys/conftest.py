"""The stage of the journeys: a house with real processes on the test database, which is emptied afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.dispatch_stage import Carrier, GatewayProcesses
from tests.journeys.house import Grounds, House, Shop, open_shop


@pytest.fixture
def db(committed_db: None) -> None:
    """On a journey everything is committed, so that other processes see it."""


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Carrier]:
    """A carrier as a process of its own."""
    carrier = Carrier(tmp_path)
    yield carrier
    carrier.stop()


@pytest.fixture
def gateways(db: None, tmp_path: Path) -> Iterator[GatewayProcesses]:
    """Gateway processes on the test database, none yet."""
    processes = GatewayProcesses(tmp_path)
    yield processes
    processes.stop_all()


@pytest.fixture(scope="session")
def grounds(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    """The broker of the journeys, and their web once one of them has opened it."""
    grounds = Grounds(tmp_path_factory.mktemp("grounds"))
    yield grounds
    grounds.stop()


@pytest.fixture
def house(db: None, grounds: Grounds, tmp_path: Path) -> Iterator[House]:
    """A house with broker and carrier; a journey opens the web, workers and gateways it needs."""
    house = House(grounds, tmp_path)
    try:
        yield house
    finally:
        house.stop()


@pytest.fixture
def shop(db: None) -> Shop:
    """Three stores with staff, cards, texts and rules, committed."""
    return open_shop()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Journeys start whole systems: one at a time, on one of the test processes."""
    item.add_marker(pytest.mark.xdist_group("journeys"))
