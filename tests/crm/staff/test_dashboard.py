"""The start page of those in charge: what needs them, and how their store stands today."""

from __future__ import annotations

import re
from datetime import timedelta

import pgtrigger
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.enums import CampaignStatus
from campaigns.models import Campaign
from crm.reports import overview
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import TenderPaid
from members.enums import ConsentSource, Role, TenderType
from members.models import Member, MemberFacts, Purchase, Store
from messaging.domain import suppressions
from messaging.domain.outbox import enqueue
from messaging.models import Alert, AlertKind, Gateway, GatewayPrice, Message
from tests.conftest import NOON, Enrol, employ
from tests.crm.admin.conftest import draft_to
from tests.crm.staff.conftest import at_work, queries_of, text_of
from tests.crm.staff.test_approval_pages import ask

WHERE = "/overview/"


@pytest.fixture
def owner(riverside: Store) -> Client:
    return at_work(employ(riverside, "olga", Role.OWNER))


def alert(store: Store | None, name: str) -> None:
    facts = {"budget": f"The cap of {name}", "percent": 100}
    moments = {"opened_at": NOON, "seen_at": NOON}
    Alert.objects.create(kind=AlertKind.BUDGET_FULL, subject=name, store=store, facts=facts, **moments)


@pytest.mark.parametrize(
    ("role", "start"),
    [
        (Role.CASHIER, "till"),
        (Role.MARKETER, "till"),
        (Role.AUDITOR, "till"),
        (Role.MANAGER, "dashboard"),
        (Role.OWNER, "dashboard"),
    ],
)
def test_the_day_begins_where_ones_work_is(riverside, role, start):
    browser = at_work(employ(riverside, "person", role))
    browser.logout()
    form = {"username": "person", "password": "a long enough word"}

    landed = browser.post(reverse("staff:login"), form)

    assert landed.url == reverse(f"staff:{start}") == browser.get("/").url
    assert browser.get(landed.url).context["staff_nav"][0].url == landed.url
    assert browser.get(WHERE).status_code == (200 if start == "dashboard" else 403)


def test_a_new_store_is_told_what_to_do_next(owner):
    page = text_of(owner.get(WHERE))

    assert "Nobody is a member here yet" in page and "No campaign is running" in page
    assert "Nothing waits for you." in page and "nothing yet today" in page
    assert "of 0 members" not in page


def test_members_who_may_be_texted_are_those_of_the_list_behind_the_number(owner, enrol: Enrol, hilltop):
    enrol("13800138001", name="Ana")
    enrol("13800138002", name="Ben", marketing=False)
    silent = enrol("13800138003", name="Cai")
    enrol("13800138004", name="Hana", store=hilltop)
    suppressions.suppress(bytes(silent.phone_hash), ConsentSource.TILL, at=NOON)

    people = owner.get(WHERE).context["people"]

    assert people == {
        "members": 3,
        "reachable": 1,
        "not_agreed": 2,
        "opted_out": 1,
    }  # STOP takes the word back as well
    for consent, number in (("marketing", 1), ("no_marketing", 2), ("opted_out", 1)):
        assert len(owner.get(reverse("staff:member_list"), {"consent": consent}).context["rows"]) == number


@pytest.mark.parametrize(
    ("language", "said"), [("en", "50 % of the newest 2 members"), ("zh-hans", "最新 2 位会员的 50 %")]
)
def test_of_a_large_store_the_newest_members_are_counted(owner, enrol: Enrol, monkeypatch, language, said):
    monkeypatch.setattr(overview, "COUNTED_MAX", 2)
    enrol("13800138001", name="Ana")
    enrol("13800138002", name="Ben", marketing=False)
    enrol("13800138003", name="Cai")

    answer = owner.get(WHERE, headers={"Accept-Language": language})

    assert answer.context["people"]["members"] == 2
    assert answer.context["shown"] == {
        "members": "2+",
        "reachable": "1+",
        "not_agreed": "1+",
        "opted_out": "0+",
    }
    assert said in text_of(answer)


