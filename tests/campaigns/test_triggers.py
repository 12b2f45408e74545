"""A deed at the till becomes a text, or a reason why not; and never costs the deed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.enums import Firing
from campaigns.models import RuleFiring, TriggerRule
from members.domain.cards import recharge_card
from members.domain.enrolment import record_consent
from members.domain.events import publish, sweep_missed
from members.domain.ledger import TenderPaid
from members.enums import ConsentSource, Purpose, TenderType
from members.models import Account, CustomEventType, MissedSignal
from messaging.domain import budgets
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass
from messaging.models import Gateway, Message, Route, Template
from messaging.states import Reason, State
from tests.conftest import NOON, reworded


@pytest.fixture
def recharge_rule(mei):
    template = Template.objects.create(
        key="recharged",
        name="Recharged",
        message_class=MessageClass.NOTIFICATION,
        event_type="card_recharged",
    )
    save_draft(
        template=template, language="en", text="Recharged {amount}. Balance {balance}.", by=mei, at=NOON
    )
    save_draft(template=template, language="zh-hans", text="已充值{amount}，余额{balance}。", by=mei, at=NOON)
    return TriggerRule.objects.create(name="Recharge", event_type="card_recharged", template=template)


@pytest.fixture
def recharge(at_till, riverside, card):
    def _recharge(minor: int = 50000, key: str = "r1"):
        return recharge_card(
            actor=at_till,
            key=key,
            at=NOON,
            store=riverside,
            card=card,
            tender=TenderPaid(TenderType.CASH, minor),
        )

    return _recharge


def test_a_recharge_queues_its_text_with_the_balance_after(recharge_rule, recharge):
    recharge()

    message = Message.objects.get()
    assert message.state == State.QUEUED
    assert message.text == "【常客】Recharged ¥500.00. Balance ¥500.00."
    assert message.parts == 1


def test_a_text_no_route_leads_to_was_not_sent(recharge_rule, recharge):
    main = Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="regulars")
    Route.objects.create(gateway=main, position=1, prefix="+1")

    recharge()

    firing = RuleFiring.objects.get()
    assert (firing.outcome, firing.reason) == (Firing.NOT_SENT, Reason.NO_ROUTE)


def test_a_text_beyond_the_budget_was_not_sent(recharge_rule, recharge, riverside):
    Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="regulars", price_minor=4)
    budgets.set_budget(
        scope="store", store=riverside, period="month", amount_minor=3, protected_percent=0, by=None, at=NOON
    )

    recharge()

    firing = RuleFiring.objects.get()
    assert (firing.outcome, firing.reason) == (Firing.NOT_SENT, Reason.BUDGET)


def test_the_text_is_in_the_members_language(recharge_rule, recharge, li_lei, card):
    card.member.language = "zh-hans"
    card.member.save()

    recharge()

    assert Message.objects.get().text == "【常客】已充值¥500.00，余额¥500.00。"


def test_a_member_who_wants_no_service_texts_gets_none_and_the_timeline_says_why(
    recharge_rule, recharge, card
):
    record_consent(
        member=card.member,
        purpose=Purpose.SERVICE,
        is_given=False,
        source=ConsentSource.PORTAL,
        wording_version="2026-11",
        at=NOON,
    )

    recharge()

    firing = RuleFiring.objects.get()
    assert (firing.outcome, firing.reason) == (Firing.NOT_SENT, Reason.NO_CONSENT)
    assert Message.objects.get().state == State.SUPPRESSED


def test_a_rule_that_is_off_says_nothing(recharge_rule, recharge):
    recharge_rule.is_on = False
    recharge_rule.save()

    recharge()

    assert not Message.objects.exists()


def test_a_stores_own_rule_stands_in_place_of_the_rule_for_all(recharge_rule, recharge, riverside):
    TriggerRule.objects.create(
        name="Quiet here",
        event_type="card_recharged",
        template=recharge_rule.template,
        store=riverside,
        is_on=False,
    )

    recharge()

    assert not RuleFiring.objects.exists()


def test_the_dedupe_window_keeps_the_second_text_back(recharge_rule, recharge):
    recharge_rule.dedupe_seconds = 60
    recharge_rule.save()

    recharge(key="r1")
    recharge(key="r2")

    assert list(RuleFiring.objects.order_by("id").values_list("outcome", "reason")) == [
        (Firing.SENT, ""),
        (Firing.NOT_SENT, Reason.DUPLICATE),
    ]


def test_a_rule_without_an_approved_text_says_so(recharge_rule, recharge):
    recharge_rule.template.versions.all().delete()

    recharge()

    assert RuleFiring.objects.get().reason == Reason.NOT_APPROVED


def test_a_broken_rule_neither_refuses_nor_loses_money_and_the_sweep_fires_it_later(
    recharge_rule, recharge, card
):
    version = recharge_rule.template.versions.get(language="en")
    reworded(type(version).objects.filter(pk=version.pk), "{amount")  # broken behind the engine's back

    recharge()

    assert Account.objects.get(card=card, kind="principal").balance == 50000
    assert not Message.objects.exists()
    missed = MissedSignal.objects.get()
    reworded(type(version).objects.filter(pk=version.pk), "Recharged {amount}")
    assert sweep_missed(at=missed.next_at) == {"settled": 1, "failed": 0}
    assert Message.objects.get().state == State.QUEUED
    assert sweep_missed(at=missed.next_at) == {"settled": 0, "failed": 0}


@pytest.fixture
def spoken(recharge_rule, recharge):
    """A rule this process has read and fired once."""
    recharge(key="first")
    return recharge_rule


def test_a_change_of_the_wording_is_heard_by_the_next_deed(spoken, recharge, mei):
    save_draft(template=spoken.template, language="en", text="Thank you for {amount}.", by=mei, at=NOON)

    recharge(key="second")

    assert Message.objects.latest("id").text == "【常客】Thank you for ¥500.00."


def test_a_rule_switched_off_or_deleted_is_silent_from_the_next_deed_on(spoken, recharge):
    TriggerRule.objects.filter(pk=spoken.pk).update(is_on=False)
    recharge(key="second")
    TriggerRule.objects.filter(pk=spoken.pk).update(is_on=True)
    recharge(key="third")
    spoken.delete()
    recharge(key="fourth")

    assert Message.objects.count() == 2


def test_the_first_rule_of_an_event_is_heard_where_there_was_none(recharge, recharge_rule):
    recharge_rule.delete()
    recharge(key="first")
    TriggerRule.objects.create(
        name="New", event_type="card_recharged", template=Template.objects.get(key="recharged")
    )

    recharge(key="second")

    assert Message.objects.count() == 1


def test_from_the_stored_fact_to_the_queued_text_is_one_statement(spoken, recharge):
    with CaptureQueriesContext(connection) as asked:
        recharge(key="second")

    ours = [query["sql"] for query in asked if "campaigns_" in query["sql"] or "messaging_" in query["sql"]]
    assert ours == []  # rules and wordings are at hand
    assert sum("rule_ride(" in query["sql"] for query in asked) == 1
    assert Message.objects.count() == 2


def test_one_broken_rule_does_not_silence_the_other(spoken, recharge, mei):
    good = Template.objects.create(
        key="thanks", name="Thanks", message_class=MessageClass.NOTIFICATION, event_type="card_recharged"
    )
    save_draft(template=good, language="en", text="Thank you for {amount} today.", by=mei, at=NOON)
    TriggerRule.objects.create(name="Thanks", event_type="card_recharged", template=good)
    reworded(spoken.template.versions.all(), "{amount")  # broken behind the engine's back

    recharge(key="second")

    assert Message.objects.latest("id").text == "【常客】Thank you for ¥500.00 today."
    missed = MissedSignal.objects.get()
    reworded(spoken.template.versions.filter(language="en"), "Recharged {amount}.")
    assert sweep_missed(at=missed.next_at) == {"settled": 1, "failed": 0}
    assert RuleFiring.objects.filter(event=missed.event).count() == 2


def test_a_failure_in_the_database_leaves_the_deed_and_a_note_and_nothing_else(recharge_rule, recharge, card):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE messaging_message ADD CONSTRAINT closed CHECK (id < 0) NOT VALID")

    recharge()

    assert Account.objects.get(card=card, kind="principal").balance == 50000
    assert MissedSignal.objects.get().error == "RuleBroken"
    assert not RuleFiring.objects.exists() and not Message.objects.exists()


def test_a_shops_own_event_speaks_its_own_fields(li_lei, riverside, mei):
    CustomEventType.objects.create(name="room_ready", label="Room ready", fields={"room": "text"})
    template = Template.objects.create(
        key="room", name="Room", message_class=MessageClass.NOTIFICATION, event_type="custom.room_ready"
    )
    save_draft(template=template, language="en", text="{room} is ready.", by=mei, at=NOON)
    TriggerRule.objects.create(name="Room", event_type="custom.room_ready", template=template)

    def told(key: str, room: str):
        return publish(
            "custom.room_ready",
            member=li_lei,
            store=riverside,
            source="test",
            key=key,
            at=NOON,
            payload={"room": room},
        )

    assert told("one", "Room 5").payload == {"room": "Room 5"}
    assert told("one", "Room 6") is None

    assert Message.objects.get().text == "【常客】Room 5 is ready."
