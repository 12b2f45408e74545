"""Rules are kept between deeds; what is committed elsewhere counts from the next firing on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from campaigns.domain import rulebook
from campaigns.models import RuleFiring, TriggerRule
from members.domain.events import publish
from members.models import CustomEventType, Member, MissedSignal, Staff, Store
from messaging.domain.texts import approve, save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template, TemplateVersion
from tests.conftest import NOON, reworded


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed: another connection sees them."""


@pytest.fixture
def arrival_rule(mei: Staff) -> TriggerRule:
    template = Template.objects.create(
        key="arrived", name="Arrived", message_class=MessageClass.NOTIFICATION, event_type="customer_arrived"
    )
    save_draft(template=template, language="en", text="Welcome to {place}.", by=mei, at=NOON)
    return TriggerRule.objects.create(name="Arrived", event_type="customer_arrived", template=template)


@pytest.fixture
def arrive(li_lei: Member, riverside: Store) -> Callable[[str], None]:
    def _arrive(key: str) -> None:
        with transaction.atomic():
            publish(
                "customer_arrived",
                member=li_lei,
                store=riverside,
                source="door",
                key=key,
                at=NOON,
                payload={"place": "Lobby"},
            )

    return _arrive


def elsewhere(act: Callable[[], Any]) -> Any:
    """Do it on another connection, committed."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        return other.submit(run).result(30)


def last_text() -> str:
    return Message.objects.latest("id").text


def test_a_wording_approved_on_another_connection_is_the_next_one_sent(arrival_rule, arrive, mei, chen):
    arrive("first")
    elsewhere(lambda: approve(version=later(arrival_rule.template, mei), by=chen, at=NOON))

    arrive("second")

    assert last_text() == "【常客】Your table at Lobby is ready."


def later(template: Template, by: Staff) -> TemplateVersion:
    return save_draft(
        template=template, language="en", text="Your table at {place} is ready.", by=by, at=NOON
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda rule: TriggerRule.objects.filter(pk=rule.pk).update(is_on=False),
        lambda rule: TriggerRule.objects.filter(pk=rule.pk).delete(),
        lambda rule: rule.template.versions.update(status="retired"),
    ],
)
def test_what_is_taken_back_on_another_connection_is_not_said_again(arrival_rule, arrive, change):
    arrive("first")
    elsewhere(lambda: change(arrival_rule))

    arrive("second")

    assert Message.objects.filter(event__key="second").count() == 0
    assert not MissedSignal.objects.exists()


def test_a_change_counts_from_its_commit_and_not_before(arrival_rule, arrive):
    arrive("first")
    changed, may_commit = Event(), Event()

    def switch_off() -> None:
        try:
            with transaction.atomic():
                TriggerRule.objects.filter(pk=arrival_rule.pk).update(is_on=False)
                changed.set()
                may_commit.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        switching = other.submit(switch_off)
        assert changed.wait(30)
        arrive("while it is open")
        may_commit.set()
        switching.result(30)
    arrive("after it is committed")

    assert list(RuleFiring.objects.order_by("id").values_list("event__key", flat=True)) == [
        "first",
        "while it is open",
    ]


def test_a_change_inside_a_deed_that_is_rolled_back_leaves_nothing_behind(arrival_rule, arrive):
    with transaction.atomic():
        reworded(arrival_rule.template.versions.all(), "Never said.")
        arrive("undone")
        assert last_text() == "【常客】Never said."
        transaction.set_rollback(True)

    arrive("first")

    assert last_text() == "【常客】Welcome to Lobby."


def test_a_rule_deleted_while_a_deed_is_open_refuses_no_deed(arrival_rule, arrive):
    """The rule is locked for the length of the deed: it is the deletion that waits, then finds the firing."""
    arrive("first")

    with transaction.atomic():
        arrive("second")
        with ThreadPoolExecutor(1) as other:
            gone = other.submit(lambda: _refused_for_now(arrival_rule.pk))
            assert gone.result(30)

    assert RuleFiring.objects.count() == 2


def _refused_for_now(rule_id: int) -> bool:
    """Whether the row cannot be deleted at this moment."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM campaigns_triggerrule WHERE id = %s FOR UPDATE SKIP LOCKED", [rule_id]
            )
            return cursor.rowcount == 0
    finally:
        connection.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda rule: TriggerRule.objects.filter(pk=rule.pk).update(dedupe_seconds=5),
        lambda rule: Template.objects.filter(pk=rule.template_id).update(name="Other"),
        lambda rule: reworded(rule.template.versions.all(), "Other"),
        lambda rule: rule.template.versions.all().delete(),
        lambda rule: CustomEventType.objects.create(name="room", label="Room"),
    ],
)
def test_whatever_a_rule_is_made_of_moves_the_stamp(arrival_rule, riverside, change):
    page = rulebook.read("customer_arrived", riverside.pk)
    rulebook.check(page)

    change(arrival_rule)

    with pytest.raises(rulebook.Outdated):
        rulebook.check(page)
