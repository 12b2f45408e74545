"""Two gateways, each held by a process of its own: for tests of what happens between claims."""

from __future__ import annotations

import pytest

from messaging.domain.dispatch.lease import Lease
from messaging.models import Gateway
from tests.messaging.domain.desk import hold, main_gateway, take_again


@pytest.fixture
def lease(db) -> Lease:
    main_gateway()
    return hold()


@pytest.fixture
def other_lease(lease) -> Lease:
    """A second gateway, held by another process."""
    Gateway.objects.create(name="Second", host="127.0.0.1", port=2776, system_id="regulars")
    found = take_again("second desk", held=[lease.gateway])
    assert found is not None
    return found
