"""A rule that rides in a deed's statement sends the very text it would send on the general road."""

from __future__ import annotations

from datetime import timedelta

import pytest

from campaigns.models import RuleFiring, TriggerRule
from members.domain.events import publish
from members.domain.spending import spend
from members.models import Staff
from messaging.domain import budgets
from messaging.domain.texts import measured, save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
from messaging.states import GATES, Reason
from tests.conftest import NOON
from tests.members.test_express import general_road

TEXTS = [
    "{name|Dear member}: {amount} paid at {store}. Balance {balance}, {points_balance} points.",
    "{balance} left",
    "Card {principal} + {bonus} of {amount}; {principal_balance} and {bonus_balance} left " + "x" * 95,
    "李雷您好，本次消费{amount}，余额{balance}，积分{points_balance}。" + "祝您生活愉快" * 6,
    "Braces [{balance}] ^ {points_balance} ~ " + "y" * 110,
    "{name|Dear member}, your payment at {store} is booked.",
    "😀 {balance} " + "好" * 58,
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("phone", ["+8613800138000", "+447400123456"])
def test_the_same_text_on_both_roads(loaded_card, at_till, riverside, mei, text, language, phone):
    template = Template.objects.create(
        key="spent", name="Spent", message_class=MessageClass.NOTIFICATION, event_type="card_spent"
    )
    save_draft(template=template, language=language, text=text, by=mei, at=NOON)
    TriggerRule.objects.create(name="spent", event_type="card_spent", template=template)
    loaded_card.member.phone, loaded_card.member.language = phone, language
    here = {"actor": at_till, "at": NOON, "store": riverside, "card": loaded_card}

    for number in range(6):  # from 500.00 to nothing: figures of every length
        with general_road():
            spend(key=f"general-{number}", amount_minor=4_166, **here)
        spend(key=f"express-{number}", amount_minor=4_166, **here)

    messages = list(Message.objects.order_by("id"))
    assert RuleFiring.objects.count() == 12
    for message in messages:
        assert (message.encoding, message.parts) == cost_of(message)
    texts = {message.text for message in messages}
    assert len(messages) == 12
    assert len(texts) == (1 if text == TEXTS[5] else 12), "each tells its own balance"
    assert {message.state for message in messages} == {"queued"}
    assert not any("\u9f98" in shown for shown in texts)


def test_two_equal_payments_are_told_twice_on_both_roads(loaded_card, at_till, riverside, mei):
    """A notice of a debit is never swallowed, though it says the same as the one before."""
    rule_of("card_spent", MessageClass.NOTIFICATION, "Your payment at {store} is booked.", mei)
    here = {"actor": at_till, "at": NOON, "store": riverside, "card": loaded_card, "amount_minor": 500}

    for number in range(2):
        with general_road():
            spend(key=f"general-{number}", **here)
        spend(key=f"express-{number}", **here)

    assert [message.state for message in Message.objects.all()] == ["queued"] * 4
    assert len(set(Message.objects.values_list("text", flat=True))) == 1


@pytest.mark.parametrize("has_budget", [False, True], ids=["one alone", "by the set"])
def test_a_call_missed_twice_is_answered_once_on_both_roads(li_lei, riverside, mei, has_budget):
    """While a budget is in force each text goes through the set's statement."""
    rule_of("call_missed", MessageClass.TRIGGER, "We missed your call.", mei)
    if has_budget:
        budgets.set_budget(
            scope="house",
            store=None,
            period="month",
            amount_minor=10_000,
            protected_percent=0,
            by=None,
            at=NOON,
        )

    for number, minutes in enumerate((0, 5, 11)):
        fact = {
            "member": li_lei,
            "store": riverside,
            "source": "pbx",
            "at": NOON + timedelta(minutes=minutes),
        }
        publish("call_missed", key=str(number), payload={"called": "021 5555 0100"}, **fact)

    firings = RuleFiring.objects.order_by("id").values_list("outcome", "reason")
    assert list(firings) == [("sent", ""), ("not_sent", Reason.DUPLICATE), ("sent", "")]
    assert list(Message.objects.order_by("id").values_list("gates", flat=True)) == [
        None,
        GATES[Reason.DUPLICATE],
        None,
    ]


def rule_of(event_type: str, message_class: MessageClass, text: str, by: Staff) -> TriggerRule:
    template = Template.objects.create(
        key=event_type, name=event_type, message_class=message_class, event_type=event_type
    )
    save_draft(template=template, language="en", text=text, by=by, at=NOON)
    return TriggerRule.objects.create(name=event_type, event_type=event_type, template=template)


def cost_of(message: Message) -> tuple[str, int]:
    """What the finished text itself costs."""
    whole = measured(message.text, message.phone)
    return whole.encoding, whole.parts
