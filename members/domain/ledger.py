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

from django.conf import settings
from django.db import IntegrityError, connection
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from members.amounts import format_minor
from members.domain import housebook
from members.domain.allocation import OpenLot, Use
from members.domain.housebook import House
from members.enums import AccountKind, OperationKind
from members.models import Operation
from members.models.control import COUNTED_WHOLE
from members.refusals import Refused


class IdempotencyConflict(Refused):
    """The key was used for a deed that was asked for differently; `fields` names what differs."""

    code = "idempotency_key_reuse"

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(_("This form has already done something else. Look at it before you start again."))
        self.fields = list(fields)


class PaymentReferenceUsed(Refused):
    """This payment has already paid for something."""

    code = "payment_ref_used"
    field = "reference"


class OwnAccount(Refused):
    """Staff do not deal with their own account."""

    code = "own_account"


class ApprovalRequired(Refused):
    """Above what this person may do alone. `facts`: the limited `deed`, its `amount`, the `payload` to approve,
    and what is `remaining` (None when no amount is limited, or it is not one deed alone)."""

    code = "approval_required"


class ApprovalInvalid(Refused):
    """The approval shown is not one for this deed, now: its code says why."""

    code = "approval_mismatch"

    def __init__(self, code: str) -> None:
        super().__init__(APPROVAL_WORDS[code])
        self.code = code

    @property
    def is_open(self) -> bool:
        """Whether it may still become one: nobody has decided yet."""
        return self.code == "approval_waiting"


APPROVAL_WORDS = {
    "approval_mismatch": _("This was not approved: something differs from what was asked. Ask again."),
    "approval_used": _("This approval has been used already. Ask again."),
    "approval_expired": _("This approval is more than 24 hours old. Ask again."),
    "approval_waiting": _("Nobody has approved this yet."),
    "approval_refused": _("This was refused."),
    "approval_withdrawn": _("Whoever approved this is no longer in charge at this store. Ask again."),
    "self_approval": _("Nobody approves what they asked for themselves."),
}


class PeriodClosed(Refused):
    """The store's business day has been closed and signed. `facts["on"]` says which day."""

    code = "period_closed"


class NotCurrent(Refused):
    """The member was merged into another, or erased."""

    code = "member_not_current"


class AccountFrozen(Refused):
    """The books of this account do not agree; a person has to look first."""

    code = "account_frozen"


@dataclass(frozen=True)
class Actor:
    """On whose word a deed is done: a person of staff, or another system by its scope.

    `approval` is the public id of a second person's yes, for a deed above what this person may do alone.
    """

    scope: str
    staff_id: int | None = None
    approval: str = ""


@dataclass(frozen=True)
class NewLot:
    """Value that comes in: what was paid for it, when it may be used, where and for what (`Lot.terms`).

    `source` is the deed it first came from, when that is not the one being done; `restores` the lot it left and does
    not go back to (members/domain/restoring.py).
    """

    amount: int
    paid_minor: int = 0
    expires_at: datetime | None = None
    active_from: datetime | None = None
    terms: Mapping[str, Any] | None = None
    source: int | None = None
    restores: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "amount": self.amount,
            "paid": self.paid_minor,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "active_from": self.active_from.isoformat() if self.active_from else None,
            "terms": self.terms,
            "source": self.source,
        }


@dataclass(frozen=True)
class Leg:
    """One entry to be: on a member account (the lots it uses, or the new lots it brings) or a counter-account."""

    amount: int
    account: int | None = None
    uses: tuple[Use, ...] = ()
    lots: tuple[NewLot, ...] = ()
    store: int | None = None
    kind: AccountKind | None = None

    def as_json(self) -> dict[str, Any]:
        if self.account is None:
            return {"store": self.store, "kind": self.kind, "amount": self.amount}
        leg: dict[str, Any] = {"account": self.account, "amount": self.amount}
        if self.uses:
            return leg | {"uses": [{"lot": use.lot, "amount": use.amount} for use in self.uses]}
        return leg | {"lots": [lot.as_json() for lot in self.lots]}


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
    card_status: str | None = None
    stamp: str | None = None

    @property
    def house(self) -> House:
        """What the house has set, as it stood when the deed opened."""
        return housebook.under(self.stamp)

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

    Raises IdempotencyConflict when the key was used for something else, OwnAccount, ApprovalRequired,
    ApprovalInvalid, AccountFrozen, PeriodClosed.
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
        "approval": actor.approval or None,
    }
    answer = _call(
        "SELECT ledger_open(%s::jsonb, %s::text[])", [json.dumps(row), [str(kind) for kind in lots_of]]
    )
    _refuse(answer)
    if answer["replayed"]:
        return Deed(_same(answer["operation"], asked), is_replay=True)
    housebook.under(answer["stamp"])
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
        lots=tuple(_open_lot(lot) for lot in answer["lots"]),
        card_status=answer.get("card_status"),
        stamp=answer["stamp"],
    )


