"""The two breakers of the whole house: too many wrong codes everywhere, too few codes that are used.

Limits for one number do not stop ten failures on each of a million numbers, nor a pump that gives each number one
code. The figures are judged each time a code is asked for; a breaker that is on is a row, so that its story can be
read, and a release forgives what happened before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction

from messaging.enums import LockKind
from messaging.models import FailedCheck, VerificationLock
from messaging.sql import statement

log = structlog.get_logger(__name__)

FAILURES_FLOOR = 200  # an hour
FAILURES_TIMES_USUAL = 5
USUAL_HOURS = 7 * 24
CONVERSION_WINDOW = 200  # codes that went out
CONVERSION_DOUBTFUL, CONVERSION_BAD = 0.20, 0.10
CONVERSION_LOOKS_BACK = timedelta(hours=24)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
USUAL_DIGITS, CAREFUL_DIGITS = 6, 8
_CONVERSION = statement("codes_conversion")
_USUAL_FAILURES = statement("codes_usual_failures")


@dataclass(frozen=True)
class Breakers:
    """What the figures say now. `failures_limit` is the floor while there are fewer failures than that."""

    failures: int
    failures_limit: int
    sent: int
    used: int

    @property
    def is_guessed(self) -> bool:
        return self.failures > self.failures_limit

    @property
    def conversion(self) -> float | None:
        """The share of codes used, over the last 200; None while fewer went out in a day."""
        return self.used / self.sent if self.sent >= CONVERSION_WINDOW else None

    @property
    def is_doubtful(self) -> bool:
        return self.conversion is not None and self.conversion < CONVERSION_DOUBTFUL

    @property
    def serves_strangers(self) -> bool:
        return self.conversion is None or self.conversion >= CONVERSION_BAD

    @property
    def needs_proof(self) -> bool:
        return self.is_guessed or self.is_doubtful

    @property
    def digits(self) -> int:
        return CAREFUL_DIGITS if self.is_guessed else USUAL_DIGITS


def figures(at: datetime) -> Breakers:
    """The figures of this moment; the week's median is only looked up when the floor is passed."""
    releases = dict(
        VerificationLock.objects.filter(
            kind__in=(LockKind.FAILURES, LockKind.CONVERSION), released_at__isnull=False
        )
        .order_by("released_at")
        .values_list("kind", "released_at")
    )
    since = max(at - timedelta(hours=1), releases.get(LockKind.FAILURES) or LONG_AGO)
    failures = FailedCheck.objects.filter(at__gt=since, at__lte=at).count()
    limit = FAILURES_FLOOR
    if failures > FAILURES_FLOOR:
        usual = _one(_USUAL_FAILURES, {"at": at, "hours": USUAL_HOURS})[0]
        limit = max(FAILURES_FLOOR, int(FAILURES_TIMES_USUAL * usual))
    since = max(at - CONVERSION_LOOKS_BACK, releases.get(LockKind.CONVERSION) or LONG_AGO)
    sent, used = _one(_CONVERSION, {"since": since, "at": at, "window": CONVERSION_WINDOW})
    return Breakers(failures, limit, sent, used)


def judge(at: datetime) -> Breakers:
    """The figures, with the rows of the breakers brought to agree with them."""
    found = figures(at)
    on = set(_on().values_list("kind", flat=True))
    _settle(
        LockKind.FAILURES,
        found.is_guessed,
        on,
        {"failures": found.failures, "limit": found.failures_limit},
        at,
    )
    _settle(LockKind.CONVERSION, found.is_doubtful, on, {"sent": found.sent, "used": found.used}, at)
    return found


def _on() -> Any:
    return VerificationLock.objects.filter(
        kind__in=(LockKind.FAILURES, LockKind.CONVERSION), until=None, closed_at=None, released_at=None
    )


def _settle(kind: LockKind, is_on: bool, on: set[str], facts: dict[str, int], at: datetime) -> None:
    if is_on and kind not in on:
        log.warning("breaker_on", breaker=kind.value, **facts)
        try:
            with transaction.atomic():
                VerificationLock.objects.create(kind=kind, facts=facts, opened_at=at)
        except IntegrityError:
            return  # somebody else has just seen it too
    elif not is_on and kind in on:
        log.info("breaker_off", breaker=kind.value, **facts)
        _on().filter(kind=kind).update(closed_at=at)


def _one(sql: str, values: dict[str, Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
