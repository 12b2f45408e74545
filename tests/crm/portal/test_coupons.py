"""The member's coupons and the statement of a period, on the phone."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.domain import coupons
from members.domain.ledger import open_deed
from members.enums import OperationKind
from members.models import Coupon, CouponDefinition, Member

PAGE = "/portal/coupons/"


@pytest.fixture
def give(at_till, riverside, li_lei):
    def _give(name: str, member: Member = li_lei, **more) -> Coupon:
        definition, _new = CouponDefinition.objects.get_or_create(
            name=name, defaults={"off_minor": 2000} | more
        )
        return coupons.issue(
            definition=definition,
            member=member,
            actor=at_till,
            key=f"{name}:{member.pk}",
            at=timezone.now(),
            store=riverside,
        )

    return _give


def text(answer) -> str:
    return answer.content.decode()


def test_a_coupon_shows_its_worth_its_code_as_text_and_qr_and_its_end(at_home: Client, give):
    coupon = give("20 off", valid_days=3, min_spend_minor=10000)

    page = text(at_home.get(PAGE))

    for words in (str(coupon), "¥20.00 off", "from a bill of ¥100.00", "Ends soon", "<svg"):
        assert words in page


def test_without_coupons_the_page_says_so(at_home: Client):
    assert "No coupons now" in text(at_home.get(PAGE))


def test_a_used_coupon_leads_to_its_bill_and_its_code_is_gone(
    at_home: Client, give, at_till, riverside, li_lei
):
    coupon = give("20 off")
    with transaction.atomic():
        bill = open_deed(
            kind=OperationKind.SPEND,
            actor=at_till,
            key="bill",
            at=timezone.now(),
            store_id=riverside.pk,
            member_id=li_lei.pk,
            card_id=None,
            request={},
        ).operation
        coupons.use(coupon, bill, timezone.now(), amount_minor=2000)

    page = text(at_home.get(PAGE))

    assert f"/portal/statement/{bill.public_id}/" in page and "−¥20.00" in page
    assert str(coupon) not in page


def test_an_ended_coupon_is_ended_before_the_clock_comes_by(at_home: Client, give):
    coupon = give("20 off", valid_days=1)
    Coupon.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    page = text(at_home.get(PAGE))

    assert "Ended" in page and str(coupon) not in page


def test_nobody_sees_somebody_elses_coupons(at_home: Client, give, han, client):
    hers = give("20 off", han)

    assert str(hers) not in text(at_home.get(PAGE))
    assert client.get(PAGE).status_code == 302


def test_the_page_asks_the_database_as_often_for_three_as_for_one(
    at_home: Client, give, django_assert_num_queries
):

    give("one")
    with CaptureQueriesContext(connection) as first:
        at_home.get(PAGE)
    give("two")
    give("three")
    with django_assert_num_queries(len(first)):
        at_home.get(PAGE)


# The statement of a period


def test_the_statement_of_a_period_opens_and_closes(at_home: Client):
    page = text(at_home.get("/portal/statement/", {"since": "2026-11-21"}))

    assert "Opening balance" in page and "¥500.00" in page
    assert "No entries in these days." in page


def test_the_statement_can_be_printed_and_taken_home(at_home: Client, li_lei):
    paper = at_home.get("/portal/statement/print/", {"until": "2026-11-20"})
    file = at_home.get("/portal/statement/statement.csv", {"until": "2026-11-20"})

    rows = list(csv.reader(io.StringIO(file.content.decode().removeprefix("\ufeff"))))
    principal = [(row[1], row[6]) for row in rows if row[4] == "Principal"]
    assert paper.status_code == 200 and "Li Lei" in text(paper)
    assert principal == [
        ("Opening balance", "0.00"),
        ("Recharge", "500.00"),
        ("Closing balance", "500.00"),
    ]


@pytest.mark.parametrize("asked", ["since=x", "until=2026-13-01", "since=2026-11-22&until=2026-11-21"])
def test_days_that_make_no_period_break_nothing(at_home: Client, asked: str):
    for page in ("statement/", "statement/print/", "statement/statement.csv"):
        assert at_home.get(f"/portal/{page}?{asked}").status_code == 200


def test_a_stranger_gets_neither_paper_nor_file(client: Client):
    for page in ("print/", "statement.csv"):
        assert client.get(f"/portal/statement/{page}").status_code == 302
