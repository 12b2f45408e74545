"""What needs a person: opened once, closed when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from messaging.domain import alerts, budgets
from messaging.enums import BindState, MessageClass
from messaging.models import Alert, Attempt, Gateway, Heartbeat, Message
from tests.messaging.domain.desk import main_gateway, message


@pytest.fixture
def gateway(db) -> Gateway:
    gateway = main_gateway()
    Gateway.objects.update(bind_state=BindState.BOUND)
    return gateway


def kinds_now() -> set[str]:
    alerts.watch(at=timezone.now())
    return set(Alert.objects.filter(closed_at=None).values_list("kind", flat=True))


def down_for(seconds: int) -> None:
    Gateway.objects.update(bind_state=BindState.WAITING)
    Gateway.objects.update(state_since=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.parametrize(("seconds", "is_open"), [(60, False), (180, True)])
def test_a_gateway_that_is_away_for_two_minutes(gateway, seconds, is_open):
    down_for(seconds)

    assert ("gateway_down" in kinds_now()) == is_open


def test_it_is_opened_once_and_closes_by_itself(gateway):
    down_for(180)
    kinds_now()
    kinds_now()
    assert Alert.objects.count() == 1

    Gateway.objects.update(bind_state=BindState.BOUND)

    assert kinds_now() == set()
    assert Alert.objects.get().closed_at is not None
    down_for(180)
    assert kinds_now() == {"gateway_down"} and Alert.objects.count() == 2


@pytest.mark.parametrize(("refused", "is_open"), [(1, False), (10, True)])
def test_a_gateway_that_refuses_more_than_usual(gateway, li_lei, refused, is_open):
    now = timezone.now()
    for run in range(30):
        text = message(li_lei, MessageClass.NOTIFICATION, now, run=run, state="accepted", attempts=1)
        outcome = "permanent" if run < refused else "accepted"
        Attempt.objects.create(
            message=text, number=1, gateway=gateway, epoch=1, outcome=outcome, started_at=now
        )

    assert ("errors_rising" in kinds_now()) == is_open


@pytest.mark.parametrize(("seconds", "is_open"), [(1, False), (20, True)])
def test_codes_that_wait(gateway, li_lei, seconds, is_open):
    now = timezone.now()
    for run in range(6):
        message(
            li_lei,
            MessageClass.VERIFICATION,
            now,
            run=run,
            state="delivered",
            created_at=now - timedelta(seconds=60),
            submitted_at=now - timedelta(seconds=60 - seconds),
        )

    assert ("codes_slow" in kinds_now()) == is_open


@pytest.mark.parametrize(
    ("message_class", "minutes", "is_open"),
    [
        ("verification", 3, True),
        ("trigger", 3, False),
        ("trigger", 6, True),
        ("marketing", 30, False),
        ("marketing", 61, True),
    ],
)
def test_texts_that_wait_and_none_leaves(gateway, li_lei, message_class, minutes, is_open):
    message(li_lei, MessageClass(message_class), timezone.now() - timedelta(minutes=minutes))

    assert ("queue_stuck" in kinds_now()) == is_open


@pytest.mark.parametrize(("texts", "kind"), [(7, None), (8, "budget_near"), (10, "budget_full")])
def test_a_budget_at_eighty_and_at_a_hundred(gateway, riverside, texts, kind):
    now = timezone.now()
    budget = budgets.set_budget(
        scope="store", store=riverside, period="month", amount_minor=10, protected_percent=0, by=None, at=now
    )
    budget.uses.create(
        period_on=now.astimezone(riverside.zone).date().replace(day=1),
        is_protected=False,
        reserved_milli=texts * 1000,
    )

    assert kinds_now() == ({kind} if kind else set())


@pytest.mark.parametrize(("seconds", "is_open"), [(100, False), (300, True)])
def test_a_silent_schedule_is_noticed_without_it(gateway, seconds, is_open):
    now = timezone.now()
    Heartbeat.objects.create(name="beat", at=now - timedelta(seconds=seconds))

    alerts.watch_beat(at=now)

    assert Alert.objects.filter(kind="beat_silent", closed_at=None).exists() == is_open


def test_each_kind_says_what_is_wrong_and_what_to_do(db):
    facts = dict.fromkeys(
        ("gateway", "minutes", "refused", "tries", "seconds", "silent", "percent", "budget"), "1"
    )
    for kind in alerts.AlertKind:
        row = Alert(kind=kind, facts=facts | {"class": "marketing"})
        assert alerts.sentence(row) and "%(" not in alerts.sentence(row)
        assert str(alerts.TO_DO[kind])


@override_settings(REGULARS_ALERTS_TO=["owner@example.com"], EMAIL_HOST="mail.example.com")
def test_the_owner_gets_one_letter_for_an_alert(gateway, django_capture_on_commit_callbacks):
    down_for(180)
    with django_capture_on_commit_callbacks(execute=True):
        kinds_now()
    with django_capture_on_commit_callbacks(execute=True):
        kinds_now()

    assert len(mail.outbox) == 1
    assert "has not been connected" in mail.outbox[0].body


def test_without_a_mail_server_no_letter_is_written(gateway, django_capture_on_commit_callbacks):
    down_for(180)
    with django_capture_on_commit_callbacks(execute=True):
        kinds_now()

    assert mail.outbox == []
    assert Message.objects.count() == 0


def test_trying_again_and_again_is_no_news_of_a_gateway_that_is_away(gateway):
    down_for(180)

    for state in (BindState.CONNECTING, BindState.WAITING):
        Gateway.objects.update(bind_state=state)

    assert kinds_now() == {"gateway_down"}
