"""A deed at the till becomes a text, or a reason why not; and never costs the deed."""

import pytest

from campaigns.enums import Firing
from campaigns.models import RuleFiring, TriggerRule
from members.domain.cards import recharge_card
from members.domain.enrolment import record_consent
from members.domain.events import sweep_missed
from members.domain.ledger import TenderPaid
from members.enums import ConsentSource, Purpose, TenderType
from members.models import Account, MissedSignal
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
from messaging.states import Reason, State
from tests.conftest import NOON


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
    type(version).objects.filter(pk=version.pk).update(text="{amount")  # broken behind the engine's back

    recharge()

    assert Account.objects.get(card=card, kind="principal").balance == 50000
    assert not Message.objects.exists()
    missed = MissedSignal.objects.get()
    type(version).objects.filter(pk=version.pk).update(text="Recharged {amount}")
    assert sweep_missed(at=missed.next_at) == {"settled": 1, "failed": 0}
    assert Message.objects.get().state == State.QUEUED
    assert sweep_missed(at=missed.next_at) == {"settled": 0, "failed": 0}
