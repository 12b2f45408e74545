"""Value a member passes on from their own phone: with a code, and without learning whose number is a member's."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from members.domain import transfers
from members.domain.card_states import freeze
from members.domain.cards import open_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.phone_changes import change_phone
from members.domain.services import sell_services
from members.enums import AccountKind, Role, TenderType
from members.models import (
    Account,
    Card,
    CardKind,
    CardProduct,
    ServiceGroup,
    StaffLimit,
    Transfer,
    TransferStatus,
)
from messaging.models import Message, VerificationCode
from tests.conftest import NOON
from tests.crm.portal.conftest import texted_code

STRANGER = "13700137000"


@pytest.fixture
def phone(at_home: Client) -> Client:
    """Li Lei's browser; the code of the log-in is long past."""
    VerificationCode.objects.update(created_at=NOON)
    return at_home


def asked(card: Card, /, **more: str) -> dict[str, str]:
    form = {"card": str(card.public_id), "phone": "13900139000", "once": str(uuid4()), "amount": "20"}
    return form | {"services": "", "points": "", "note": ""} | more


def send(phone: Client, form: dict[str, str], /, **more: str):
    return phone.post("/portal/transfers/new/", form | more)


def offer(phone: Client, card: Card, member, /, **more: str):
    """The whole way: the form, the code, the form again with the code."""
    form = asked(card, **more)
    assert send(phone, form, do="code").status_code == 200
    return send(phone, form, do="offer", code=texted_code(member))


def held(member) -> int:
    kinds = (AccountKind.PRINCIPAL, AccountKind.BONUS)
    return sum(Account.objects.filter(member=member, kind__in=kinds).values_list("balance", flat=True))


def test_a_member_offers_with_their_code_and_the_other_takes_it_on_their_own_phone(
    phone, visit, loaded_card, li_lei, han
):
    answer = offer(phone, loaded_card, li_lei, note="Birthday")
    shown = phone.get(answer["Location"]).content.decode()
    assert (answer.status_code, held(han)) == (302, 0)
    assert "You offer value to +86 139****9000" in shown and "Han Meimei" not in shown

    taker = visit(han)
    taker.post(answer["Location"], {"do": "confirm"})

    transfer = Transfer.objects.get()
    assert (transfer.status, transfer.note, held(han)) == (TransferStatus.DONE, "Birthday", 2000)
    assert "You passed value on to +86 139****9000" in phone.get(answer["Location"]).content.decode()
    assert "Li Lei passed value on to you" in taker.get(answer["Location"]).content.decode()


def test_a_card_is_offered_by_its_name_and_last_four_digits(phone, loaded_card):
    page = phone.get("/portal/transfers/new/").content.decode()

    assert f"{loaded_card.product.name} …{loaded_card.number[-4:]}" in page and loaded_card.number not in page


def test_the_code_is_asked_for_at_once_and_not_as_optional(phone, loaded_card, li_lei):
    first = phone.get("/portal/transfers/new/").content.decode()
    asked_for = send(phone, asked(loaded_card), do="code").content.decode()

    assert "autofocus" not in first
    assert re.search(r'name="code"[^>]*autofocus', asked_for)
    assert "Code from the text message</label>" in asked_for


def test_a_missing_number_is_the_receivers(phone, loaded_card):
    refused = send(phone, asked(loaded_card, phone=""), do="code")

    assert refused.status_code == 422 and "Enter the receiver’s mobile number." in refused.content.decode()


def test_the_answer_is_the_same_for_a_number_that_is_nobodys(phone, loaded_card, li_lei, han):
    """Every page and address, but for the number itself and what is new in each: token, key, time."""
    pages = []
    for number in (STRANGER, "13900139000"):
        VerificationCode.objects.update(created_at=NOON)
        Message.objects.filter(cause="code").update(created_at=NOON)
        form = asked(loaded_card, phone=number)
        first = send(phone, form, do="code")
        last = send(phone, form, do="offer", code=texted_code(li_lei))
        told = [first, last, phone.get(last["Location"]), phone.get("/portal/")]
        phone.post(last["Location"], {"do": "withdraw"})
        told.append(phone.get(last["Location"]))
        pages.append([(one.status_code, _bare(one.content.decode(), number)) for one in told])

    for one, other in zip(*pages, strict=True):
        assert one[0] == other[0]
        assert one[1].splitlines() == other[1].splitlines()
    assert [each.status for each in Transfer.objects.all()] == [TransferStatus.WITHDRAWN] * 2