def test_money_in_is_of_the_stores_own_day_and_what_is_owed_follows(owner, at_till, card, hilltop, riverside):
    for key, tender, amount in (("a", TenderType.CASH, 12345), ("b", TenderType.WECHAT, 2000)):
        paid = TenderPaid(tender, amount)
        deed = {"actor": at_till, "at": timezone.now(), "store": riverside}
        recharge_card(key=key, card=card, tender=paid, **deed)

    page, owed = text_of(owner.get(WHERE)), text_of(owner.get(f"{WHERE}owed/"))
    elsewhere = at_work(employ(hilltop, "hana", Role.OWNER))

    assert "¥143.45" in page and "Cash ¥123.45" in page
    assert "¥143.45" in owed
    total, *parts = (round(float(said.replace(",", "")) * 100) for said in re.findall(r"¥([\d,.]+\d)", owed))
    assert (len(parts), sum(parts)) == (4, total), (
        "principal, bonus, services and points make up what is owed"
    )
    assert "143.45" not in text_of(elsewhere.get(WHERE)) + text_of(elsewhere.get(f"{WHERE}owed/"))


def test_a_text_that_was_taken_is_on_its_way_and_not_delivered(owner, enrol: Enrol, riverside, hilltop):
    for number, (state, store) in enumerate(
        [("accepted", riverside), ("delivered", riverside), ("suppressed", riverside), ("delivered", hilltop)]
    ):
        member = enrol(f"1380013800{number}", store=store)
        enqueue([draft_to(member, store)], at=timezone.now())
        with pgtrigger.ignore("messaging.Message:message_moves"):
            Message.objects.filter(member=member).update(state=state)
    old = enrol("13800138009")
    enqueue([draft_to(old, riverside)], at=NOON)
    Message.objects.filter(member=old).update(created_at=NOON)

    rows = owner.get(WHERE).context["texts"]

    assert [row["value"] for row in rows] == [1, 1, 0, 1]
    for row in rows:
        assert len(owner.get(row["url"]).context["rows"]) == row["value"], row["label"]


def test_todays_texts_have_a_price_once_they_have_left(owner, enrol: Enrol, riverside):
    gateway = Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="x", price_minor=4)
    for number, (state, parts) in enumerate([("delivered", 2), ("accepted", 1), ("suppressed", 3)]):
        member = enrol(f"1380013800{number}")
        enqueue([draft_to(member, riverside)], at=timezone.now())
        with pgtrigger.ignore("messaging.Message:message_moves"):
            Message.objects.filter(member=member).update(state=state, parts=parts, gateway=gateway)

    page = owner.get(WHERE)

    assert (page.context["texts_cost"].parts, page.context["texts_cost"].cost_minor) == (3, 12)
    assert "¥0.12" in text_of(page) and "3 parts handed over" in text_of(page)


def test_a_text_costs_what_its_number_costs_at_the_gateway_that_took_it(owner, enrol: Enrol, riverside):
    gateway = Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="x", price_minor=4)
    long_ago, later = timezone.now() - timedelta(days=9), timezone.now() + timedelta(hours=2)
    for prefix, milli, moment in (("+8613", 2500, long_ago), ("+8613", 9000, later)):
        GatewayPrice.objects.create(gateway=gateway, prefix=prefix, price_milli=milli, from_at=moment)
    for phone in ("13800138001", "15000150000"):
        enqueue([draft_to(enrol(phone), riverside)], at=timezone.now())
    with pgtrigger.ignore("messaging.Message:message_moves"):
        Message.objects.update(state="delivered", gateway=gateway, submitted_at=timezone.now())

    texts = owner.get(WHERE).context["texts_cost"]

    assert (texts.parts, texts.cost_minor) == (2, 7), "2.5 and 4 fen, rounded up; no later price"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Of the newest 2 texts of the whole house"), ("zh-hans", "整个企业最新的 2 条短信")],
)
def test_of_a_day_with_very_many_texts_the_newest_are_counted(
    owner, enrol: Enrol, riverside, hilltop, monkeypatch, language, said
):
    monkeypatch.setattr(overview, "TEXTS_READ_MAX", 2)
    for number, store in enumerate([riverside, hilltop, riverside]):
        enqueue([draft_to(enrol(f"1380013800{number}", store=store), store)], at=timezone.now())

    answer = owner.get(WHERE, headers={"Accept-Language": language})

    assert sum(answer.context["texts_cost"].by_state.values()) == 1
    assert answer.context["cost"].endswith("0.00+")
    assert said in text_of(answer)


def test_yesterdays_texts_make_no_day_look_cut(owner, enrol: Enrol, riverside, monkeypatch):
    monkeypatch.setattr(overview, "TEXTS_READ_MAX", 1)
    for number in (1, 2):
        enqueue([draft_to(enrol(f"1380013800{number}"), riverside)], at=timezone.now())
    Message.objects.filter(pk=Message.objects.earliest("pk").pk).update(created_at=NOON)

    assert not owner.get(WHERE).context["texts_cost"].is_cut


