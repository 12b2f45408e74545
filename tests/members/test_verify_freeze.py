"""Verifying what changed, and freezing exactly the accounts whose books do not agree."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from members.domain.cards import recharge_card
from members.domain.freezing import MayNotRelease, StillWrong, freeze, unfreeze, verify_all, verify_changed
from members.domain.ledger import AccountFrozen, TenderPaid
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import Role, TenderType
from members.models import Account, AuditEntry, Card, Entry, VerifyState
from members.tasks import verify_all as verify_all_task
from members.tasks import verify_changed as verify_changed_task
from tests.conftest import NOON, employ
from tests.members.test_audit import sql_as_replica


@pytest.fixture
def principal(loaded_card: Card) -> Account:
    """Li Lei's principal: 500.00 in one lot."""
    return Account.objects.get(card=loaded_card, kind="principal")


def spoil(account: Account, what: str) -> None:
    """Change one thing behind the ledger's back."""
    statements = {
        "balance": "UPDATE members_account SET balance = balance + 1 WHERE id = %s",
        "entry": "UPDATE members_entry SET amount = amount + 1 WHERE account_id = %s",
        "balance after": "UPDATE members_entry SET balance_after = balance_after + 1 WHERE account_id = %s",
        "number": "UPDATE members_entry SET seq = 9 WHERE account_id = %s",
        "lot": "UPDATE members_lot SET remaining = remaining - 1 WHERE account_id = %s",
        "held": "UPDATE members_lot SET held = 1 WHERE account_id = %s",
        "hash": "UPDATE members_entry SET hash = sha256(hash) WHERE account_id = %s",
        "last hash": "UPDATE members_account SET last_hash = sha256(last_hash) WHERE id = %s",
    }
    sql_as_replica(statements[what], account.pk)


def frozen() -> set[int]:
    return set(Account.objects.filter(is_frozen=True).values_list("pk", flat=True))


@pytest.mark.parametrize(
    "what", ["balance", "entry", "balance after", "number", "lot", "held", "hash", "last hash"]
)
def test_exactly_the_account_that_disagrees_is_frozen(principal, what):
    spoil(principal, what)

    verified = verify_all(at=NOON, is_freezing=True)

    assert verified.frozen == (principal.pk,)
    assert frozen() == {principal.pk}


def test_sound_books_freeze_nothing(principal):
    assert verify_all(at=NOON, is_freezing=True).frozen == ()
    assert frozen() == set()


def test_the_rows_that_disagree_are_named_in_the_audit_log(principal):
    spoil(principal, "balance")

    verify_all(at=NOON, is_freezing=True)

    entry = AuditEntry.objects.get(verb="account_frozen")
    faults = {fault["rule"]: fault["rows"] for fault in entry.after["faults"]}
    assert {"L2", "L5"} <= set(faults)
    assert faults["L2"][0]["balance"] == 50001
    assert entry.subject_id == str(principal.pk)


def test_a_frozen_account_is_frozen_once(principal):
    spoil(principal, "balance")
    assert freeze(verify().faults, at=NOON) == (principal.pk,)

    assert freeze(verify().faults, at=NOON) == ()
    assert AuditEntry.objects.filter(verb="account_frozen").count() == 1


def test_on_a_frozen_account_nothing_is_done_and_others_go_on(
    principal, loaded_card, riverside, at_till, enrol, product
):
    from_till = {"actor": at_till, "at": NOON, "store": riverside}
    spoil(principal, "balance")
    verify_all(at=NOON, is_freezing=True)

    with pytest.raises(AccountFrozen):
        spend(key="s", card=loaded_card, amount_minor=100, **from_till)
    with pytest.raises(AccountFrozen):
        recharge_card(key="r", card=loaded_card, tender=TenderPaid(TenderType.CASH, 100), **from_till)


# --- only what changed


def test_only_accounts_with_new_entries_are_looked_at(principal, loaded_card, riverside, at_till):
    VerifyState.objects.create(pk=1, last_entry_id=last_entry())
    assert verify_changed(at=NOON).report.counts["accounts"] == 0

    spend(actor=at_till, key="s", at=NOON, store=riverside, card=loaded_card, amount_minor=100)
    verified = verify_changed(at=NOON)

    assert verified.report.counts["accounts"] in (1, 2)  # its principal, and its points if it earned any
    assert verified.report.is_sound


def last_entry() -> int:
    return Entry.objects.latest("pk").pk


