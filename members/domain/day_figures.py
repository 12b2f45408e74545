"""What a business day came to, counted from the ledger's own rows: what a signature freezes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Abs

from members.enums import AccountKind, OperationKind
from members.models import DrawerMove, Entry, Operation, Shift, Store, Tender

# What a member is paid out without having bought anything back.
PAY_OUTS = (OperationKind.REFUND_RECHARGE, OperationKind.CLOSE)


def span_of(store: Store, on: date) -> tuple[datetime, datetime]:
    """The moments between which a date of the store's clock lies."""
    midnight = datetime.combine(on, time.min, tzinfo=store.zone)
    return midnight, datetime.combine(on + timedelta(days=1), time.min, tzinfo=store.zone)


def figures_of(store: Store, on: date) -> dict[str, Any]:
    """The day in numbers; money in minor units. Six queries, however many deeds there were."""
    begins, ends = span_of(store, on)
    deeds = Operation.objects.filter(store=store, at__gte=begins, at__lt=ends).order_by()
    return {
        "takings": _takings(deeds),
        "deeds": _deeds(deeds),
        "pay_outs": _pay_outs(deeds),
        "value": _value(deeds),
        "cash": _cash(store, on),
    }


def _takings(deeds: QuerySet[Operation]) -> list[dict[str, Any]]:
    """Outside money by its name: taken, given back, together."""
    paid = Tender.objects.filter(operation__in=deeds).order_by("type").values("type")
    rows = paid.annotate(
        taken=Sum("amount_minor", filter=Q(amount_minor__gt=0), default=0),
        given_back=Sum("amount_minor", filter=Q(amount_minor__lt=0), default=0),
        together=Sum("amount_minor"),
        number=Count("id"),
    )
    return [
        {
            "tender": row["type"],
            "taken": row["taken"],
            "given_back": row["given_back"],
            "together": row["together"],
            "number": row["number"],
        }
        for row in rows
    ]


def _deeds(deeds: QuerySet[Operation]) -> dict[str, dict[str, int]]:
    """How many deeds of each kind, and for how much."""
    rows = deeds.values("kind").annotate(number=Count("id"), minor=Sum("amount_minor")).order_by("kind")
    return {row["kind"]: {"number": row["number"], "minor": row["minor"]} for row in rows}


def _pay_outs(deeds: QuerySet[Operation]) -> int:
    paid = Tender.objects.filter(operation__in=deeds.filter(kind__in=PAY_OUTS), amount_minor__lt=0)
    return -(paid.aggregate(total=Sum("amount_minor"))["total"] or 0)


def _value(deeds: QuerySet[Operation]) -> dict[str, int]:
    """What stood in and out of the members' accounts, by kind of account."""
    rows = (
        Entry.objects.filter(operation__in=deeds, seq__isnull=False)
        .values("account_kind", "sign")
        .annotate(total=Sum(Abs("amount")))
        .order_by()
    )
    moved = {f"{row['account_kind']}_{'in' if row['sign'] > 0 else 'out'}": row["total"] for row in rows}
    kinds = (AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.SERVICES, AccountKind.POINTS)
    return {f"{kind}_{way}": moved.get(f"{kind}_{way}", 0) for kind in kinds for way in ("in", "out")}


def _cash(store: Store, on: date) -> dict[str, Any]:
    """The drawers: each shift as it was counted; nothing is counted, and nothing missing, while one is open."""
    shifts = Shift.objects.filter(store=store, on=on).select_related("staff").order_by("opened_at", "id")
    taken = dict(
        Tender.objects.filter(shift__store=store, shift__on=on)
        .order_by()
        .values_list("shift")
        .annotate(total=Sum("amount_minor"))
    )
    moved = dict(
        DrawerMove.objects.filter(shift__store=store, shift__on=on)
        .order_by()
        .values_list("shift")
        .annotate(total=Sum("amount_minor"))
    )
    lines = [_drawer(shift, taken.get(shift.pk, 0), moved.get(shift.pk, 0)) for shift in shifts]
    return {
        "shifts": lines,
        "expected": sum(line["expected"] for line in lines),
        "counted": _together(line["counted"] for line in lines),
        "difference": _together(line["difference"] for line in lines),
    }


def _together(amounts: Iterable[int | None]) -> int | None:
    known = list(amounts)
    return None if None in known else sum(amount or 0 for amount in known)


def _drawer(shift: Shift, taken: int, moved: int) -> dict[str, Any]:
    opening = shift.opening_minor or 0
    return {
        "shift": str(shift.public_id),
        "staff": str(shift.staff or ""),
        "opening": opening,
        "taken": taken,
        "moved": moved,
        "expected": opening + taken + moved,
        "counted": shift.counted_minor,
        "difference": shift.difference_minor,
        "denominations": shift.denominations or {},
    }
