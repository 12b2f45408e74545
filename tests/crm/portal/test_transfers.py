"""Value offered to a member, taken, declined or withdrawn on the phone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import gettext, pgettext

from members.domain import transfers
from members.enums import AccountKind
from members.models import Account, TransferStatus


@pytest.fixture
def offer(at_till, riverside, loaded_card, han):
    """Li Lei, whose card is loaded, offers Han Mei 20.00."""
    return transfers.propose(
        is_confirmed=True,
        actor=at_till,
        key="gift",
        at=timezone.now(),
        store=riverside,
        card=loaded_card,
        receiver=han,
        amount_minor=2000,
        note="Birthday",
    )


def address(offer) -> str:
    return f"/portal/transfers/{offer.public_id}/"


def held(member) -> int:
    kinds = (AccountKind.PRINCIPAL, AccountKind.BONUS)
    return sum(Account.objects.filter(member=member, kind__in=kinds).values_list("balance", flat=True))


def test_the_receiver_sees_the_offer_at_home_and_takes_it_once(visit, offer, han):
    phone: Client = visit(han)

    assert "wants to pass value on to you" in phone.get("/portal/").content.decode()
    assert "¥20.00" in phone.get(address(offer)).content.decode()
    for _press in range(2):
        assert phone.post(address(offer), {"do": "confirm"}).status_code == 302

    offer.refresh_from_db()
    assert (offer.status, held(han)) == (TransferStatus.DONE, 2000)
    assert "wants to pass value on to you" not in phone.get("/portal/").content.decode()


def test_a_declined_offer_moves_nothing_and_cannot_be_taken_afterwards(visit, offer, han):
    phone: Client = visit(han)

    phone.post(address(offer), {"do": "decline"})
    answer = phone.post(address(offer), {"do": "confirm"})

    offer.refresh_from_db()
    assert (answer.status_code, offer.status, held(han)) == (200, TransferStatus.DECLINED, 0)


def test_the_giver_may_withdraw_but_not_confirm(at_home: Client, offer, han):
    assert "You offer value to" in at_home.get("/portal/").content.decode()
    at_home.post(address(offer), {"do": "confirm"})
    assert held(han) == 0

    at_home.post(address(offer), {"do": "withdraw"})

    offer.refresh_from_db()
    assert offer.status == TransferStatus.WITHDRAWN


def test_to_everybody_else_the_offer_is_not_there(visit, offer, enrol):
    phone: Client = visit(enrol("13700137000", name="Zhang", language="en"))

    assert phone.get(address(offer)).status_code == 404
    assert phone.post(address(offer), {"do": "confirm"}).status_code == 404


def test_a_gift_is_accepted_and_a_service_taken_in_chinese():
    with translation.override("zh-hans"):
        assert (pgettext("gift", "Take it"), gettext("Take it")) == ("收下", "核销")