@dataclass(frozen=True)
class Told:
    """The event that tells a deed: its type and its placeholders."""

    type: str
    payload: Mapping[str, Any]

    def as_json(self, operation: Operation) -> dict[str, Any]:
        key = f"operation:{operation.public_id}"
        return {"type": self.type, "payload": self.payload, "source": operation.scope, "key": key}


@dataclass(frozen=True)
class Posted:
    """What was written: the balances after it by account kind, and the stored event, if it was told."""

    balances: Mapping[str, int]
    event_id: int | None = None
    event_public_id: UUID | None = None


def post(
    deed: Deed,
    legs: Sequence[Leg],
    tenders: Sequence[TenderPaid] = (),
    *,
    visit: Mapping[str, int] | None = None,
    told: Told | None = None,
) -> Posted:
    """Write the legs of an opened deed, its outside money, its visit and the event that tells it, in one statement.

    `visit` is {"bill": minor units} for a purchase, {"returned": minor units} for one taken back. The event is
    stored, not announced. Raises PaymentReferenceUsed.
    """
    payments = [{"type": t.type, "amount": t.amount_minor, "reference": t.reference} for t in tenders]
    written = [
        deed.operation.pk,
        json.dumps([leg.as_json() for leg in legs]),
        json.dumps(payments),
        json.dumps(visit or {}),
        json.dumps(told.as_json(deed.operation) if told else {}),
    ]
    try:
        answer = _call("SELECT ledger_write(%s, %s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb)", written)
    except IntegrityError as broken:
        if "tender_reference_once" in str(broken):
            raise PaymentReferenceUsed(_("This payment reference has already been used.")) from broken
        raise
    event = answer["event_public_id"]
    return Posted({**deed.balances, **answer["balances"]}, answer["event"], UUID(event) if event else None)


def _refuse(answer: Mapping[str, Any]) -> None:
    """What `ledger_guard` and `ledger_open` forbid, in plain words."""
    code = answer.get("refused")
    if code is None:
        return
    if code == "approval_required":
        raise ApprovalRequired(
            _alone(answer),
            deed=answer["deed"],
            amount=answer["amount"],
            remaining=answer["remaining"],
            payload=answer["payload"],
        )
    if code in APPROVAL_WORDS:
        raise ApprovalInvalid(code)
    if code == "own_account":
        raise OwnAccount(_("You cannot do this on your own account. Ask a colleague."))
    if code == "member_not_current":
        raise NotCurrent(_("This member was merged into another, or erased."))
    if code == "account_frozen":
        raise AccountFrozen(_("This account is frozen: its books do not agree. Tell the owner."))


def _alone(answer: Mapping[str, Any]) -> str:
    """What is left for this person to do alone, in words."""
    left, times = answer["remaining"], answer["remaining_count"]
    if times == 0:
        return gettext("You have done this as often as you may alone. Ask for approval.")
    if not left:
        return gettext("You may not do this alone. Ask for approval.")
    shown = str(left) if answer["deed"] in COUNTED_WHOLE else _money(left)
    words = gettext("This is above what you may do alone: %(left)s is left. Ask for approval.")
    return words % {"left": shown}


def _money(minor: int) -> str:
    return format_minor(minor, settings.REGULARS_CURRENCY, get_language() or settings.LANGUAGE_CODE)


def refuse_closed_day(broken: IntegrityError) -> None:
    """What the database says of a signed day, in plain words. Raises PeriodClosed; any other fault is not its own."""
    told = getattr(broken.__cause__, "diag", None)
    if told is not None and told.constraint_name == "period_closed":
        raise PeriodClosed(
            _("The day is closed and signed. Only the owner can open it again."), on=told.message_detail
        ) from broken


def _open_lot(lot: Mapping[str, Any]) -> OpenLot:
    return OpenLot(
        id=lot["id"],
        kind=AccountKind(lot["kind"]),
        source=lot["source"],
        remaining=lot["remaining"],
        original=lot["original"],
        paid_minor=lot["paid"],
        sold_at=lot["sold_at"],
        terms=lot["terms"],
        expires_at=datetime.fromisoformat(lot["expires_at"]) if lot["expires_at"] else None,
    )


def check_same(was: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse a used key for what is asked otherwise than it was. Raises IdempotencyConflict."""
    if fields := sorted(name for name in {*was, *asked} if was.get(name) != asked.get(name)):
        raise IdempotencyConflict(fields)


def _same(operation_id: int, asked: Mapping[str, Any]) -> Operation:
    earlier = Operation.objects.get(pk=operation_id)
    check_same(earlier.request, asked)
    return earlier


def _call(sql: str, parameters: Sequence[Any]) -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            answer = cursor.fetchone()[0]
    except IntegrityError as broken:
        refuse_closed_day(broken)
        raise
    return json.loads(answer) if isinstance(answer, str) else answer