def came(member: Member, *days_ago: int) -> Member:
    """Their visits, and the facts the deeds would have kept."""
    moments = sorted(timezone.now() - timedelta(days=days) for days in days_ago)
    for at in moments:
        Purchase.objects.create(member=member, store=member.home_store, at=at, amount_minor=5000)
    facts = {"visits": len(moments), "first_visit_at": moments[0], "last_visit_at": moments[-1]}
    MemberFacts.objects.update_or_create(member=member, defaults=facts)
    return member


def test_who_came_back_was_long_away_and_is_in_the_list_behind_the_number(
    owner, enrol: Enrol, hilltop, riverside
):
    ana = came(enrol("13800138001", name="Ana"), 100, 1)
    came(enrol("13800138002", name="Ben"), 100, 30, 1)  # was here in between
    came(enrol("13800138003", name="Cai"), 1)  # never was before
    came(enrol("13800138004", name="Dee"), 100, 20)  # not this week
    came(enrol("13800138005", name="Eve"), 200, 2)
    came(enrol("13800138006", name="Hana", store=hilltop), 100, 1)
    enqueue([draft_to(ana, riverside)], at=timezone.now())
    with pgtrigger.ignore("messaging.Message:message_moves"):
        Message.objects.update(
            message_class="marketing", state="delivered", created_at=timezone.now() - timedelta(days=3)
        )

    tile = owner.get(f"{WHERE}back/")

    assert tile.context["number"] == "2" and "1 of them had a marketing text" in text_of(tile)
    shown = owner.get(tile.context["url"]).context["rows"]
    assert {row["member"].name for row in shown} == {"Ana", "Eve"}


def test_who_came_back_is_counted_so_far_and_no_further(owner, enrol: Enrol, monkeypatch):
    monkeypatch.setattr(overview, "BACK_COUNTED_MAX", 1)
    for number in (1, 2):
        came(enrol(f"1380013800{number}"), 100, 1)

    assert owner.get(f"{WHERE}back/").context["number"] == "1+"


def test_who_came_back_is_asked_as_often_for_many_as_for_one(owner, enrol: Enrol):
    came(enrol("13800138001"), 100, 1)
    one = queries_of(owner, f"{WHERE}back/")
    for number in (2, 3, 4):
        came(enrol(f"1380013800{number}"), 100, 1)

    assert queries_of(owner, f"{WHERE}back/") == one


def test_what_needs_a_person_comes_first_and_is_ones_own(manager, cashier, card, hilltop, riverside):
    alert(None, "the house")
    alert(riverside, "Riverside")
    alert(hilltop, "Hilltop")
    ask(cashier, card)

    page = manager.get(WHERE)

    assert [(row["label"], row["number"]) for row in page.context["waiting"]] == [("Approvals", 1)]
    assert "The cap of the house" in text_of(page) and "The cap of Riverside" in text_of(page)
    assert "The cap of Hilltop" not in text_of(page)


def test_campaigns_that_run_are_the_stores_own(owner, riverside, hilltop, mei):
    for store, name in ((riverside, "Spring at the river"), (hilltop, "Spring on the hill")):
        Campaign.objects.create(name=name, store=store, created_by=mei, status=CampaignStatus.ACTIVE)
    Campaign.objects.create(name="A draft", store=riverside, created_by=mei)

    page = text_of(owner.get(WHERE))

    assert "Spring at the river" in page
    assert "Spring on the hill" not in page and "A draft" not in page


def test_it_asks_the_database_as_often_for_many_as_for_one(
    manager, cashier, at_till, product, enrol: Enrol, riverside, mei
):
    def one_more(number: int) -> None:
        member = enrol(f"1380013800{number}")
        deed = {"actor": at_till, "at": timezone.now(), "store": riverside}
        card, _event = open_card(key=f"o{number}", member=member, product=product, **deed)
        recharge_card(key=f"r{number}", card=card, tender=TenderPaid(TenderType.CASH, 5000), **deed)
        enqueue([draft_to(member, riverside)], at=timezone.now())
        alert(riverside, f"number {number}")
        Campaign.objects.create(
            name=f"c{number}", store=riverside, created_by=mei, status=CampaignStatus.ACTIVE
        )
        ask(cashier, card, once=f"asked-for-{number}")

    one_more(1)
    one = queries_of(manager, WHERE)
    for number in (2, 3, 4):
        one_more(number)

    assert queries_of(manager, WHERE) == one <= 40


def test_it_reads_in_chinese(owner):
    owner.post(reverse("set_language"), {"language": "zh-hans"})

    page = text_of(owner.get(WHERE))

    assert "概览" in page and "Overview" not in page
