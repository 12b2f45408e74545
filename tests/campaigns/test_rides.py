"""A rule that rides in a deed's statement sends the very text it would send on the general road."""

from __future__ import annotations

import pytest

from campaigns.models import RuleFiring, TriggerRule
from members.domain.spending import spend
from messaging.domain.texts import measured, save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
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


def cost_of(message: Message) -> tuple[str, int]:
    """What the finished text itself costs."""
    whole = measured(message.text, message.phone)
    return whole.encoding, whole.parts
