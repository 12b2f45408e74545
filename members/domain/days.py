"""Shifts and the close of a business day: cash counted, differences owned to, a second person's name under it.

A cash deed finds its shift by itself (`till_shift` in days.sql). A signed day takes no more deeds until the owner
opens it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from constance import config
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.day_figures import figures_of
from members.domain.ledger import refuse_closed_day
from members.enums import Role
from members.models import DayClose, DrawerMove, Shift, Staff, Store, Tender
from members.models.day import CASH_MAX
from members.refusals import Refused

IN_CHARGE = (Role.MANAGER, Role.OWNER)


class CashInvalid(Refused):
    """The cash said to have been counted or moved is no amount."""

    code = "cash_invalid"
    field = "counted"


class ShiftClosed(Refused):
    """The shift has been counted and closed; nothing is added to it."""

    code = "shift_closed"


class ShiftOpen(Refused):
    """This person has a shift open at the store today."""

    code = "shift_open"


class OpeningNotCounted(Refused):
    """Nobody has said with how much cash the shift began."""

    code = "opening_pending"
    field = "opening"


class DifferenceNeedsManager(Refused):
    """More is missing or over than one may answer for alone. `facts["difference_minor"]` says how much."""

    code = "difference_needs_manager"
    field = "counted"


class NotInCharge(Refused):
    """Only another person, in charge at this store, may do this."""

    code = "not_in_charge"


class DayNotReady(Refused):
    """The day cannot be signed: it is not over, or shifts are open. `facts["shifts"]` counts them."""

    code = "day_not_ready"


class ReasonMissing(Refused):
    """Why has to be said."""

    code = "reason_required"
    field = "reason"


@dataclass(frozen=True)
class Count:
    """Cash counted: the total in minor units, or by note and coin {minor units: pieces}, which makes the total."""

    total_minor: int | None = None
    pieces: Mapping[int, int] | None = None

    def minor(self) -> int:
        """Raises CashInvalid."""
        total = self.total_minor
        if self.pieces:
            total = sum(self._worth(coin, number) for coin, number in self.pieces.items())
        if (
            total is None
            or isinstance(total, bool)
            or not isinstance(total, int)
            or not 0 <= total <= CASH_MAX
        ):
            raise CashInvalid(_("Say how much cash was counted."))
        return total

    def _worth(self, coin: int, number: int) -> int:
        if coin <= 0 or number < 0:
            raise CashInvalid(_("Say how much cash was counted."))
        return coin * number


def business_day(store: Store, at: datetime) -> date:
    """The date of the store's own clock."""
    return at.astimezone(store.zone).date()


def open_shift(*, store: Store, staff: Staff, opening_minor: int, at: datetime) -> Shift:
    """Open a person's shift with the cash counted into the drawer. One that a deed opened by itself gets its count.

    Raises CashInvalid, ShiftOpen, PeriodClosed.
    """
    opening = _checked(opening_minor, "opening")
    with transaction.atomic():
        shift = _lock(
            Shift.objects.filter(store=store, staff=staff, on=business_day(store, at), closed_at=None)
        )
        if shift is None:
            return _new_shift(store, staff, opening, at)
        if shift.opening_minor is not None:
            raise ShiftOpen(_("Your shift is open already."))
        shift.opening_minor = opening
        shift.save(update_fields=["opening_minor"])
        return shift


def _new_shift(store: Store, staff: Staff, opening: int, at: datetime) -> Shift:
    try:
        with transaction.atomic():
            return Shift.objects.create(
                store=store, staff=staff, on=business_day(store, at), opened_at=at, opening_minor=opening
            )
    except IntegrityError as broken:
        refuse_closed_day(broken)
        raise ShiftOpen(_("Your shift is open already.")) from broken


def open_shift_of(*, store: Store, staff: Staff, at: datetime) -> Shift | None:
    """The shift a person's cash goes to now, if it is open."""
    return Shift.objects.filter(store=store, staff=staff, on=business_day(store, at), closed_at=None).first()


