"""Health and metrics: for whom, and what they say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from messaging.domain import restoring
from messaging.enums import BindState, MessageClass
from messaging.models import Gateway, Heartbeat
from tests.messaging.domain.desk import main_gateway, message

OPEN = override_settings(REGULARS_METRICS_TOKEN="s3cret", REGULARS_METRICS_FROM=[])
PAGES = ("/metrics/", "/health/all/")


@pytest.fixture
def gateway(db) -> Gateway:
    gateway = main_gateway()
    Gateway.objects.update(bind_state=BindState.BOUND)
    Heartbeat.objects.create(name=restoring.BEAT, at=timezone.now())
    return gateway


def ask(page: str, token: str = "s3cret"):
    return Client(headers={"Authorization": f"Bearer {token}"}).get(page)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("token", ["", "wrong", "s3cret2", "é"])
def test_nobody_else_knows_of_the_page(gateway, page, token):
    with OPEN:
        assert ask(page, token).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_without_a_token_in_the_settings_none_opens_it(gateway, page):
    with override_settings(REGULARS_METRICS_TOKEN="", REGULARS_METRICS_FROM=[]):
        assert ask(page, "").status_code == 404
    with override_settings(REGULARS_METRICS_TOKEN="", REGULARS_METRICS_FROM=["127.0.0.1"]):
        assert Client().get(page).status_code in (200, 503)


def test_the_numbers_of_the_house(gateway, li_lei):
    message(li_lei, MessageClass.MARKETING, timezone.now() - timedelta(seconds=30))

    with OPEN:
        said = ask("/metrics/").content.decode()

    assert '# TYPE regulars_queued gauge\nregulars_queued{class="marketing"} 1' in said
    assert 'regulars_gateway_bound{gateway="Main"} 1' in said
    assert li_lei.phone not in said


@pytest.mark.parametrize(
    ("what", "breaking"),
    [
        ("gateways", lambda member: Gateway.objects.update(bind_state=BindState.WAITING)),
        ("beat", lambda member: Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=5))),
        (
            "codes",
            lambda member: message(member, MessageClass.VERIFICATION, timezone.now() - timedelta(seconds=30)),
        ),
    ],
)
def test_each_check_says_no_for_itself(gateway, li_lei, what, breaking):
    with OPEN:
        assert set(ask("/health/all/").json().items()) >= {
            ("gateways", True),
            ("beat", True),
            ("codes", True),
        }

        breaking(li_lei)

        answer = ask("/health/all/")
    assert answer.status_code == 503
    assert [name for name, works in answer.json().items() if not works and name != "broker"] == [what]
