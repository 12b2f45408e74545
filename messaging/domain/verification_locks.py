"""What is locked: a number after fifteen wrong codes in a row, a span of numbers that is pumped. A person may release it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.models import Staff
from members.refusals import Refused
from messaging.domain.verification_asker import Asker
from messaging.domain.verification_refusals import TooManyChecks, TooManyCodes
from messaging.enums import LockKind
from messaging.models import FailedCheck, VerificationCode, VerificationLock

FAILURES_IN_A_ROW = 15
NUMBER_LOCKED_FOR = timedelta(hours=1)
SPAN_NUMBERS = 5
SPAN_WINDOW = timedelta(minutes=10)
SPAN_LOCKED_FOR = timedelta(hours=1)


class LockIsOver(Refused):
    """There is nothing to release any more."""

    code = "lock_is_over"


def standing(at: datetime) -> QuerySet[VerificationLock]:
    """The locks and breakers that are on at this moment, the newest first."""
    is_on = Q(until__gt=at) | Q(until=None, closed_at=None)
    return VerificationLock.objects.filter(is_on, released_at=None).order_by("-opened_at", "-pk")


def refuse_locked_number(number: bytes, at: datetime, *, field: str) -> None:
    """Raises TooManyChecks while the number is locked."""
    if lock := _lock(LockKind.NUMBER, [number], at):
        raise TooManyChecks(_("Too many wrong codes were tried for this number."), lock, at, field=field)


def refuse_locked_span(asker: Asker, at: datetime) -> None:
    """Raises TooManyCodes while neighbours of the number are being asked for in a row."""
    if lock := _lock(LockKind.SPAN, [asker.span, asker.shifted_span], at):
        raise TooManyCodes(_("Too many numbers like this one were tried."), lock, at, field="phone")


def lock_number_if_guessed(number: bytes, at: datetime) -> None:
    """Lock it for an hour at the fifteenth failure since the last right code, lock or release. Under its turn."""
    if failures_in_a_row(number) >= FAILURES_IN_A_ROW:
        VerificationLock.objects.create(
            kind=LockKind.NUMBER,
            key_hash=number,
            facts={"failures": FAILURES_IN_A_ROW},
            opened_at=at,
            until=at + NUMBER_LOCKED_FOR,
        )


def failures_in_a_row(number: bytes) -> int:
    """Wrong codes of this number over all its codes since it last had a right one, was locked or was released."""
    right = VerificationCode.objects.filter(phone_hash=number, used_at__isnull=False).order_by("-used_at")
    locks = VerificationLock.objects.filter(kind=LockKind.NUMBER, key_hash=number).order_by("-opened_at")
    ends = [
        right.values_list("used_at", flat=True).first(),
        locks.values_list("opened_at", flat=True).first(),
    ]
    since = max((end for end in ends if end), default=None)
    failed = FailedCheck.objects.filter(phone_hash=number)
    # a failure of the very moment of the lock was counted by it
    return (failed.filter(at__gt=since) if since else failed).count()


def lock_span_if_pumped(asker: Asker, phone: str, at: datetime) -> None:
    """Lock the span for an hour once the fifth number of it asked within ten minutes. Under the house's turn.

    The one that asks now is served: the lock meets the next.
    """
    for column, key in (("span_hash", asker.span), ("shifted_span_hash", asker.shifted_span)):
        asked = VerificationCode.objects.filter(**{column: key}, created_at__gt=at - SPAN_WINDOW)
        if asked.values("phone_hash").distinct().count() >= SPAN_NUMBERS:
            VerificationLock.objects.create(
                kind=LockKind.SPAN,
                key_hash=key,
                facts={"numbers": SPAN_NUMBERS, "like": f"{phone[:-4]}••••"},
                opened_at=at,
                until=at + SPAN_LOCKED_FOR,
            )
            return


@transaction.atomic
def release(*, lock: VerificationLock, by: Staff, reason: str, at: datetime) -> VerificationLock:
    """End a lock or switch a breaker off: what happened before is forgiven. Raises LockIsOver."""
    found = standing(at).select_for_update().filter(pk=lock.pk).first()
    if found is None:
        raise LockIsOver(_("This lock is over already."))
    found.released_at, found.released_by = at, by
    found.save(update_fields=["released_at", "released_by"])
    subject = ("verification lock", found.get_kind_display())
    audit.write(
        actor=by, verb="codes_released", subject=subject, after=found.facts | {"reason": reason}, at=at
    )
    return found


def _lock(kind: LockKind, keys: Sequence[bytes], at: datetime) -> datetime | None:
    on = standing(at).filter(kind=kind, key_hash__in=keys)
    return on.order_by("-until").values_list("until", flat=True).first()