def move_cash(
    *, shift: Shift, amount_minor: int, reason: str, by: Staff, key: str, at: datetime
) -> DrawerMove:
    """Cash into (positive) or out of (negative) the drawer that is no deed. The same key again does nothing more.

    Raises CashInvalid, ReasonMissing, ShiftClosed.
    """
    if not amount_minor or abs(amount_minor) > CASH_MAX:
        raise CashInvalid(_("The amount must be more than zero."), field="amount")
    if not reason.strip():
        raise ReasonMissing(_("Say what for."))
    with transaction.atomic():
        _open_or_refused(shift)
        move, _is_new = DrawerMove.objects.get_or_create(
            shift=shift,
            key=key,
            defaults={"amount_minor": amount_minor, "reason": reason.strip()[:120], "staff": by, "at": at},
        )
        return move


def expected_minor(shift: Shift) -> int:
    """What should be in the drawer: the opening count, cash taken less cash given back, and the moves."""
    tenders = Tender.objects.filter(shift=shift).aggregate(total=Sum("amount_minor"))["total"] or 0
    moves = shift.moves.aggregate(total=Sum("amount_minor"))["total"] or 0
    return (shift.opening_minor or 0) + tenders + moves


def close_shift(
    *,
    shift: Shift,
    count: Count,
    by: Staff,
    at: datetime,
    opening_minor: int | None = None,
    note: str = "",
    accepted_by: Staff | None = None,
) -> Shift:
    """Count the drawer and close the shift. The figures never change again; deeds under way are waited for.

    A difference above the house's limit needs `accepted_by`: another person, in charge at this store; whoever is in
    charge and closes somebody else's shift is that person. Closing a closed shift again changes nothing.
    Raises CashInvalid, OpeningNotCounted, DifferenceNeedsManager, NotInCharge.
    """
    counted = count.minor()
    with transaction.atomic():
        held = _lock(Shift.objects.filter(pk=shift.pk))
        assert held is not None
        if not held.is_open:
            return held
        if opening_minor is not None and held.opening_minor is None:
            held.opening_minor = _checked(opening_minor, "opening")
        if held.opening_minor is None:
            raise OpeningNotCounted(_("Say first with how much cash the shift began."))
        expected = expected_minor(held)
        held.accepted_by = _acceptor(held, by, accepted_by, counted - expected)
        held.expected_minor, held.counted_minor = expected, counted
        held.closed_at, held.closed_by, held.note = at, by, note.strip()[:200]
        held.denominations = {str(coin): n for coin, n in (count.pieces or {}).items() if n} or None
        held.save()
        if counted != expected:
            facts = {"expected_minor": expected, "counted_minor": counted, "accepted_by": held.accepted_by}
            audit.write(actor=by, verb="shift_closed", subject=held, store=held.store, after=facts, at=at)
        return held


def _acceptor(shift: Shift, by: Staff, accepted_by: Staff | None, difference: int) -> Staff | None:
    """Who answers for a difference besides the person whose drawer it is."""
    if abs(difference) <= config.CASH_DIFFERENCE_MAX_MINOR:
        return None
    if accepted_by is None and by.pk != shift.staff_id and by.may(shift.store_id, *IN_CHARGE):
        accepted_by = by
    if accepted_by is None:
        raise DifferenceNeedsManager(
            _("The difference is above the limit: a manager has to close this shift."),
            difference_minor=difference,
        )
    if accepted_by.pk == shift.staff_id or not accepted_by.may(shift.store_id, *IN_CHARGE):
        raise NotInCharge(_("A difference is accepted by another person, in charge at this store."))
    return accepted_by


