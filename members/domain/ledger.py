"""The only door for value. `open_deed` claims the key and locks; `post` writes the legs. One transaction.

Locked: the operation's key, then the named member accounts in id order, once. Nothing is published here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection
from django.utils.translation import gettext_lazy as _

from members.domain.allocation import OpenLot, Use
from members.enums import AccountKind, OperationKind
from members.models import Operation
from members.refusals import Refused


class IdempotencyConflict(Exception):
    """The key was used for a deed that was asked for differently; `fields` names what differs."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(f"the key was used with another {', '.join(fields)}")
        self.fields = list(fields)


class PaymentReferenceUsed(Refused):
    """This payment has already paid for something."""

    code = "payment_ref_used"
    field = "reference"


@dataclass(frozen=True)
class Actor:
    """On whose word a deed is done: a person of staff, or another system by its scope."""

    scope: str
    staff_id: int | None = None


@dataclass(frozen=True)
class Leg:
    """One entry to be: on a member account (with the lots it uses, or as a new lot) or a counter-account."""

    amount: int
    account: int | None = None
    uses: tuple[Use, ...] = ()
    paid_minor: int = 0
    expires_at: datetime | None = None
    store: int | None = None
    kind: AccountKind | None = None

    def as_json(self) -> dict[str, Any]:
        if self.account is None:
            return {"store": self.store, "kind": self.kind, "amount": self.amount}
        leg: dict[str, Any] = {"account": self.account, "amount": self.amount}
        if self.uses:
            return leg | {"uses": [{"lot": use.lot, "amount": use.amount} for use in self.uses]}
        expires = self.expires_at.isoformat() if self.expires_at else None
        return leg | {"paid": self.paid_minor, "expires_at": expires}


@dataclass(frozen=True)
class TenderPaid:
    """Outside money: its type, amount in minor units (negative when given back), the payment's reference."""

    type: str
    amount_minor: int
    reference: str = ""


@dataclass(frozen=True)
class Deed:
    """An opened deed: its operation, the locked accounts and balances by kind, the lots that may be used."""

    operation: Operation
    is_replay: bool
    accounts: Mapping[str, int] = field(default_factory=dict)
    balances: Mapping[str, int] = field(default_factory=dict)
    lots: tuple[OpenLot, ...] = ()

    def lots_of(self, *kinds: AccountKind) -> list[OpenLot]:
        return [lot for lot in self.lots if lot.kind in kinds]


def open_deed(
    *,
    kind: OperationKind,
    actor: Actor,
    key: str,
    at: datetime,
    store_id: int,
    member_id: int,
    card_id: int | None,
    request: Mapping[str, Any],
    lots_of: Iterable[AccountKind] = (),
    amount_minor: int = 0,
    reverses_id: int | None = None,
    note: str = "",
) -> Deed:
    """Claim the key, lock the accounts of the card and the member, read them. A used key gives a replay.

    Raises IdempotencyConflict when the key was used for something else.
    """
    asked = dict(request) | {"kind": str(kind), "member": member_id, "store": store_id}
    row = {
        "kind": kind,
        "scope": actor.scope,
        "key": key,
        "request": asked,
        "store": store_id,
        "staff": actor.staff_id,
        "member": member_id,
        "card": card_id,
        "reverses": reverses_id,
        "amount": amount_minor,
        "note": note,
        "at": at.isoformat(),
    }
    answer = _call(
        "SELECT ledger_open(%s::jsonb, %s::text[])", [json.dumps(row), [str(kind) for kind in lots_of]]
    )
    if answer["replayed"]:
        return Deed(_same(answer["operation"], asked), is_replay=True)
    operation = Operation(
        id=answer["operation"],
        public_id=UUID(answer["public_id"]),
        kind=kind,
        scope=actor.scope,
        key=key,
        request=asked,
        store_id=store_id,
        staff_id=actor.staff_id,
        member_id=member_id,
        card_id=card_id,
        reverses_id=reverses_id,
        amount_minor=amount_minor,
        note=note,
        at=at,
    )
    operation._state.adding = False
    return Deed(
        operation,
        is_replay=False,
        accounts={entry["kind"]: entry["id"] for entry in answer["accounts"]},
        balances={entry["kind"]: entry["balance"] for entry in answer["accounts"]},
        lots=tuple(
            OpenLot(lot["id"], AccountKind(lot["kind"]), lot["operation"], lot["remaining"])
            for lot in answer["lots"]
        ),
    )


def post(deed: Deed, legs: Sequence[Leg], tenders: Sequence[TenderPaid] = ()) -> dict[str, int]:
    """Write the legs of an opened deed and its tenders. Returns the balances after, by account kind.

    Raises PaymentReferenceUsed.
    """
    payments = [{"type": t.type, "amount": t.amount_minor, "reference": t.reference} for t in tenders]
    # counter-accounts a store does not have yet are made in one order, so that two first deeds cannot deadlock
    ordered = sorted(legs, key=lambda leg: (leg.account is None, leg.kind or ""))
    written = [deed.operation.pk, json.dumps([leg.as_json() for leg in ordered]), json.dumps(payments)]
    try:
        after = _call("SELECT ledger_write(%s, %s::jsonb, %s::jsonb)", written)
    except IntegrityError as broken:
        if "tender_reference_once" in str(broken):
            raise PaymentReferenceUsed(_("This payment reference has already been used.")) from broken
        raise
    return {**deed.balances, **after}


def _same(operation_id: int, asked: Mapping[str, Any]) -> Operation:
    earlier = Operation.objects.get(pk=operation_id)
    fields = sorted(
        name for name in {*earlier.request, *asked} if earlier.request.get(name) != asked.get(name)
    )
    if fields:
        raise IdempotencyConflict(fields)
    return earlier


def _call(sql: str, parameters: Sequence[Any]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        answer = cursor.fetchone()[0]
    return json.loads(answer) if isinstance(answer, str) else answer
