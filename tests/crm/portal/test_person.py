"""A member's own number and data, from the member's own phone."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from members.domain.ledger import Actor
from members.domain.phone_changes import change_phone
from members.models import Erasure, Member
from messaging.models import Message, VerificationCode
from tests.conftest import NOON


def code_of(member: Member) -> str:
    return re.search(r"\d{6}", Message.objects.filter(member=member, cause="code").latest("id").text)[0]


@pytest.fixture
def phone(visit, li_lei) -> Client:
    browser = visit(li_lei)
    VerificationCode.objects.update(created_at=NOON)
    return browser


def test_with_the_code_of_the_old_number_it_changes_and_the_log_in_is_over(phone, li_lei):
    phone.post("/portal/phone/code/")

    answer = phone.post("/portal/phone/", {"code": code_of(li_lei), "phone": "13900139000"})

    assert answer.status_code == 302
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613900139000"
    assert phone.get("/portal/").status_code == 302


def test_another_session_of_the_old_phone_is_cut(phone, li_lei, riverside):
    change_phone(
        actor=Actor("portal"),
        key="x",
        at=NOON,
        store=riverside,
        member=li_lei,
        phone="13900139000",
        is_confirmed_by_old=True,
    )

    assert phone.get("/portal/").status_code == 302


@pytest.mark.parametrize(
    "form", [{"phone": "13900139000"}, {"code": "12", "phone": "13900139000"}, {"code": "123456"}]
)
def test_an_incomplete_form_changes_nothing(phone, li_lei, form):
    assert phone.post("/portal/phone/", form).status_code == 422
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613800138000"


def test_a_change_asked_at_the_shop_is_shown_and_stopped(phone, li_lei, mei, riverside):
    change = change_phone(
        actor=Actor(f"staff:{mei.pk}", mei.pk),
        key="x",
        at=NOON,
        store=riverside,
        member=li_lei,
        phone="13900139000",
        reason="Lost",
    )
    assert b"about to change" in phone.get("/portal/").content

    phone.post("/portal/phone/stop/")

    change.refresh_from_db()
    assert change.status == "stopped"


def test_the_wish_to_be_forgotten_is_kept_and_taken_back(phone):
    phone.post("/portal/erasure/")
    assert Erasure.objects.get().status == "asked"

    phone.post("/portal/erasure/", {"withdraw": "1"})

    assert Erasure.objects.get().status == "withdrawn"
