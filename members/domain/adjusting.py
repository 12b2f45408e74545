"""Goodwill: bonus or points given or taken with a reason, and the way back. Never principal, never money."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit, ledger, restoring
from members.domain.allocation import Use, give_back, take_in_order
from members.domain.deeds import CardNotUsable, Outcome, begin, check_amount, conclude, replayed
from members.domain.ledger import Actor, Deed, Leg, NewLot
from members.enums import AccountKind, CardStatus, OperationKind
from members.models import Card, Lot, LotUse, Member, MemberStatus, Operation, Store
from members.refusals import Refused

COST_OF = {AccountKind.BONUS: AccountKind.BONUS_COST, AccountKind.POINTS: AccountKind.POINTS_COST}
REASON_MIN = 3


class ReasonRequired(Refused):
    """Value given without a reason is value given away."""

    code = "reason_required"
    field = "reason"


class NotAdjustable(Refused):
    """Only bonus and points are given or taken by hand."""

    code = "not_adjustable"
    field = "account"


class TooLittleLeft(Refused):
    """There is less than that to take. `facts["left"]` says how much."""

    code = "insufficient_balance"
    field = "amount"


def adjust(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    account: AccountKind,
    amount: int,
    reason: str,
    expires_at: datetime | None = None,
) -> Outcome:
    """Give (positive) or take (negative) bonus or points; above a person's limit a second person approves.

    Publishes value_adjusted; audited. Raises NotAdjustable, ReasonRequired, TooLittleLeft, AmountRefused,
    ledger.ApprovalRequired, ledger.ApprovalInvalid, ledger.OwnAccount, CardNotUsable.
    """
    if account not in COST_OF:
        raise NotAdjustable(_("Only bonus and points can be adjusted."))
    check_amount(amount if isinstance(amount, bool) else abs(amount))
    why = " ".join(reason.split())
    if len(why) < REASON_MIN:
        raise ReasonRequired(_("Say why, so that it can be understood a year from now."))
    request = {
        "card": card.pk,
        "account": str(account),
        "amount": amount,
        "reason": why,
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    with transaction.atomic():
        deed = begin(
            OperationKind.ADJUST,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request=request,
            amount_minor=abs(amount) if account == AccountKind.BONUS else 0,
            lots_of=(account,) if amount < 0 else (),
            note=why[:200],
        )
        if deed.is_replay:
            return replayed(deed)
        if amount > 0:
            own = Leg(amount, account=deed.accounts[account], lots=(NewLot(amount, expires_at=expires_at),))
        else:
            own = _taken(deed, account, -amount)
        return _write(deed, [own], account, store=store, card=card, actor=actor, reason=why)


def undo_adjustment(
    *, actor: Actor, key: str, at: datetime, store: Store, operation: Operation, reason: str
) -> Outcome:
    """The exact inverse: what was given is taken from its own lot, what was taken goes back to its lots.

    Refused when part of what was given is used up, or when nobody could use what would come back. Publishes
    value_adjusted. Raises NotAdjustable, TooLittleLeft, ReasonRequired, and what `adjust` raises.
    """
    if operation.kind != OperationKind.ADJUST or operation.reverses_id or operation.card is None:
        raise NotAdjustable(_("Only an adjustment can be undone here."), field="")
    account = AccountKind(operation.request["account"])
    amount = -int(operation.request["amount"])
    why = " ".join(reason.split())
    if len(why) < REASON_MIN:
        raise ReasonRequired(_("Say why, so that it can be understood a year from now."))
    request = {
        "card": operation.card_id,
        "account": str(account),
        "amount": amount,
        "operation": operation.pk,
        "reason": why,
    }
    with transaction.atomic():
        deed = ledger.open_deed(
            kind=OperationKind.ADJUST,
            actor=actor,
            key=key,
            at=at,
            store_id=store.pk,
            member_id=operation.member_id,
            card_id=operation.card_id,
            request=request,
            amount_minor=abs(amount) if account == AccountKind.BONUS else 0,
            reverses_id=operation.pk,
            note=why[:200],
        )
        if deed.is_replay:
            return replayed(deed)
        if operation.reversals.exclude(pk=deed.operation.pk).exists():
            raise NotAdjustable(_("This adjustment has been undone already."), field="")
        if amount > 0:
            _check_may_receive(deed, account)
        uses = _inverse_uses(operation, amount)
        own = [Leg(amount, account=deed.accounts[account], uses=tuple(uses))]
        if amount > 0:
            own = restoring.legs_into(deed, account, uses)
        return _write(deed, own, account, store=store, card=operation.card, actor=actor, reason=why)


def _check_may_receive(deed: Deed, account: AccountKind) -> None:
    """Under the locks: a card that is no more takes no bonus back, somebody who is no member no points."""
    is_open = deed.card_status in (CardStatus.ACTIVE, CardStatus.FROZEN)
    if account == AccountKind.POINTS:
        is_open = Member.objects.filter(pk=deed.operation.member_id, status=MemberStatus.ACTIVE).exists()
    if not is_open:
        raise CardNotUsable(
            _("This card is no more: nothing can go back to it. Give goodwill on another card.")
        )


def _inverse_uses(operation: Operation, amount: int) -> list[Use]:
    if amount > 0:  # it was taken: back to the lots it came from
        taken = LotUse.objects.filter(entry__operation=operation).order_by("id")
        return give_back([Use(use.lot_id, use.amount) for use in taken], {}, amount)
    lot = Lot.objects.get(operation=operation)
    left = lot.remaining - lot.held
    if left < -amount:
        raise TooLittleLeft(
            _("Part of it is used up. Take what is left with an adjustment."), field="", left=left
        )
    return [Use(lot.pk, amount)]


def _taken(deed: Deed, account: AccountKind, amount: int) -> Leg:
    lots = deed.lots_of(account)
    left = sum(lot.remaining for lot in lots)
    if left < amount:
        raise TooLittleLeft(_("There is less than that to take."), left=left)
    return Leg(-amount, account=deed.accounts[account], uses=tuple(take_in_order(lots, amount)))


def _write(
    deed: Deed, own: list[Leg], account: AccountKind, *, store: Store, card: Card, actor: Actor, reason: str
) -> Outcome:
    amount = sum(leg.amount for leg in own)
    points = amount if account == AccountKind.POINTS else 0
    outcome = conclude(
        deed,
        [*own, Leg(-amount, store=store.pk, kind=COST_OF[account])],
        event="value_adjusted",
        facts={"amount": amount - points, "points": points, "reason": reason},
        card=card,
        store=store,
    )
    restoring.keep(deed, own)
    audit.write(
        actor=actor,
        verb="adjusted",
        subject=deed.operation,
        store=store,
        after={"account": str(account), "amount": amount, "reason": reason, "card": card.number[-4:]},
        at=deed.operation.at,
    )
    return outcome
