"""A fuzzing client reads the OpenAPI file and tries what it allows and what it forbids against the live API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings

from crm.wsgi import application
from members.models import Operation, Reward
from messaging.models import Message

# A well-formed request may still meet a rule of the house, an id that is nobody's, or a second code within a minute.
config = schemathesis.Config.from_dict(
    {
        "generation": {"max-examples": 25, "mode": "all", "allow-x00": False},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422", "429"]}},
    }
)
schema = schemathesis.openapi.from_wsgi("/api/schema/", application, config=config)


@pytest.fixture
def shop(partner, loaded_card, rule, settings) -> dict[str, Any]:
    """A shop with something behind every kind of id, and its partner's key."""
    settings.REGULARS_API_PER_MINUTE = 100_000
    rule("card_spent", "Balance {balance}.")
    Reward.objects.create(name="Tea", points=1)
    partner.post(f"cards/{loaded_card.public_id}/spend", {"amount_minor": 100})
    until = {"amount_minor": 500, "until": "2126-11-21T04:00:00Z"}
    held = partner.post(f"cards/{loaded_card.public_id}/holds", until).json()["hold"]
    return {
        "holds": held["id"],
        "key": partner.secret,
        "members": loaded_card.member.public_id,
        "cards": loaded_card.public_id,
        "operations": Operation.objects.get(kind="spend").public_id,
        "messages": Message.objects.get().public_id,
    }


@pytest.fixture
def one_connection(shop) -> Iterator[None]:
    """Requests through the bare WSGI application stay on the test's own connection, as Django's client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
def test_the_api_keeps_what_its_file_promises(case, shop, one_connection):
    if "public_id" in case.path_parameters and case.meta.generation.mode.is_positive:
        case.path_parameters["public_id"] = str(shop[case.path.split("/")[3]])

    case.call_and_validate(headers={"Authorization": f"Api-Key {shop['key']}"})
