"""The money pages: what is owed, what stores owe each other, shifts, days signed, and the fraud board."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.staff import settlement_page
from members.domain import days, fraud
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import TenderPaid
from members.domain.spending import spend
from members.enums import Role, TenderType
from members.models import AuditEntry, Card, DayClose, DrawerMove, FraudCase, FraudState, Shift, Staff, Store
from tests.conftest import employ
from tests.crm.staff.conftest import at_work, queries_of, send, text_of, words_of

NOBODY = uuid4()


def at(name: str, *args: Any) -> str:
    return reverse(f"staff:{name}", args=args)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def today(riverside, now):
    return days.business_day(riverside, now)


@pytest.fixture
def owner(riverside) -> Client:
    return at_work(employ(riverside, "olivia", Role.OWNER))


@pytest.fixture
def foreign_manager(hilltop) -> Client:
    return at_work(employ(hilltop, "boss", Role.MANAGER))


@pytest.fixture
def paid(at_till, riverside, card, now):
    """Cash paid onto Li Lei's card at Riverside, now: 500.00."""

    def _paid(minor: int = 50000, key: str = "cash", store: Store = riverside) -> Card:
        tender = TenderPaid(TenderType.CASH, minor)
        recharge_card(actor=at_till, key=key, at=now, store=store, card=card, tender=tender)
        return card

    return _paid


@pytest.fixture
def shift(riverside, chen, now) -> Shift:
    """Chen's shift, begun with 300.00."""
    return days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=now)


@pytest.fixture
def other_shift(riverside, mei, now) -> Shift:
    """Mei's shift at the same store."""
    return days.open_shift(store=riverside, staff=mei, opening_minor=0, at=now)


@pytest.fixture
def case(riverside, chen, li_lei, now, today) -> FraudCase:
    """Chen took money back by another tender than it had come."""
    found = fraud.Finding(
        pattern="other_tender",
        subject=f"staff:{chen.pk}",
        store_id=riverside.pk,
        from_on=today,
        staff_id=chen.pk,
        member_id=li_lei.pk,
        amount_minor=12300,
        facts={"number": 1},
    )
    fraud.record(found=[found], at=now)
    return FraudCase.objects.get()


# What is owed


def test_what_is_owed_stands_by_store_and_leads_to_the_members(manager: Client, paid, riverside):
    paid()

    board = text_of(manager.get(at("money_liability")))
    behind = text_of(manager.get(at("money_liability_list", riverside.public_id, "principal")))

    assert board.count("¥500.00") >= 4  # in all, of principal, and in both tables
    assert "Li Lei" in behind and "¥500.00" in behind


def test_before_the_recharge_nothing_was_owed(manager: Client, paid, today):
    paid()

    page = text_of(manager.get(at("money_liability"), {"on": str(today - timedelta(days=1))}))

    assert "Nothing was owed" in page and "¥500.00" not in page


