"""What every deed shares: opened under its locks, concluded in one statement, told once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.domain import events, ledger
from members.domain.allocation import Use
from members.domain.ledger import Actor, Deed, IdempotencyConflict, Leg, TenderPaid, Told
from members.enums import STORED_VALUE, AccountKind, CardStatus, OperationKind, TenderType
from members.models import Account, Card, Entry, MembershipEvent, Operation, Store
from members.refusals import Refused

AMOUNT_MAX = 10**9


class AmountRefused(Refused):
    """The amount is not one the ledger takes."""

    code = "amount_invalid"
    field = "amount"


class CardNotUsable(Refused):
    """The card is frozen, replaced or closed."""

    code = "card_not_usable"


class NotOffered(Refused):
    """The plan, reward or tender is not offered at this store."""

    code = "not_offered"


@dataclass(frozen=True)
class Outcome:
    """What a deed did: its operation, the balances after it by account kind, the event that told it."""

    operation: Operation
    balances: Mapping[str, int]
    is_replay: bool = False
    event: MembershipEvent | None = None

    @property
    def balance_minor(self) -> int:
        """Principal and bonus together."""
        return sum(self.balances.get(kind, 0) for kind in STORED_VALUE)


def begin(
    kind: OperationKind,
    *,
    card: Card,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    request: Mapping[str, Any],
    amount_minor: int = 0,
    lots_of: Iterable[AccountKind] = (),
    reverses: Operation | None = None,
    note: str = "",
) -> Deed:
    """Open a deed on an active card. Raises CardNotUsable, and what `ledger.open_deed` raises."""
    deed = ledger.open_deed(
        kind=kind,
        actor=actor,
        key=key,
        at=at,
        store_id=store.pk,
        member_id=card.member_id,
        card_id=card.pk,
        request=request,
        lots_of=lots_of,
        amount_minor=amount_minor,
        reverses_id=reverses.pk if reverses else None,
        note=note,
    )
    if not deed.is_replay and (deed.card_status or card.status) != CardStatus.ACTIVE:
        # a deed that was done keeps its answer, whatever became of the card
        raise CardNotUsable(_("This card is not active."))
    return deed


def conclude(
    deed: Deed,
    legs: Sequence[Leg],
    *,
    event: str,
    facts: Mapping[str, Any],
    card: Card,
    store: Store,
    tenders: Sequence[TenderPaid] = (),
    visit: Mapping[str, int] | None = None,
    is_announced: bool = True,
) -> Outcome:
    """Write a deed and publish the event that tells it, with the balances after it.

    The text exists if and only if the value moved. A deed without legs is told all the same. What an old system
    did is stored and not announced: history is never texted to anybody.
    """
    payload = {**facts, **_balances_told(deed, legs), "card": f"…{card.number[-4:]}"}
    posted = ledger.post(deed, legs, tenders, visit=visit, told=Told(event, payload))
    operation = deed.operation
    assert posted.event_public_id is not None
    stored = MembershipEvent(
        id=posted.event_id,
        public_id=posted.event_public_id,
        type=event,
        member=card.member,
        store=store,
        operation=operation,
        payload=payload,
        source=operation.scope,
        key=f"operation:{operation.public_id}",
        at=operation.at,
    )
    stored._state.adding = False
    if is_announced:
        events.announce(stored, operation.at)
    return Outcome(operation, posted.balances, event=stored)


def _balances_told(deed: Deed, legs: Sequence[Leg]) -> dict[str, int]:
    """The balances after the legs, as placeholders; exact, because the accounts are locked."""
    after = dict(deed.balances)
    kinds = {account: kind for kind, account in deed.accounts.items()}
    for leg in legs:
        if leg.account is not None:
            after[kinds[leg.account]] += leg.amount
    principal, bonus = (after.get(kind, 0) for kind in STORED_VALUE)
    return {
        "balance": principal + bonus,
        "principal_balance": principal,
        "bonus_balance": bonus,
        "points_balance": after.get(AccountKind.POINTS, 0),
        "services_left": after.get(AccountKind.SERVICES, 0),
    }


def replayed(deed: Deed) -> Outcome:
    """The outcome a used key had: the balances its entries left, and the event it told."""
    operation = deed.operation
    held = Account.objects.filter(Q(card_id=operation.card_id) | Q(card=None), member_id=operation.member_id)
    balances: dict[str, int] = {kind: balance or 0 for kind, balance in held.values_list("kind", "balance")}
    entries = Entry.objects.filter(operation=operation, balance_after__isnull=False).order_by("id")
    balances |= {kind: after or 0 for kind, after in entries.values_list("account_kind", "balance_after")}
    return Outcome(operation, balances, is_replay=True, event=operation.events.first())


def replayed_payment(deed: Deed, tender: TenderPaid) -> Outcome:
    """The same for a deed paid by one tender: another payment's reference is another deed. Raises IdempotencyConflict.

    The reference is no part of the request: a second person says yes before the money is taken.
    """
    if not deed.operation.tenders.filter(reference=tender.reference).exists():
        raise IdempotencyConflict(["reference"])
    return replayed(deed)


def check_amount(amount_minor: int) -> int:
    """An amount the ledger takes: whole minor units from 1 to 10⁹. Raises AmountRefused."""
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int):
        raise AmountRefused(_("The amount must be a number."))
    if amount_minor <= 0:
        raise AmountRefused(_("The amount must be more than zero."))
    if amount_minor > AMOUNT_MAX:
        raise AmountRefused(_("The amount is too large."))
    return amount_minor


def legs_by_kind(deed: Deed, uses: Iterable[Use]) -> list[Leg]:
    """One leg per account touched, carrying the lots it uses."""
    kinds = {lot.id: lot.kind for lot in deed.lots}
    by_kind: dict[str, list[Use]] = {}
    for use in uses:
        by_kind.setdefault(kinds[use.lot], []).append(use)
    return [
        Leg(sum(use.amount for use in part), account=deed.accounts[kind], uses=tuple(part))
        for kind, part in by_kind.items()
    ]


def check_tender(tender: TenderPaid) -> None:
    """Refuse a tender there is no name for."""
    if tender.type not in TenderType.values:
        raise NotOffered(_("Choose how it was paid."), field="tender")
