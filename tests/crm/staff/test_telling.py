"""What the till says before a deed is confirmed, and that saying it changes nothing."""

import pytest
from django.urls import reverse

from members.domain.enrolment import record_consent
from members.enums import ConsentSource, Purpose
from members.models import Account, Entry, Lot, Member, MembershipEvent, Operation
from messaging.models import Message, Suppression
from tests.conftest import NOON
from tests.crm.staff.conftest import send, text_of

SAYS = "{name}: {amount}. Balance {balance}."


def rows() -> list[int]:
    return [
        table.objects.count() for table in (Operation, Entry, Lot, MembershipEvent, Message, Account, Member)
    ]


def test_a_spend_is_foretold_in_money_and_in_words(cashier, loaded_card, rule):
    rule("card_spent", SAYS)

    page = text_of(send(cashier, "spend_forecast", loaded_card, amount="620"))

    assert "Li Lei: ¥620.00. Balance ¥0.00." in page and "will be sent" in page
    assert "¥500.00" in page and "¥120.00" in page  # from the card, and the rest in cash


def test_foretelling_leaves_nothing_behind(cashier, loaded_card, rule, li_lei, product):
    rule("card_spent", SAYS)
    before = rows()

    send(cashier, "spend_forecast", loaded_card, amount="120")
    send(cashier, "recharge_card_forecast", loaded_card, amount="120")
    send(cashier, "open_card_forecast", li_lei, product=product.pk)
    send(cashier, "enrol_member_forecast", None, phone="13988887777", language="en")

    assert rows() == before


def test_what_was_foretold_is_what_is_sent(cashier, loaded_card, rule):
    rule("card_spent", "{name}: {amount}, {principal} of it principal. {points} points.")
    foretold = text_of(send(cashier, "spend_forecast", loaded_card, amount="120.50"))

    send(cashier, "spend", loaded_card, amount="120.50")

    assert Message.objects.get().text in foretold


def test_a_new_card_is_foretold_without_a_number(cashier, li_lei, product, rule):
    rule("card_opened", "{name}, your card {card} is open.")

    page = text_of(send(cashier, "open_card_forecast", li_lei, product=product.pk))

    assert "Li Lei, your card …•••• is open." in page


def test_a_refund_is_foretold_with_what_goes_back(manager, cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="620")
    sale = Operation.objects.get(kind="spend")

    page = text_of(send(manager, "refund_forecast", loaded_card, operation=sale.public_id))

    assert "Back to the card" in page and "¥500.00" in page
    assert "Hand out: Cash" in page and "¥120.00" in page
    assert "Points taken back" in page


def test_a_refusal_is_told_before_the_button_is_pressed(cashier, loaded_card):
    page = text_of(send(cashier, "spend_forecast", loaded_card, amount="100", outside="101"))

    assert "More was tendered than the bill." in page


def no_rule(rule, member):
    pass


def rule_off(rule, member):
    rule("card_spent", SAYS, is_on=False)


def no_service_consent(rule, member):
    rule("card_spent", SAYS)
    record_consent(
        member=member,
        purpose=Purpose.SERVICE,
        is_given=False,
        source=ConsentSource.TILL,
        wording_version="",
        at=NOON,
    )


def opted_out(rule, member):
    rule("card_spent", SAYS)
    Suppression.objects.create(phone_hash=bytes(member.phone_hash), scope="all", source="text", at=NOON)


def no_approved_text(rule, member):
    rule("card_spent", SAYS).template.versions.all().delete()


@pytest.mark.parametrize(
    ("arrange", "says"),
    [
        (no_rule, "No rule answers this"),
        (rule_off, "The rule for this is switched off"),
        (no_service_consent, "The member has not agreed to these texts"),
        (opted_out, "The number has opted out"),
        (no_approved_text, "the template has no approved version"),
    ],
)
def test_why_no_text_will_go_out(cashier, loaded_card, li_lei, rule, arrange, says):
    arrange(rule, li_lei)

    page = text_of(send(cashier, "spend_forecast", loaded_card, amount="100"))

    assert says in page and "will be sent" not in page


def test_the_live_line_asks_again_until_the_text_is_settled(cashier, loaded_card, rule):
    rule("card_spent", SAYS)
    send(cashier, "spend", loaded_card, amount="100")
    event = MembershipEvent.objects.get(type="card_spent")
    where = reverse("staff:event_texts", args=[event.public_id])

    moving = text_of(cashier.get(where))
    for state in ("submitting", "accepted", "delivered"):
        Message.objects.update(state=state)
    settled = text_of(cashier.get(where))

    assert "load delay:1s" in moving and "Queued" in moving
    assert "load delay:1s" not in settled and "Delivered" in settled