@pytest.mark.parametrize("on", ["", "soon", "2026-02-31", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_today(manager: Client, paid, on):
    paid()

    answer = manager.get(at("money_liability"), {"on": on})

    assert answer.status_code == 200 and "¥500.00" in text_of(answer)


def test_what_is_owed_as_a_file(auditor: Client, paid):
    paid()

    answer = auditor.get(at("money_liability"), {"format": "csv"})

    assert answer["Content-Type"].startswith("text/csv")
    lines = text_of(answer).strip().splitlines()
    assert lines[1] == "sold,Riverside,500.00,0.00,0.00,0.00,500.00"


def test_the_list_of_another_store_or_of_no_kind_does_not_exist(
    manager: Client, foreign_manager: Client, paid, riverside, hilltop
):
    paid()

    assert (
        foreign_manager.get(at("money_liability_list", riverside.public_id, "principal")).status_code == 404
    )
    assert manager.get(at("money_liability_list", hilltop.public_id, "principal")).status_code == 404
    assert manager.get(at("money_liability_list", riverside.public_id, "gold")).status_code == 404
    assert "¥500.00" not in text_of(foreign_manager.get(at("money_liability")))


def test_who_manages_one_store_and_stands_at_the_till_of_another_sees_one(mei: Staff, hilltop, paid):
    mei.roles.create(store=hilltop, role=Role.CASHIER)
    paid(key="there", store=hilltop)

    client = at_work(mei)
    client.post(at("choose_store"), {"store": mei.roles.get(role=Role.MANAGER).store_id})

    assert client.get(at("money_liability_list", hilltop.public_id, "principal")).status_code == 404
    assert "Hilltop</th>" not in text_of(client.get(at("money_liability")))


# Between stores


def test_value_sold_here_and_used_there_is_a_debt_with_its_deeds(
    manager: Client, paid, at_till, hilltop, riverside, now
):
    spend(actor=at_till, key="s", at=now, store=hilltop, card=paid(), amount_minor=12345)

    board = text_of(manager.get(at("money_settlement")))
    pair = text_of(manager.get(at("money_settlement"), {"pair": f"{riverside.pk}-{hilltop.pk}"}))
    file = text_of(manager.get(at("money_settlement"), {"format": "csv"}))

    assert "¥123.45" in board and "Li Lei" not in board
    assert "Li Lei" in pair
    assert file.strip().splitlines()[1] == "Riverside,Hilltop,123.45,0.00,123.45"


@pytest.mark.parametrize("pair", ["1-2", "x", "-", "99999999-1", ""])
def test_a_pair_that_is_none_opens_nothing(manager: Client, paid, pair):
    paid()

    answer = manager.get(
        at("money_settlement"), {"pair": pair, "takings": pair, "store": pair, "from": "x", "after": pair}
    )

    assert answer.status_code == 200 and 'id="pair"' not in text_of(answer)


def test_no_store_owes_another_while_nobody_went_elsewhere(manager: Client, riverside):
    assert "No store owes another anything" in text_of(manager.get(at("money_settlement")))


@pytest.fixture
def elsewhere(at_till, paid, now):
    """Stores named Lake 1, Lake 2 …: each took some of what Riverside had sold, every one a fen more."""

    def _elsewhere(number: int, deeds: int = 1) -> list[Store]:
        card, lakes = paid(10_000_00, key=f"for {number}"), []
        for n in range(1, number + 1):
            lakes.append(Store.objects.get_or_create(name=f"Lake {n}", sms_signature="常客")[0])
            for deed in range(deeds):
                spend(
                    actor=at_till,
                    key=f"{number} {n} {deed}",
                    at=now,
                    store=lakes[-1],
                    card=card,
                    amount_minor=100 + n,
                )
        return lakes

    return _elsewhere


def rows_of(answer) -> list:
    return list(answer.context["page"].rows)


def test_each_stores_net_stands_first_and_opens_whom_it_owes(owner: Client, elsewhere, riverside):
    first, second = elsewhere(2)
    Staff.objects.get(username="olivia").roles.create(store=first, role=Role.OWNER)

    board = owner.get(at("money_settlement"))
    of_lake = owner.get(at("money_settlement"), {"store": first.pk})

    assert [(net.store, net.owes_minor, net.owed_minor, net.net_minor) for net in board.context["nets"]] == [
        (riverside, 203, 0, -203),
        (first, 0, 101, 101),
    ]
    assert [debt.creditor for debt in rows_of(board)] == [second, first]
    assert [debt.creditor for debt in rows_of(of_lake)] == [first]
    assert "Who owes whom: Lake 1" in text_of(of_lake)


def test_who_owes_whom_comes_in_pages_from_the_largest_and_the_file_has_all(
    owner: Client, elsewhere, monkeypatch
):
    monkeypatch.setattr(settlement_page, "PAGE_ROWS", 2)
    lakes = elsewhere(5)

    pages = [owner.get(at("money_settlement"))]
    while older := pages[-1].context["page"].older_url:
        pages.append(owner.get(older))
    file = text_of(owner.get(at("money_settlement"), {"format": "csv"}))

    assert [debt.creditor for page in pages for debt in rows_of(page)] == lakes[::-1]
    assert [len(rows_of(page)) for page in pages] == [2, 2, 1]
    assert "Smaller ones" in text_of(pages[0]) and "From the largest" in text_of(pages[1])
    assert len(file.strip().splitlines()) == 6


def test_the_deeds_behind_a_debt_come_in_pages_and_the_file_has_all(
    owner: Client, elsewhere, riverside, monkeypatch
):
    monkeypatch.setattr(settlement_page, "PAGE_ROWS", 2)
    [lake] = elsewhere(1, deeds=5)
    behind = {"pair": f"{riverside.pk}-{lake.pk}"}

    pages = [owner.get(at("money_settlement"), behind)]
    while older := pages[-1].context["page"].older_url:
        pages.append(owner.get(older))
    file = text_of(owner.get(at("money_settlement"), {**behind, "format": "csv"}))

    shown = [row["id"] for page in pages for row in rows_of(page)]
    assert len(shown) == len(set(shown)) == 5 and shown == sorted(shown, reverse=True)
    assert {row["amount"] for page in pages for row in rows_of(page)} == {101}
    assert len(file.strip().splitlines()) == 6


def test_takings_are_summed_by_store_and_a_stores_days_come_in_pages(
    owner: Client, at_till, riverside, card, now, today, monkeypatch
):
    monkeypatch.setattr(settlement_page, "PAGE_ROWS", 2)
    deed = {"actor": at_till, "store": riverside, "card": card}
    for back, tender in ((0, TenderType.CASH), (0, TenderType.WECHAT), (1, TenderType.CASH)):
        moment = now - timedelta(days=back)
        recharge_card(key=f"{back} {tender}", at=moment, tender=TenderPaid(tender, 10_000), **deed)
    span = {"from": today - timedelta(days=1)}

    board = owner.get(at("money_settlement"), span)
    days_of = {**span, "takings": riverside.pk}
    first = owner.get(at("money_settlement"), days_of)
    second = owner.get(first.context["page"].older_url)
    file = text_of(owner.get(at("money_settlement"), {**span, "format": "csv", "file": "takings"}))

    assert [(row["store"], row["together"]) for row in board.context["takings"]] == [(riverside, 30_000)]
    assert [(row["on"], row["tender"]) for page in (first, second) for row in rows_of(page)] == [
        (today, "cash"),
        (today, "wechat"),
        (today - timedelta(days=1), "cash"),
    ]
    assert file.strip().splitlines()[1:] == [
        f"{today},Riverside,Cash,100.00,0.00,100.00,1",
        f"{today},Riverside,WeChat Pay,100.00,0.00,100.00,1",
        f"{today - timedelta(days=1)},Riverside,Cash,100.00,0.00,100.00,1",
    ]
    assert file == text_of(owner.get(at("money_settlement"), {**days_of, "format": "csv"}))


def test_the_nets_as_a_file(owner: Client, elsewhere):
    elsewhere(2)

    file = text_of(owner.get(at("money_settlement"), {"format": "csv", "file": "nets"}))

    assert file.strip().splitlines()[1:] == ["Riverside,2.03,0.00,-2.03"]


def test_between_stores_asks_as_often_for_three_stores_and_deeds_as_for_one(
    owner: Client, elsewhere, riverside
):
    def asked(lake: Store) -> list[int]:
        pair = {"pair": f"{riverside.pk}-{lake.pk}"}
        return [
            queries_of(owner, at("money_settlement"), **query)
            for query in ({}, pair, {"takings": riverside.pk})
        ]

    [lake] = elsewhere(1)
    asked(lake)
    one = asked(lake)
    lakes = elsewhere(3, deeds=3)

    assert asked(lakes[-1]) == one


# Shifts


def test_a_cashier_opens_their_shift_counts_and_closes_it(cashier: Client, paid, chen):
    cashier.post(at("money_shifts"), {"opening": "300"})
    paid()
    shift = Shift.objects.get(staff=chen)

    before = text_of(cashier.get(at("money_shift", shift.public_id)))
    answer = cashier.post(at("close_shift", shift.public_id), {"counted": "799.50", "note": "a coin"})

    shift.refresh_from_db()
    assert "¥800.00" in before and answer.status_code == 302
    assert (shift.expected_minor, shift.counted_minor, shift.difference_minor) == (80000, 79950, -50)
    assert "−¥0.50" in text_of(cashier.get(at("money_shift", shift.public_id)))
    assert AuditEntry.objects.filter(verb="shift_closed").count() == 1


@pytest.mark.parametrize("opening", ["", "lots", "-1", "1.005", "99999999999", "１００"])
def test_a_count_that_is_none_opens_nothing(cashier: Client, riverside, opening):
    answer = cashier.post(at("money_shifts"), {"opening": opening})

    assert answer.status_code == 422 and not Shift.objects.exists()


def test_an_empty_drawer_is_a_count_too(cashier: Client, chen):
    assert cashier.post(at("money_shifts"), {"opening": "0"}).status_code == 302
    assert Shift.objects.get(staff=chen).opening_minor == 0


def test_a_second_shift_of_the_same_person_is_refused(cashier: Client, shift):
    answer = cashier.post(at("money_shifts"), {"opening": "100"})

    assert answer.status_code == 422 and "Your shift is open already." in text_of(answer)


def test_the_drawer_takes_change_once_a_form(cashier: Client, shift):
    form = {"amount": "20", "way": "out", "reason": "stamps", "idempotency_key": "k"}
    for _twice in range(2):
        cashier.post(at("move_cash", shift.public_id), form)

    assert list(DrawerMove.objects.values_list("amount_minor", "reason")) == [(-2000, "stamps")]
    assert "¥280.00" in text_of(cashier.get(at("money_shift", shift.public_id)))


@pytest.mark.parametrize(
    "wrong",
    [{"amount": ""}, {"amount": "-3"}, {"way": "sideways"}, {"reason": ""}, {"idempotency_key": ""}],
)
def test_a_move_that_makes_no_sense_is_refused(cashier: Client, shift, wrong):
    form = {"amount": "20", "way": "out", "reason": "stamps", "idempotency_key": "k"} | wrong

    assert cashier.post(at("move_cash", shift.public_id), form).status_code == 422
    assert not DrawerMove.objects.exists()


def test_a_shift_that_cash_began_asks_for_what_lay_in_the_drawer_before(cashier: Client, loaded_card, chen):
    send(cashier, "recharge_card", loaded_card, amount="100")
    shift = Shift.objects.filter(staff=chen).latest("on")
    shown = words_of(cashier.get(at("money_shift", shift.public_id)))

    counted = cashier.post(at("close_shift", shift.public_id), {"counted": "100"})
    both = cashier.post(at("close_shift", shift.public_id), {"opening": "0", "counted": "100"})

    assert "Counted at the start ¥ Counted now ¥" in shown and "and what lay in it at the start" in shown
    assert counted.status_code == 422 and "Enter an amount." in text_of(counted)
    assert both.status_code == 302


@pytest.mark.parametrize("counted", ["", "many", "-1"])
def test_a_closing_count_that_is_none_leaves_the_shift_open(cashier: Client, shift, counted):
    answer = cashier.post(at("close_shift", shift.public_id), {"counted": counted})

    shift.refresh_from_db()
    assert answer.status_code == 422 and shift.is_open


def test_a_large_difference_is_closed_by_a_manager_not_alone(cashier: Client, manager: Client, shift, mei):
    alone = cashier.post(at("close_shift", shift.public_id), {"counted": "100"})
    together = manager.post(at("close_shift", shift.public_id), {"counted": "100"})

    shift.refresh_from_db()
    assert alone.status_code == 422 and "a manager has to close this shift" in text_of(alone)
    assert together.status_code == 302 and shift.accepted_by == mei


def test_a_cashier_sees_only_their_own_shift(cashier: Client, manager: Client, shift, other_shift):
    assert cashier.get(at("money_shift", shift.public_id)).status_code == 200
    for answer in (
        cashier.get(at("money_shift", other_shift.public_id)),
        cashier.post(at("close_shift", other_shift.public_id), {"counted": "0"}),
        cashier.post(at("move_cash", other_shift.public_id), {"amount": "1", "way": "in", "reason": "x"}),
    ):
        assert answer.status_code == 404
    assert "Mei" not in text_of(cashier.get(at("money_shifts"))).split("<main")[1]
    assert "Chen" in text_of(manager.get(at("money_shifts")))


def test_another_stores_shift_does_not_exist(foreign_manager: Client, shift):
    assert foreign_manager.get(at("money_shift", shift.public_id)).status_code == 404
    assert foreign_manager.post(at("close_shift", shift.public_id), {"counted": "0"}).status_code == 404
    shift.refresh_from_db()
    assert shift.is_open


def test_an_auditor_reads_a_shift_and_counts_nothing(auditor: Client, shift):
    page = text_of(auditor.get(at("money_shift", shift.public_id)))

    assert "Count and close" not in page
    assert auditor.post(at("close_shift", shift.public_id), {"counted": "300"}).status_code == 403
    auditor.post(at("money_shifts"), {"opening": "1"})
    assert Shift.objects.count() == 1


# Days


def test_a_manager_signs_the_day_and_it_takes_no_more_deeds(
    manager: Client, owner: Client, paid, shift, mei, today
):
    paid()
    days.close_shift(shift=shift, count=days.Count(80000), by=mei, at=timezone.now())

    manager.post(at("money_day", today), {"deed": "close", "note": "all in the safe"})

    page = text_of(manager.get(at("money_day", today)))
    assert "Signed by Mei" in page and "all in the safe" in page and "¥500.00" in page
    assert "Signed" in text_of(manager.get(at("money_days")))
    with pytest.raises(Exception, match="closed and signed"):
        paid(key="late")

    owner.post(at("money_day", today), {"deed": "reopen", "note": "one recharge was missing"})

    assert "one recharge was missing" in text_of(owner.get(at("money_day", today)))
    paid(key="late")


def test_a_day_with_an_open_shift_is_not_signed_and_says_so(manager: Client, shift, today):
    page = manager.post(at("money_day", today), {"deed": "close"}, follow=True)

    assert "Close every shift of this day first." in text_of(page)
    assert "1 shift open" in text_of(manager.get(at("money_days")))
    assert not DayClose.objects.exists()


def test_a_drawer_nobody_counted_has_no_count_and_no_difference(manager: Client, shift, riverside, today):
    Shift.objects.create(store=riverside, on=shift.on, opened_at=shift.opened_at)

    shown = words_of(manager.get(at("money_day", today)))

    assert "Chen ¥300.00 ¥0.00 ¥0.00 ¥300.00 – –" in shown
    assert "other systems ¥0.00 ¥0.00 ¥0.00 ¥0.00 – –" in shown
    assert "Together ¥300.00 – –" in shown


@pytest.mark.parametrize("form", [{}, {"deed": "burn"}, {"deed": "reopen", "note": "x"}])
def test_a_word_that_is_no_deed_signs_nothing(manager: Client, riverside, today, form):
    assert manager.post(at("money_day", today), form).status_code == 302
    assert not DayClose.objects.exists()


def test_only_the_owner_opens_a_day_again_and_says_why(
    manager: Client, owner: Client, auditor: Client, today, riverside
):
    auditor.post(at("money_day", today), {"deed": "close"})
    assert not DayClose.objects.exists()
    manager.post(at("money_day", today), {"deed": "close"})

    manager.post(at("money_day", today), {"deed": "reopen", "note": "please"})
    owner.post(at("money_day", today), {"deed": "reopen", "note": " "})

    assert DayClose.objects.get().reopened_at is None


@pytest.mark.parametrize("on", ["yesterday", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_never_was_does_not_exist(manager: Client, riverside, on):
    assert manager.get(at("money_day", on)).status_code == 404


def test_of_another_stores_day_one_sees_nothing(foreign_manager: Client, paid, today):
    paid()

    assert "¥500.00" not in text_of(foreign_manager.get(at("money_day", today)))


# The fraud board


def test_a_manager_takes_a_case_on_and_dismisses_it_with_a_reason(manager: Client, case, mei):
    where, judge = at("money_fraud_case", case.public_id), at("judge_case", case.public_id)
    assert "Refund by another tender than paid" in text_of(manager.get(at("money_fraud")))

    manager.post(judge, {"deed": "take"})
    silent = manager.post(judge, {"deed": "dismiss", "note": ""}, follow=True)
    manager.post(judge, {"deed": "dismiss", "note": "The terminal was down"})

    case.refresh_from_db()
    assert "Say why." in text_of(silent)
    assert (case.assigned_to, case.state, case.note) == (mei, FraudState.DISMISSED, "The terminal was down")
    assert "The terminal was down" in text_of(manager.get(where))
    assert "No cases here" in text_of(manager.get(at("money_fraud")))
    assert "¥123.00" in text_of(manager.get(at("money_fraud"), {"state": "dismissed"}))
    assert manager.get(at("money_fraud"), {"state": "nonsense"}).status_code == 200


def test_a_word_that_is_no_judgement_judges_nothing(manager: Client, case):
    manager.post(at("judge_case", case.public_id), {"note": "hm"})

    case.refresh_from_db()
    assert case.state == FraudState.OPEN


def test_another_stores_case_does_not_exist_and_an_auditor_does_not_judge(
    foreign_manager: Client, auditor: Client, case
):
    assert foreign_manager.get(at("money_fraud_case", case.public_id)).status_code == 404
    judged = foreign_manager.post(at("judge_case", case.public_id), {"deed": "dismiss", "note": "x"})
    assert judged.status_code == 404
    assert auditor.get(at("money_fraud_case", case.public_id)).status_code == 200
    assert auditor.post(at("judge_case", case.public_id), {"deed": "dismiss", "note": "x"}).status_code == 403
    assert auditor.get(at("money_fraud_case", NOBODY)).status_code == 404


def test_who_the_case_is_about_does_not_judge_it(riverside, chen, case):
    chen.roles.create(store=riverside, role=Role.MANAGER)

    page = at_work(chen).post(
        at("judge_case", case.public_id), {"deed": "dismiss", "note": "I am fine"}, follow=True
    )

    case.refresh_from_db()
    assert case.state == FraudState.OPEN and "whom the case is not about" in text_of(page)


# Who may


CLOSED_TO_CASHIERS = ("money_liability", "money_settlement", "money_days", "money_fraud")


def test_a_cashier_is_led_to_the_shifts_and_refused_the_rest(cashier: Client, riverside, today, case):
    assert cashier.get(at("money"))["Location"] == at("money_shifts")
    for name in CLOSED_TO_CASHIERS:
        assert cashier.get(at(name)).status_code == 403
    assert cashier.get(at("money_liability_list", riverside.public_id, "bonus")).status_code == 403
    assert cashier.get(at("money_day", today)).status_code == 403
    assert cashier.post(at("money_day", today), {"deed": "close"}).status_code == 403
    assert cashier.get(at("money_fraud_case", case.public_id)).status_code == 403
    assert cashier.post(at("judge_case", case.public_id), {"deed": "take"}).status_code == 403


def test_a_marketer_has_no_money_pages(riverside):
    client = at_work(employ(riverside, "max", Role.MARKETER))

    for name in ("money", "money_shifts", *CLOSED_TO_CASHIERS):
        assert client.get(at(name)).status_code == 403
    assert at("money") not in text_of(client.get(at("member_list")))


@pytest.mark.parametrize("who", ["manager", "owner", "auditor"])
def test_those_in_charge_and_the_auditor_find_every_page_in_the_rail(who, request, riverside):
    client = request.getfixturevalue(who)

    assert client.get(at("money"))["Location"] == at("money_liability")
    page = text_of(client.get(at("money_liability")))
    for name in ("money", *CLOSED_TO_CASHIERS, "money_shifts"):
        assert f'href="{at(name)}"' in page


# Cost


def test_the_pages_ask_the_database_as_often_for_three_as_for_one(
    owner: Client, enrol, product, at_till, riverside, hilltop, now, today, chen, mei
):
    def visit(number: int) -> None:
        member = enrol(f"1390013900{number}", name=f"Member {number}")
        deed = {"actor": at_till, "at": now, "store": riverside}
        card, _ = open_card(key=f"o{number}", member=member, product=product, **deed)
        recharge_card(key=f"r{number}", card=card, tender=TenderPaid(TenderType.CASH, 50000), **deed)
        spend(key=f"s{number}", card=card, amount_minor=1000, **deed | {"store": hilltop})
        colleague = employ(riverside, f"colleague{number}", Role.CASHIER)
        days.open_shift(store=riverside, staff=colleague, opening_minor=0, at=now)
        evidence = tuple(member.operations.values_list("pk", flat=True))
        found = fraud.Finding("other_tender", f"staff:{number}", riverside.pk, today, colleague.pk, member.pk)
        fraud.record(found=[found], at=now)
        FraudCase.objects.update(evidence=list(evidence))

    def asked() -> list[int]:
        pages = [at(name) for name in ("money_shifts", *CLOSED_TO_CASHIERS)]
        pages += [at("money_liability_list", riverside.public_id, "principal"), at("money_day", today)]
        pages += [at("money_shift", Shift.objects.get(staff=chen).public_id)]
        pages += [at("money_fraud_case", FraudCase.objects.first().public_id)]
        pair = {"pair": f"{riverside.pk}-{hilltop.pk}"}
        return [queries_of(owner, page) for page in pages] + [
            queries_of(owner, at("money_settlement"), **pair)
        ]

    visit(1)
    asked()  # settings are written down when they are first read
    one = asked()
    visit(2)
    visit(3)

    assert asked() == one
    assert max(one) <= 25
