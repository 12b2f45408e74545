"""Who pays a bill: points up to what they are worth, the tenders named, the card for the rest as its lots allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.domain import hold_uses, lately
from members.domain.acceptance import accepted_issuers
from members.domain.allocation import OpenLot, Use, take, take_in_order
from members.domain.bills import Bill, Line, asked
from members.domain.deeds import AmountRefused, check_amount, check_tender
from members.domain.housebook import House
from members.domain.ledger import Deed, Leg, TenderPaid
from members.domain.lot_terms import Usable, usable_lots
from members.domain.phone_changes import check_spend
from members.domain.rewards import InsufficientPoints
from members.enums import STORED_VALUE, AccountKind, HoldStatus, SpendOrder
from members.models import Card, Coupon, Hold, Lot, Store
from members.refusals import Refused


class InsufficientBalance(Refused):
    """The card does not hold that much. `facts["available_minor"]` says how much of it is usable for this bill."""

    code = "insufficient_balance"
    field = "amount"


class CodeRequired(Refused):
    """So much is taken from a card within an hour, or anything passed on, only with the member's code."""

    code = "code_required"
    field = "code"


class PointsNotTaken(Refused):
    """Points do not pay this bill, or not so many of them. `facts["points_max"]` says how many may."""

    code = "points_not_taken"
    field = "points"


@dataclass(frozen=True)
class Asked:
    """A bill and how it is to be paid, as it was asked."""

    card: Card
    amount_minor: int
    tenders: Sequence[TenderPaid] = ()
    lines: Sequence[Line] = ()
    coupons: Sequence[Coupon] = ()
    points: int = 0
    rest: TenderPaid | None = None
    card_minor: int | None = None
    hold: Hold | None = None
    is_confirmed: bool = False

    def check(self) -> None:
        """Refuse what no bill can be. Raises AmountRefused, NotOffered, PointsNotTaken."""
        check_amount(self.amount_minor)
        for tender in self.tenders:
            check_amount(tender.amount_minor)
        for tender in (*self.tenders, self.rest) if self.rest else self.tenders:
            check_tender(tender)
        if self.lines and sum(check_amount(line.amount_minor) for line in self.lines) != self.amount_minor:
            raise AmountRefused(_("The lines do not add up to the bill."))
        if isinstance(self.points, bool) or not isinstance(self.points, int) or self.points < 0:
            raise PointsNotTaken(_("Points are a whole number."), points_max=0)

    @property
    def is_plain(self) -> bool:
        """Whether outside money and the card alone pay it, and nothing but a tier's discount comes off."""
        return not (self.coupons or self.points or self.hold)

    def request(self) -> dict[str, Any]:
        """As the deed keeps it. What was not asked for is not mentioned, so that a plain spend stays plain."""
        more = {
            "lines": asked(self.lines) or None,
            "coupons": sorted(coupon.pk for coupon in self.coupons) or None,
            "points": self.points or None,
            "rest": [self.rest.type, self.rest.reference] if self.rest else None,
            "card_minor": self.card_minor,
            "hold": self.hold.pk if self.hold else None,
            "is_confirmed": self.is_confirmed or None,
        }
        return {
            "card": self.card.pk,
            "amount": self.amount_minor,
            "tenders": sorted(
                [tender.type, tender.amount_minor, tender.reference] for tender in self.tenders
            ),
            **{name: said for name, said in more.items() if said is not None},
        }


@dataclass(frozen=True)
class Payment:
    """How a bill is paid: the uses of lots, points and their worth, outside money."""

    uses: tuple[Use, ...]
    lots: tuple[OpenLot, ...]
    stored_minor: int
    points: int
    points_minor: int
    tenders: tuple[TenderPaid, ...]

    @property
    def outside_minor(self) -> int:
        return sum(tender.amount_minor for tender in self.tenders)


def pay(deed: Deed, bill: Bill, wanted: Asked, store: Store) -> Payment:
    """Who pays what, under the deed's locks. A hold's lots pay first.

    Raises AmountRefused, InsufficientBalance, InsufficientPoints, PointsNotTaken, HoldEnded, CodeRequired,
    CoolingOff.
    """
    worth = _points_worth(deed, bill, wanted)
    held = _captured(wanted.hold, wanted.card, deed.operation.at)
    due = bill.net_minor - worth - sum(tender.amount_minor for tender in wanted.tenders)
    if due < 0:
        raise AmountRefused(_("More was tendered than the bill."))
    lots = [*held, *deed.lots_of(*STORED_VALUE)]
    usable = usable_for(lots, store, net_minor=bill.net_minor, lines=bill.net_lines())
    stored = _from_card(due, usable, wanted)
    uses = _take_lots(usable.lots, len(held), stored, SpendOrder(wanted.card.product.spend_order))
    tenders = list(wanted.tenders)
    if wanted.rest and stored < due:
        tenders.append(replace(wanted.rest, amount_minor=due - stored))
    check_code(deed.house, wanted.card, stored, is_confirmed=wanted.is_confirmed, besides=deed.operation.pk)
    check_spend(
        wanted.card.member, stored + worth, deed.operation.at, besides=deed.operation, captured=wanted.hold
    )
    of_points = deed.lots_of(AccountKind.POINTS)
    uses += take_in_order(of_points, wanted.points)
    return Payment(tuple(uses), (*usable.lots, *of_points), stored, wanted.points, worth, tuple(tenders))