def close_day(*, store: Store, on: date, by: Staff, at: datetime, note: str = "") -> DayClose:
    """Sign a business day: freeze its figures with their hash. From now on the day takes no deeds.

    Locked: the day of the store, alone; deeds under way are waited for. The signature is of somebody in charge who
    had no cash difference that day. Closing a closed day again gives the close that stands.
    Raises NotInCharge, DayNotReady.
    """
    _check_in_charge(store, by, *IN_CHARGE)
    if on > business_day(store, at):
        raise DayNotReady(_("This day has not come yet."), shifts=0)
    with transaction.atomic():
        _lock_day(store, on)
        standing = DayClose.objects.filter(store=store, on=on, reopened_at=None).first()
        if standing is not None:
            return standing
        _check_shifts(store, on, by)
        figures = figures_of(store, on)
        closed = DayClose.objects.create(
            store=store,
            on=on,
            figures=figures,
            figures_hash=hash_of(store, on, figures),
            note=note.strip()[:200],
            signed_by=by,
            signed_at=at,
        )
        facts = {"on": on, "hash": closed.figures_hash, "difference_minor": figures["cash"]["difference"]}
        audit.write(actor=by, verb="day_closed", subject=closed, store=store, after=facts, at=at)
        return closed


def _check_shifts(store: Store, on: date, by: Staff) -> None:
    shifts = list(Shift.objects.filter(store=store, on=on))
    still_open = sum(shift.is_open for shift in shifts)
    if still_open:
        raise DayNotReady(_("Close every shift of this day first."), shifts=still_open)
    if any(shift.staff_id == by.pk and shift.difference_minor for shift in shifts):
        raise NotInCharge(
            _("Whoever had a cash difference does not sign the day. Ask a colleague in charge.")
        )


def reopen_day(*, closed: DayClose, by: Staff, reason: str, at: datetime) -> DayClose:
    """Open a signed day again: by the owner, with a reason, written into the audit log. The old figures stay.

    Raises NotInCharge, ReasonMissing.
    """
    _check_in_charge(closed.store, by, Role.OWNER)
    if not reason.strip():
        raise ReasonMissing(_("Say why the day is opened again."))
    with transaction.atomic():
        _lock_day(closed.store, closed.on)
        held = DayClose.objects.select_for_update().get(pk=closed.pk)
        if held.reopened_at is not None:
            return held
        held.reopened_by, held.reopened_at, held.reopen_reason = by, at, reason.strip()[:200]
        held.save(update_fields=["reopened_by", "reopened_at", "reopen_reason"])
        after = {"on": held.on, "reason": held.reopen_reason}
        audit.write(actor=by, verb="day_reopened", subject=held, store=held.store, after=after, at=at)
        return held


def hash_of(store: Store, on: date, figures: Mapping[str, Any]) -> str:
    """SHA-256 of the store, the day and its figures, written the one way."""
    signed = {"store": str(store.public_id), "on": on.isoformat(), "figures": figures}
    return hashlib.sha256(
        json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def is_intact(closed: DayClose) -> bool:
    """Whether the figures are those that were signed."""
    return closed.figures_hash == hash_of(closed.store, closed.on, closed.figures)


def _check_in_charge(store: Store, by: Staff, *roles: Role) -> None:
    if not by.may(store.pk, *roles):
        raise NotInCharge(_("Only somebody in charge at this store may do this."))


def _lock_day(store: Store, on: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(day_lock_key(%s, %s))", [store.pk, on])


def _lock(rows: Any) -> Shift | None:
    return rows.select_for_update(of=("self",)).select_related("store", "staff").first()


def _open_or_refused(shift: Shift) -> None:
    held = _lock(Shift.objects.filter(pk=shift.pk))
    if held is None or not held.is_open:
        raise ShiftClosed(_("This shift is closed."))


def _checked(minor: int, field: str) -> int:
    if isinstance(minor, bool) or not isinstance(minor, int) or not 0 <= minor <= CASH_MAX:
        raise CashInvalid(_("Say how much cash was counted."), field=field)
    return minor
