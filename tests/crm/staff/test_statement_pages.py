"""A member's statement for staff: any period on the tab, on paper, as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from members.domain.cards import recharge_card
from members.domain.ledger import TenderPaid
from members.domain.spending import spend
from members.enums import TenderType
from members.models import AuditEntry, Member
from tests.conftest import NOON
from tests.crm.staff.conftest import queries_of, text_of


def url(name: str, member: Member) -> str:
    return reverse(f"staff:{name}", args=[member.public_id])


@pytest.fixture
def busy(loaded_card, at_till, riverside) -> Member:
    """500.00 in on the 20th, 120.00 out on the 21st."""
    asked = {"actor": at_till, "store": riverside, "card": loaded_card}
    spend(key="s", at=NOON + timedelta(days=1), amount_minor=12000, note="=HYPERLINK(1)", **asked)
    return loaded_card.member


def test_the_tab_opens_and_closes_any_period(cashier: Client, busy: Member):
    page = text_of(cashier.get(url("member_detail", busy), {"since": "2026-11-21", "until": "2026-11-21"}))

    for words in ("Opening balance", "¥500.00", "−¥120.00", "¥380.00", "add up to the closing balance"):
        assert words in page
    assert ">Recharge</a>" not in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"since": "2026-11-22", "until": "2026-11-21"}, "The last day is before the first."),
        ({"since": "yesterday"}, "valid date"),
        ({"until": "9999-12-31"}, "This day cannot be right."),
    ],
)
def test_days_that_make_no_period_are_said_and_nothing_breaks(cashier: Client, busy: Member, asked, words):
    for page in ("member_detail", "statement_print"):
        answer = cashier.get(url(page, busy), asked)
        assert answer.status_code == 200
    assert words in text_of(cashier.get(url("member_detail", busy), asked))


def test_the_paper_has_every_line_oldest_first_with_the_balance_after_it(cashier: Client, busy: Member):
    page = text_of(cashier.get(url("statement_print", busy)))

    assert page.index("Recharge") < page.index("Spend: =HYPERLINK(1)")
    assert "¥380.00" in page and "Li Lei" in page and "Riverside" in page


def rows_of(response) -> list[list[str]]:
    text = response.content.decode()
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_file_opens_lists_and_closes_and_no_cell_is_a_formula(manager: Client, busy: Member):
    rows = rows_of(manager.get(url("statement_file", busy), {"since": "2026-11-21"}))

    principal = [row for row in rows if row[4] == "Principal"]
    assert [(row[1], row[5], row[6]) for row in principal] == [
        ("Opening balance", "", "500.00"),
        ("Spend: =HYPERLINK(1)", "-120.00", "380.00"),
        ("Closing balance", "", "380.00"),
    ]
    assert principal[1][0] == "2026-11-21 12:00:00"  # the store's time
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert AuditEntry.objects.filter(verb="exported").count() == 1


def test_a_store_whose_name_is_a_formula_is_harmless_in_the_file(manager: Client, busy: Member, riverside):
    riverside.name = "=1+1"
    riverside.save()

    rows = rows_of(manager.get(url("statement_file", busy)))

    assert {row[2] for row in rows[1:]} == {"", "'=1+1"}


def test_who_may(cashier: Client, stranger: Client, auditor: Client, busy: Member):
    assert cashier.get(url("statement_file", busy)).status_code == 403
    assert auditor.get(url("statement_file", busy)).status_code == 200
    for page in ("statement_print", "member_detail"):
        assert stranger.get(url(page, busy)).status_code == 404


def test_the_pages_ask_the_database_as_often_for_many_lines_as_for_few(
    cashier: Client, busy: Member, at_till, riverside, loaded_card
):
    few = [queries_of(cashier, url(page, busy)) for page in ("member_detail", "statement_print")]
    for n in range(4):
        recharge_card(
            actor=at_till,
            key=f"{n}",
            at=NOON,
            store=riverside,
            card=loaded_card,
            tender=TenderPaid(TenderType.CASH, 1000),
        )

    assert [queries_of(cashier, url(page, busy)) for page in ("member_detail", "statement_print")] == few


def test_the_paper_speaks_chinese(cashier: Client, busy: Member):
    page = text_of(cashier.get(url("statement_print", busy), headers={"Accept-Language": "zh-hans"}))

    assert "充值" in page
