"""A deed above one's limit, from the till to the second person and back; the audit page; frozen accounts."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from crm.staff import fault_words
from members.domain import audit, freezing
from members.domain.adjusting import adjust
from members.domain.freezing import verify_all
from members.domain.ledger import Actor
from members.domain.limits import put_usual_limits
from members.enums import AccountKind, Role
from members.models import Account, Approval, AuditEntry, Card, Operation, Staff, StaffLimit
from tests.conftest import NOON, employ
from tests.crm.staff.conftest import at_work, balance_of, queries_of, send, text_of
from tests.members.test_audit import sql_as_replica

PASSWORD = "a long enough word"  # noqa: S105  (conftest.employ's)


@pytest.fixture(autouse=True)
def limits(db: None) -> None:
    put_usual_limits()


def give(client: Client, card: Card, amount: str = "50", once: str = "", **more: Any) -> HttpResponse:
    asked = {"account": "bonus", "direction": "give", "amount": amount, "reason": "Waited an hour"}
    return send(client, "adjust", card, once=once, **(asked | more))


def ask(client: Client, card: Card, once: str = "the-same-form", **more: Any) -> Approval:
    give(client, card, once=once, approval_note="She was right", **more)
    return Approval.objects.latest("pk")


def decide(client: Client, approval: Approval, decision: str = "approve", password: str = PASSWORD) -> Any:
    where = reverse("staff:decide_approval", args=[approval.public_id])
    return client.post(where, {"decision": decision, "password": password})


def test_within_the_limit_a_cashier_gives_alone(cashier, card):
    response = give(cashier, card, "20")

    assert response.status_code == 302
    assert balance_of(card) == 2000


def test_above_it_the_till_offers_to_ask(cashier, card):
    response = give(cashier, card, "20.01")

    assert response.status_code == 422
    assert "above what you may do alone: ¥20.00 is left" in text_of(response)
    assert 'name="approval_note"' in text_of(response)
    assert not Approval.objects.exists()


def test_asked_approved_and_done_with_the_same_form(cashier, manager, card, mei):
    approval = ask(cashier, card)
    waiting = text_of(manager.get(reverse("staff:approval_list")))
    assert "¥50.00" in waiting and "She was right" in waiting

    assert decide(manager, approval).status_code == 302
    state = cashier.get(reverse("staff:approval_state", args=[approval.public_id]))
    done = give(cashier, card, once="the-same-form", approval=str(approval.public_id))

    assert "Mei has approved it" in text_of(state)
    assert done.status_code == 302
    assert balance_of(card) == 5000
    approval.refresh_from_db()
    assert (approval.status, approval.checker) == ("used", mei)


def test_the_form_comes_back_with_its_request_waiting(cashier, card):
    response = give(cashier, card, once="the-same-form", approval_note="She was right")

    approval = Approval.objects.get()
    assert response.status_code == 422
    assert f'name="approval" value="{approval.public_id}"' in text_of(response)
    assert "Waiting for approval" in text_of(response)


def test_a_request_without_a_reason_is_not_made(cashier, card):
    response = give(cashier, card, approval_note=" ")

    assert "Say why" in text_of(response)
    assert not Approval.objects.exists()


def test_another_amount_than_approved_is_refused_and_can_be_asked_anew(cashier, manager, card):
    approval = ask(cashier, card)
    decide(manager, approval)

    response = give(cashier, card, "51", approval=str(approval.public_id))

    assert response.status_code == 422
    assert "something differs from what was asked" in text_of(response)
    assert 'name="approval"' not in text_of(response)
    assert balance_of(card) == 0


def test_a_refusal_reaches_the_till(cashier, manager, card):
    approval = ask(cashier, card)
    decide(manager, approval, "refuse")

    state = cashier.get(reverse("staff:approval_state", args=[approval.public_id]))

    assert "Mei has refused it" in text_of(state)


# --- who decides


def test_the_wrong_password_decides_nothing_and_counts_as_a_failed_login(cashier, manager, card):
    approval = ask(cashier, card)

    response = decide(manager, approval, password="not hers")

    assert response.status_code == 422
    assert "This is not your password" in text_of(response)
    assert AuditEntry.objects.filter(verb="login_failed").count() == 1
    approval.refresh_from_db()
    assert approval.status == "pending"


def test_five_wrong_passwords_lock_even_the_right_one_out(cashier, manager, card):
    approval = ask(cashier, card)
    for _ in range(5):
        decide(manager, approval, password="not hers")

    assert decide(manager, approval).status_code in (422, 429)
    approval.refresh_from_db()
    assert approval.status == "pending"


def test_a_cashier_does_not_decide(cashier, card, riverside):
    approval = ask(cashier, card)
    lan = at_work(employ(riverside, "lan", Role.CASHIER))

    assert decide(lan, approval).status_code == 404
    assert decide(cashier, approval).status_code == 422
    approval.refresh_from_db()
    assert approval.status == "pending"


def test_an_auditor_sees_it_and_does_not_decide(cashier, auditor, card):
    approval = ask(cashier, card)

    page = text_of(auditor.get(reverse("staff:approval_list")))
    assert "She was right" in page and "Your password" not in page
    assert decide(auditor, approval).status_code == 422


def test_another_store_does_not_see_it(cashier, card, hilltop):
    approval = ask(cashier, card)
    hana = at_work(employ(hilltop, "hana", Role.OWNER, Role.MANAGER))

    assert "She was right" not in text_of(hana.get(reverse("staff:approval_list")))
    assert decide(hana, approval).status_code == 404
    assert hana.get(reverse("staff:approval_state", args=[approval.public_id])).status_code == 404


def test_the_navigation_counts_what_waits_for_this_person(cashier, manager, card):
    ask(cashier, card)

    assert '<span class="badge tone-wait">1</span>' in text_of(manager.get(reverse("staff:till")))
    assert "badge tone-wait" not in text_of(cashier.get(reverse("staff:till")))


def test_the_list_asks_the_database_as_often_for_three_as_for_one(cashier, manager, card):
    where = reverse("staff:approval_list")
    ask(cashier, card)
    one = queries_of(manager, where)
    for amount in ("60", "70"):
        ask(cashier, card, once=str(uuid4()), amount=amount)

    assert Approval.objects.count() == 3
    assert queries_of(manager, where) == one


# --- the form


@pytest.mark.parametrize(
    ("field", "typed"),
    [("amount", ""), ("amount", "0"), ("amount", "1.005"), ("amount", "x"), ("reason", ""), ("account", "principal"),
     ("direction", "steal"), ("valid_days", "0"), ("valid_days", "x")],
)  # fmt: skip
def test_a_form_that_is_not_right_gives_nothing(cashier, card, field, typed):
    response = (
        give(cashier, card, **{"amount": "10", field: typed})
        if field != "amount"
        else give(cashier, card, typed)
    )

    assert response.status_code == 422
    assert not Operation.objects.filter(kind="adjust").exists()


def test_points_are_whole(cashier, card):
    assert give(cashier, card, "1.5", account="points").status_code == 422
    assert give(cashier, card, "15", account="points").status_code == 302
    assert Account.objects.get(member=card.member, kind="points").balance == 15


def test_a_double_click_gives_points_once(cashier, card):
    first = give(cashier, card, "15", once="the-same-form", account="points")
    second = give(cashier, card, "15", once="the-same-form", account="points")

    assert first.url == second.url
    assert Account.objects.get(member=card.member, kind="points").balance == 15


def test_a_manager_takes_an_adjustment_back(cashier, manager, card):
    give(cashier, card, "20")
    deed = Operation.objects.get(kind="adjust")
    assert send(cashier, "undo_adjustment", deed, reason="Wrong card").status_code == 403

    assert send(manager, "undo_adjustment", deed, reason="Wrong card").status_code == 302
    assert balance_of(card) == 0


def test_foretelling_an_adjustment_leaves_nothing(cashier, card):
    where = reverse("staff:adjust_forecast", args=[card.public_id])
    asked = {"account": "bonus", "direction": "give", "amount": "20", "reason": "Waited"}

    assert "¥20.00" in text_of(cashier.post(where, asked))
    assert not Operation.objects.filter(kind="adjust").exists()
    assert not AuditEntry.objects.filter(verb="adjusted").exists()


# --- the audit page


@pytest.fixture
def owner(riverside) -> Client:
    return at_work(employ(riverside, "olga", Role.OWNER))


def test_the_log_is_for_owners_and_auditors(cashier, manager, owner, auditor):
    where = reverse("staff:audit_log")

    assert [c.get(where).status_code for c in (cashier, manager, owner, auditor)] == [403, 403, 200, 200]


def test_it_shows_who_did_what_and_can_be_narrowed(cashier, manager, auditor, card, chen):
    decide(manager, ask(cashier, card))
    where = reverse("staff:audit_log")

    assert "Approval asked for" in text_of(auditor.get(where, {"verb": "approval_asked"}))
    rows = text_of(auditor.get(where, {"verb": "approved", "staff": chen.pk})).split("<tbody>")[-1]
    assert "Nothing is written here" in rows
    assert "Nothing is written here" in text_of(auditor.get(where, {"since": "2100-01-01"}))
    assert "Nothing is written here" in text_of(auditor.get(where, {"subject": "no such thing"}))


def test_another_stores_log_is_not_shown(cashier, card, hilltop):
    ask(cashier, card)
    hana = at_work(employ(hilltop, "hana", Role.OWNER))

    page = text_of(hana.get(reverse("staff:audit_log")))
    assert "Chen" not in page and "Riverside" not in page


def test_the_export_is_written_down_itself(auditor, cashier, card):
    ask(cashier, card)

    lines = b"".join(auditor.get(reverse("staff:export_audit")).streaming_content).decode()

    assert "Approval asked for" in lines
    assert AuditEntry.objects.filter(verb="exported", subject_type="audit").count() == 1


def test_the_log_asks_the_database_as_often_for_three_rows_as_for_one(auditor, chen, riverside):
    where = reverse("staff:audit_log")
    audit.write(actor=chen, verb="changed", subject=riverside, store=riverside, at=NOON)
    one = queries_of(auditor, where)
    for _ in range(2):
        audit.write(actor=chen, verb="changed", subject=riverside, store=riverside, at=NOON)

    assert queries_of(auditor, where) == one


def test_comings_and_goings_are_written(client, chen):
    where = reverse("staff:login")
    client.post(where, {"username": "chen", "password": "wrong"})
    client.post(where, {"username": "hunter2 typed here", "password": "wrong"})
    client.post(where, {"username": "chen", "password": PASSWORD})
    client.post(reverse("staff:logout"))

    told = list(AuditEntry.objects.order_by("seq").values_list("verb", "subject"))
    assert told == [
        ("login_failed", "Chen"),
        ("login_failed", "?"),
        ("logged_in", "Chen"),
        ("logged_out", "Chen"),
    ]
    assert AuditEntry.objects.first().address == "127.0.0.1"


def test_showing_a_phone_is_written(cashier, li_lei):
    cashier.post(reverse("staff:reveal_phone", args=[li_lei.public_id]))

    assert AuditEntry.objects.filter(verb="phone_shown", subject_id=str(li_lei.pk)).count() == 1


# --- frozen accounts


@pytest.fixture
def broken(loaded_card) -> Account:
    account = Account.objects.get(card=loaded_card, kind=AccountKind.PRINCIPAL)
    sql_as_replica("UPDATE members_account SET balance = balance + 1 WHERE id = %s", account.pk)
    verify_all(at=NOON, is_freezing=True)
    return account


def test_a_frozen_account_is_shown_with_its_rows_and_released_by_an_owner(broken, owner, auditor):
    where = reverse("staff:release_account", args=[broken.pk])
    assert "L2" in text_of(owner.get(reverse("staff:frozen_accounts")))
    assert "1 account is frozen" in text_of(auditor.get(reverse("staff:audit_log")))
    assert auditor.post(where, {"reason": "Looked"}).status_code == 403
    assert owner.post(where, {"reason": "Looked"}).status_code == 422

    sql_as_replica("UPDATE members_account SET balance = balance - 1 WHERE id = %s", broken.pk)
    assert owner.post(where, {"reason": "Set back"}).status_code == 302
    broken.refresh_from_db()
    assert not broken.is_frozen


def test_what_disagrees_is_said_in_words_and_money_and_a_reason_outlives_a_refusal(broken, owner):
    said = text_of(owner.get(reverse("staff:frozen_accounts")))
    assert "The balance is not what the entries add up to." in said
    assert (
        "<dt>balance</dt><dd>¥500.01</dd>" in said and "<dt>sum of the entries</dt><dd>¥500.00</dd>" in said
    )
    assert "account_id" not in said and "sum_of_entries" not in said

    where = reverse("staff:release_account", args=[broken.pk])
    refused = owner.post(where, {"reason": "Counted the drawer"})

    assert refused.status_code == 422 and "Counted the drawer" in refused.content.decode()
    assert "do not agree. The balance is not what the entries add up to." in text_of(refused)


def test_every_rule_that_freezes_has_words():
    assert set(fault_words.BROKEN) == freezing.FREEZING_RULES


def test_another_stores_owner_does_not_see_it(broken, hilltop):
    hana = at_work(employ(hilltop, "hana", Role.OWNER))

    assert "L2" not in text_of(hana.get(reverse("staff:frozen_accounts")))
    assert (
        hana.post(reverse("staff:release_account", args=[broken.pk]), {"reason": "Mine"}).status_code == 404
    )


def test_people_and_limits(riverside, chen, card):
    """A person's own limit reaches the till as well."""
    StaffLimit.objects.create(deed="adjust", staff=chen, amount_max=100)
    actor = Actor(f"staff:{chen.pk}", chen.pk)
    adjust(
        actor=actor,
        key="k",
        at=NOON,
        store=riverside,
        card=card,
        account=AccountKind.BONUS,
        amount=100,
        reason="Late",
    )

    assert "¥0.00" in text_of(
        at_work(Staff.objects.get(pk=chen.pk)).get(reverse("staff:adjust", args=[card.public_id]))
    )
