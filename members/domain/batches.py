"""Many deeds of the clock in a few statements: one deed an account, told to nobody, all of a batch or none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection

from members.domain.ledger import Actor, Leg, refuse_closed_day
from members.enums import AccountKind, OperationKind


@dataclass(frozen=True)
class LockedAccount:
    """An account under a batch's locks: whose it is, and the store whose books its deed is in."""

    id: int
    kind: AccountKind
    member_id: int
    card_id: int | None
    store_id: int


@dataclass(frozen=True)
class BatchDeed:
    """One deed of a batch: its key, what was asked, and its legs, at most one of them on a member account."""

    account: LockedAccount
    key: str
    request: Mapping[str, Any]
    legs: Sequence[Leg]
    amount_minor: int = 0


def lock(account_ids: Iterable[int], at: datetime) -> list[LockedAccount]:
    """Lock the accounts, and those of the same cards and members, in id order; the days of their stores first.

    Left out: frozen accounts, and those of a store whose business day is signed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT of_account, account_kind, of_member, of_card, of_store"
            " FROM ledger_batch_open(%s, %s) WHERE stopped_by IS NULL",
            [list(account_ids), at],
        )
        rows = cursor.fetchall()
    return [
        LockedAccount(account, AccountKind(kind), member, card, store)
        for account, kind, member, card, store in rows
    ]


def post(*, kind: OperationKind, actor: Actor, at: datetime, deeds: Sequence[BatchDeed]) -> frozenset[str]:
    """Write the deeds, inside the transaction that locked their accounts. Gives the keys of those written now.

    A key already used is a replay and left out. Not for a person's deeds: nobody's limits are asked here.
    Raises ledger.PeriodClosed, for all of them, when a store's day is signed.
    """
    if not deeds:
        return frozenset()
    rows = json.dumps([_row(deed, kind, actor, at) for deed in deeds])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_batch_write(%s::jsonb)", [rows])
            answer = cursor.fetchone()[0]
    except IntegrityError as broken:
        refuse_closed_day(broken)
        raise
    return frozenset((json.loads(answer) if isinstance(answer, str) else answer)["keys"])


def _row(deed: BatchDeed, kind: OperationKind, actor: Actor, at: datetime) -> dict[str, Any]:
    account = deed.account
    asked = {"kind": str(kind), "member": account.member_id, "store": account.store_id}
    return {
        "kind": kind,
        "scope": actor.scope,
        "key": deed.key,
        "request": dict(deed.request) | asked,
        "store": account.store_id,
        "member": account.member_id,
        "card": account.card_id,
        "amount": deed.amount_minor,
        "at": at.isoformat(),
        "legs": [leg.as_json() for leg in deed.legs],
    }