def _bare(page: str, number: str) -> str:
    page = page.replace(number, "NUMBER").replace(f"{number[:3]}****{number[-4:]}", "NUMBER")
    page = re.sub(r'\b[A-Za-z0-9]{64}\b|nonce="[^"]+"|<time.*?</time>', "", page)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", page)


def test_the_same_form_sent_twice_is_one_offer(phone, loaded_card, li_lei, han):
    form = asked(loaded_card)
    send(phone, form, do="code")
    code = texted_code(li_lei)

    answers = [send(phone, form, do="offer", code=code) for _press in range(2)]

    assert answers[0]["Location"] == answers[1]["Location"]
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize("code", ["", "12", "000000"])
def test_without_the_right_code_nothing_is_offered(phone, loaded_card, han, code):
    form = asked(loaded_card)
    send(phone, form, do="code")

    answer = send(phone, form, do="offer", code=code)

    assert answer.status_code == 422 and not Transfer.objects.exists()
    assert 'value="20"' in answer.content.decode(), "what was typed is kept"


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "500.01"}, {"amount": ""}, {"points": "1000000"}, {"services": "1"}, {"phone": "13800138000"},
     {"phone": "12"}, {"card": str(uuid4())}, {"amount": "-1"}],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_a_code_is_texted(phone, loaded_card, han, wrong):
    texts = Message.objects.count()

    answer = send(phone, asked(loaded_card, **wrong), do="code")

    assert (answer.status_code, Message.objects.count()) == (422, texts)


def test_a_frozen_card_and_that_of_another_member_pass_nothing_on(
    phone, loaded_card, at_till, riverside, han
):
    theirs, _ = open_card(
        actor=at_till, key="han", at=NOON, store=riverside, member=han, product=loaded_card.product
    )
    freeze(actor=at_till, key="lost", at=NOON, store=riverside, card=loaded_card)

    answers = [send(phone, asked(card), do="code").status_code for card in (loaded_card, theirs)]

    assert answers == [422, 422]


def test_within_a_day_of_a_new_number_nothing_is_passed_on(visit, loaded_card, li_lei, riverside, han):
    change_phone(
        actor=Actor("portal"), key="x", at=timezone.now(), store=riverside, member=li_lei,
        phone=STRANGER, is_confirmed_by_old=True,
    )  # fmt: skip
    li_lei.refresh_from_db()

    answer = send(visit(li_lei), asked(loaded_card), do="code")

    assert answer.status_code == 422 and "less than 24 hours" in answer.content.decode()


def test_alone_a_member_passes_on_as_much_as_a_cashier_does(phone, visit, loaded_card, li_lei, han):
    StaffLimit.objects.create(deed="transfer", role=Role.CASHIER, amount_max=3000)
    first = offer(phone, loaded_card, li_lei)
    VerificationCode.objects.update(created_at=NOON)
    second = offer(phone, loaded_card, li_lei)
    taker = visit(han)

    for each in (first, second):
        taker.post(each["Location"], {"do": "confirm"})
    third = send(phone, asked(loaded_card, amount="10.01"), do="code")

    assert held(han) == 2000, "the second would make it more than 30.00 in a day"
    assert third.status_code == 422 and "at the till only" in third.content.decode()


def test_services_of_a_count_card_are_passed_on_too(
    phone, visit, at_till, riverside, loaded_card, li_lei, han
):
    product = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100000,
    )
    by_hand = {"actor": at_till, "at": NOON, "store": riverside}
    washes, _ = open_card(key="w", member=li_lei, product=product, **by_hand)
    sell_services(key="s", card=washes, tender=TenderPaid(TenderType.CASH, 100000), **by_hand)

    answer = offer(phone, washes, li_lei, amount="", services="3")
    visit(han).post(answer["Location"], {"do": "confirm"})

    assert Account.objects.get(member=han, kind=AccountKind.SERVICES).balance == 3


def test_an_offer_to_nobody_runs_out_and_staff_cannot_confirm_it(phone, loaded_card, li_lei, at_till):
    offer(phone, loaded_card, li_lei, phone=STRANGER)
    transfer = Transfer.objects.get()

    with pytest.raises(transfers.TransferRefused):
        transfers.confirm(actor=at_till, at=timezone.now(), transfer=transfer)
    transfers.end_transfers(at=timezone.now() + timedelta(days=4))

    transfer.refresh_from_db()
    assert (transfer.receiver, transfer.status) == (None, TransferStatus.EXPIRED)


def test_who_is_not_logged_in_is_led_to_the_door(db):
    answer = Client().get("/portal/transfers/new/")

    assert answer.status_code == 302 and "/portal/login/" in answer["Location"]