def check_code(
    house: House, card: Card, stored_minor: int, *, is_confirmed: bool, besides: int | None = None
) -> None:
    """Refuse so much from a card without the member's code, with all of the last hour that had none.

    `besides` is the deed that asks. Raises CodeRequired.
    """
    own = card.product.code_above_minor
    limit = house.code_above_minor if own is None else own
    if is_confirmed or not stored_minor or not limit:
        return
    if stored_minor > limit:
        raise CodeRequired(_("So much from the card needs the member’s code."), above_minor=limit)
    before = lately.without_code_minor(
        card_id=card.pk, member_id=card.member_id, besides=besides, enough=limit + 1 - stored_minor
    )
    if before + stored_minor > limit:
        said = _("So much from the card within an hour needs the member’s code.")
        raise CodeRequired(said, above_minor=limit)


def usable_for(
    lots: Sequence[OpenLot], store: Store, *, net_minor: int = 10**9, lines: Sequence[Line] = ()
) -> Usable:
    """How much of the lots may pay such a bill at this store. Reads the acceptance only for another store's value."""
    honoured = cache(lambda kind: accepted_issuers(store.pk, kind))
    return usable_lots(lots, store_id=store.pk, honoured=honoured, net_minor=net_minor, lines=lines)


def lots_on(card: Card, at: datetime) -> list[OpenLot]:
    """What may be spent of a card, read without a lock: to show how much is usable, not to decide it."""
    live = Q(account__card=card, account__kind__in=STORED_VALUE, remaining__gt=0) & Q(remaining__gt=F("held"))
    live &= (Q(expires_at=None) | Q(expires_at__gt=at)) & (Q(active_from=None) | Q(active_from__lte=at))
    lots = Lot.objects.filter(live).select_related("account", "source")
    return [
        OpenLot(
            id=lot.pk,
            kind=AccountKind(lot.account.kind),
            source=lot.source_id,
            remaining=lot.remaining - lot.held,
            sold_at=lot.source.store_id,
            terms=lot.terms,
        )
        for lot in lots.order_by(F("expires_at").asc(nulls_last=True), "id")
    ]


def settlement_legs(server: int, owed: dict[int, int]) -> list[Leg]:
    """Each issuer owes (positive) the server (negative); the other way round when it is taken back."""
    return [
        Leg(sign * amount, store=of, kind=AccountKind.SETTLEMENT)
        for issuer, amount in sorted(owed.items())
        for of, sign in ((issuer, 1), (server, -1))
        if amount
    ]


def _captured(hold: Hold | None, card: Card, at: datetime) -> list[OpenLot]:
    """The lots a hold has set aside for this bill. Raises HoldEnded for a hold of another card or past its time."""
    if hold is None:
        return []
    if hold.card_id != card.pk or hold.status != HoldStatus.OPEN or hold.expires_at <= at:
        raise hold_uses.HoldEnded(_("This hold has ended already."))
    return hold_uses.lots_of(hold)


def _points_worth(deed: Deed, bill: Bill, wanted: Asked) -> int:
    """What the points pay, in money. Raises PointsNotTaken, InsufficientPoints."""
    if not wanted.points:
        return 0
    product = wanted.card.product
    if not product.point_value_minor:
        raise PointsNotTaken(_("Points do not pay bills with this card."), points_max=0)
    most = bill.net_minor * product.points_share_max_percent // product.point_value_minor
    worth = wanted.points * product.point_value_minor // 100
    if wanted.points > most or not worth:
        said = _("Up to %(most)d points pay this bill.") % {"most": most}
        raise PointsNotTaken(said, points_max=most)
    if sum(lot.remaining for lot in deed.lots_of(AccountKind.POINTS)) < wanted.points:
        raise InsufficientPoints(_("There are not that many points."), field="points")
    return worth


def _from_card(due: int, usable: Usable, wanted: Asked) -> int:
    """What the card pays of what is due: all of it, unless there is a cap or a tender for the rest."""
    stored = due if wanted.card_minor is None else min(due, wanted.card_minor)
    if wanted.rest:
        return min(stored, usable.minor)
    if stored < due:
        raise AmountRefused(_("The bill is not paid in full."))
    if stored > usable.minor:
        raise _insufficient(usable, stored)
    return stored


def _insufficient(usable: Usable, wanted_minor: int) -> InsufficientBalance:
    facts: dict[str, Any] = {"available_minor": usable.minor, "wanted_minor": wanted_minor}
    if usable.minor < wanted_minor <= usable.whole_minor:
        said = _("Not all that is on the card may pay this bill here.")
        return InsufficientBalance(said, kept_back=usable.kept_back, whole_minor=usable.whole_minor, **facts)
    return InsufficientBalance(_("The card does not hold that much."), **facts)


def _take_lots(lots: Sequence[OpenLot], held: int, amount: int, order: SpendOrder) -> list[Use]:
    """The first `held` lots, which a hold has set aside, before the others; one use per lot."""
    first = take(lots[:held], amount, order)
    uses = [*first, *take(lots[held:], amount + sum(use.amount for use in first), order)]
    totals: dict[int, int] = {}
    for use in uses:
        totals[use.lot] = totals.get(use.lot, 0) + use.amount
    return [Use(lot, total) for lot, total in totals.items()]