def age_entries(hours: int) -> None:
    sql_as_replica("UPDATE members_entry SET created_at = created_at - make_interval(hours => %s)", hours)


def test_the_place_moves_on_but_leaves_the_last_minutes_to_the_next_run(principal):
    """An entry has its number before its transaction commits: a later commit must not be passed over."""
    verify_changed(at=NOON)
    assert VerifyState.objects.get().last_entry_id == 0

    age_entries(1)
    verify_changed(at=NOON)
    assert VerifyState.objects.get().last_entry_id == last_entry()


def test_what_went_wrong_since_the_last_time_is_found_and_frozen(principal, loaded_card, riverside, at_till):
    age_entries(1)
    verify_changed(at=NOON)
    spend(actor=at_till, key="s", at=NOON, store=riverside, card=loaded_card, amount_minor=100)
    spoil(principal, "lot")

    assert verify_changed(at=NOON, is_freezing=True).frozen == (principal.pk,)


def test_an_old_change_without_new_entries_is_left_to_the_nightly_run(principal):
    age_entries(1)
    verify_changed(at=NOON)
    spoil(principal, "balance")

    assert verify_changed(at=NOON, is_freezing=True).frozen == ()
    assert verify_all(at=NOON, is_freezing=True).frozen == (principal.pk,)


# --- releasing


@pytest.fixture
def broken(principal: Account) -> Account:
    spoil(principal, "balance")
    verify_all(at=NOON, is_freezing=True)
    return principal


def mend(account: Account) -> None:
    sql_as_replica("UPDATE members_account SET balance = balance - 1 WHERE id = %s", account.pk)


def test_an_owner_releases_it_when_the_books_agree_again(broken, riverside, loaded_card, at_till):
    mend(broken)
    olga = employ(riverside, "olga", Role.OWNER)

    unfreeze(account=broken, by=olga, reason="Disk error, balance set back", at=NOON)

    assert frozen() == set()
    assert AuditEntry.objects.filter(verb="account_unfrozen", staff=olga).get().after["reason"]
    spend(actor=at_till, key="s", at=NOON, store=riverside, card=loaded_card, amount_minor=100)


def test_it_is_not_released_while_the_books_disagree(broken, riverside):
    with pytest.raises(StillWrong, match="L2"):
        unfreeze(account=broken, by=employ(riverside, "olga", Role.OWNER), reason="I say so", at=NOON)
    assert frozen() == {broken.pk}


@pytest.mark.parametrize("who", ["mei", "neighbour"])
def test_only_an_owner_of_the_store_releases(broken, who, mei, hilltop):
    mend(broken)
    by = mei if who == "mei" else employ(hilltop, "hana", Role.OWNER)

    with pytest.raises(MayNotRelease):
        unfreeze(account=broken, by=by, reason="Looked at it", at=NOON)


def test_a_release_says_why(broken, riverside):
    mend(broken)
    with pytest.raises(MayNotRelease) as refused:
        unfreeze(account=broken, by=employ(riverside, "olga", Role.OWNER), reason=" ", at=NOON)
    assert refused.value.field == "reason"


# --- the command and the tasks


def told_by_command(*asked: str) -> dict[str, Any]:
    out = StringIO()
    with suppress(CommandError):
        call_command("verify_ledger", *asked, stdout=out)
    return json.loads(out.getvalue())


def test_the_command_freezes_and_says_which(principal):
    spoil(principal, "balance")

    told = told_by_command("--freeze")

    assert (told["ok"], told["frozen"]) == (False, [principal.pk])


def test_the_command_can_look_at_what_changed_alone(principal):
    VerifyState.objects.create(pk=1, last_entry_id=last_entry())

    assert told_by_command("--since-last")["accounts"] == 0


def test_the_command_fails_when_something_is_broken(principal):
    spoil(principal, "balance")
    with pytest.raises(CommandError, match="L2"):
        call_command("verify_ledger", "--freeze", stdout=StringIO())


def test_the_tasks_say_what_they_did_and_write_the_root(principal):
    spoil(principal, "hash")

    assert verify_changed_task()["frozen"] == 1
    assert verify_all_task()["broken"] >= 1
    assert AuditEntry.objects.filter(verb="ledger_root").count() == 1


def test_time_passes(principal):
    verify_all(at=NOON + timedelta(days=1))
    assert VerifyState.objects.get().verified_at == NOON + timedelta(days=1)
