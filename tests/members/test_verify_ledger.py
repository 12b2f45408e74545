"""Each promise of the ledger, broken by hand where no verb could: it is seen, and the account is named."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from members.domain.cards import recharge_card
from members.domain.ledger import TenderPaid
from members.domain.refunds import refund
from members.domain.rewards import redeem_points
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, TenderType
from members.models import Account, RechargePlan, Reward
from tests.conftest import NOON


@pytest.fixture
def till(card, at_till, riverside):
    """Li Lei's card after a recharge with bonus, two spends, a refund and a reward."""
    here = {"actor": at_till, "at": NOON, "store": riverside}
    plan = RechargePlan.objects.create(name="500+80", pay_minor=50000, bonus_minor=8000)
    reward = Reward.objects.create(name="Head massage", points=50)
    recharge_card(key="r1", card=card, tender=TenderPaid(TenderType.CASH, 50000), plan=plan, **here)
    first = spend(key="s1", card=card, amount_minor=12000, **here)
    spend(
        key="s2", card=card, amount_minor=7000, tenders=[TenderPaid(TenderType.WECHAT, 3000, "wx-1")], **here
    )
    refund(key="f1", operation=first.operation, amount_minor=5000, **here)
    redeem_points(key="p1", card=card, reward=reward, **here)
    return card


def break_it(*statements: str) -> None:
    """Past every guard: deferred checks are settled first, then triggers and keys sleep."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)


def principal(card) -> int:
    return Account.objects.get(card=card, kind=AccountKind.PRINCIPAL).pk


def test_a_sound_ledger_is_told_as_json(till):
    out = io.StringIO()

    call_command("verify_ledger", stdout=out)

    told = json.loads(out.getvalue())
    assert told["ok"] is True and told["faults"] == []
    assert told["operations"] == 6 and told["entries"] > 15
    assert told["checks"] == dict.fromkeys(
        ["L1", "L2", "L3", "L4", "L5", "L7", "L9", "L10", "L13", "L14", "L15", "L16", "L17"], 0
    )


FIRST_SPEND = "(SELECT id FROM members_operation WHERE key = 's1')"
BREAKS = {
    "L1 an entry too much": (
        "L1",
        f"UPDATE members_entry SET amount = amount - 1 WHERE operation_id = {FIRST_SPEND} AND account_kind = 'sales'",
    ),
    "L1 no entries": (
        "L1",
        "DELETE FROM members_entry WHERE operation_id = (SELECT max(id) FROM members_operation)",
    ),
    "L2 balance": ("L2", "UPDATE members_account SET balance = balance + 1 WHERE id = {principal}"),
    "L2 sequence": ("L2", "UPDATE members_account SET last_seq = last_seq + 1 WHERE id = {principal}"),
    "L3 a gap": (
        "L3",
        "UPDATE members_entry SET seq = seq + 1 WHERE account_id = {principal} AND seq = (SELECT last_seq FROM "
        "members_account WHERE id = {principal})",
    ),
    "L3 running balance": (
        "L3",
        "UPDATE members_entry SET balance_after = balance_after + 1 WHERE account_id = {principal} AND seq = 2",
    ),
    "L4 below zero": (
        "L4",
        "ALTER TABLE members_account DROP CONSTRAINT account_balance_range",
        "UPDATE members_account SET balance = -1 WHERE id = {principal}",
    ),
    "L5 lots": ("L5", "UPDATE members_lot SET remaining = remaining - 1 WHERE account_id = {principal}"),
    "L5 a use lost": (
        "L5",
        "DELETE FROM members_lotuse WHERE lot_id IN (SELECT id FROM members_lot WHERE account_id = {principal})",
    ),
    "L5 an entry without a lot": (
        "L5",
        "UPDATE members_lot SET operation_id = operation_id + 1 WHERE account_id = {principal}",
    ),
    "L7 a key twice": (
        "L7",
        "ALTER TABLE members_operation DROP CONSTRAINT operation_once",
        "UPDATE members_operation SET key = 's1' WHERE key = 's2'",
    ),
    "L9 more back than taken": (
        "L9",
        "UPDATE members_operation SET amount_minor = 12001 WHERE key = 'f1'",
    ),
    "L9 to a lot it did not take": (
        "L9",
        "UPDATE members_operation SET reverses_id = (SELECT id FROM members_operation WHERE key = 'p1') "
        "WHERE key = 'f1'",
    ),
    "L13 untold": ("L13", f"DELETE FROM members_membershipevent WHERE operation_id = {FIRST_SPEND}"),
    "L13 told as something else": (
        "L13",
        f"UPDATE members_membershipevent SET type = 'card_opened' WHERE operation_id = {FIRST_SPEND}",
    ),
}


@pytest.mark.parametrize("case", BREAKS.values(), ids=BREAKS.keys())
def test_a_broken_promise_is_seen_and_the_account_named(till, case):
    rule, *statements = case
    account = principal(till)

    break_it(*(statement.replace("{principal}", str(account)) for statement in statements))

    report = verify()
    broken = [fault for fault in report.faults if fault.rule == rule]
    assert broken and broken[0].account_id in {a.pk for a in Account.objects.filter(member=till.member)} | {
        a.pk for a in Account.objects.filter(member=None)
    }


def test_money_from_nowhere_breaks_the_world_sum(till):
    break_it("UPDATE members_entry SET amount = amount + 1 WHERE account_kind = 'tender'")

    assert {fault.rule for fault in verify().faults} == {"L1", "L17"}


def test_the_command_exits_1_and_names_the_account(till):
    break_it(f"UPDATE members_account SET balance = balance + 1 WHERE id = {principal(till)}")

    out = io.StringIO()
    with pytest.raises(CommandError, match=f"L2 is broken for account {principal(till)}") as told:
        call_command("verify_ledger", stdout=out)

    assert told.value.returncode == 1
    answer = json.loads(out.getvalue())
    assert answer["ok"] is False
    assert (answer["faults"][0]["rule"], answer["faults"][0]["account"]) == ("L2", principal(till))


def test_only_the_named_accounts_are_judged(till):
    points = Account.objects.get(member=till.member, card=None).pk
    break_it(f"UPDATE members_account SET balance = balance + 1 WHERE id = {principal(till)}")

    assert verify(account_ids=[points]).is_sound
    assert [fault.account_id for fault in verify(account_ids=[principal(till)]).faults][0] == principal(till)
