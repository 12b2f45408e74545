"""The schedule's jobs on members and value: one domain call each, or one a page; a dict of counts out, safe to run twice."""

from collections import Counter
from collections.abc import Callable
from time import monotonic

from celery import shared_task
from django.utils.timezone import now

from members.domain import (
    audit,
    coupon_ends,
    events,
    expiry,
    expiry_warnings,
    freezing,
    holds,
    phone_changes,
    points,
    tiers,
    transfers,
)

PAGES_SECONDS = 50.0  # a tick is a minute


def _page_by_page(work: Callable[[], dict[str, int]]) -> dict[str, int]:
    """Until a page finds nothing more, or for so long: a million members' points end in one night, and the next tick
    goes on.
    """
    found: Counter[str] = Counter()
    end = monotonic() + PAGES_SECONDS
    while True:
        page = work()
        found.update(page)
        if not any(page.values()) or monotonic() > end:
            return dict(found)


@shared_task
def expire_value(limit: int = 1000) -> dict[str, int]:
    """Take expired value out of the ledger."""
    return _page_by_page(lambda: expiry.expire_lots(at=now(), limit=limit))


@shared_task
def end_transfers() -> dict[str, int]:
    """Close the transfers nobody confirmed in time."""
    return {"ended": transfers.end_transfers(at=now())}


@shared_task
def expire_holds(limit: int = 500) -> dict[str, int]:
    """Release the holds whose time is over."""
    return holds.expire_holds(at=now(), limit=limit)


@shared_task
def change_phones(limit: int = 200) -> dict[str, int]:
    """Let the phone changes take effect whose 24 hours are over."""
    return phone_changes.apply_due(at=now(), limit=limit)


@shared_task
def warn_expiring(limit: int = 500) -> dict[str, int]:
    """Tell members once what of theirs ends within a week."""
    return _page_by_page(lambda: expiry_warnings.warn_expiring(at=now(), limit=limit))


@shared_task
def award_birthdays(limit: int = 1000) -> dict[str, int]:
    """Give the points of today's birthdays."""
    return points.award_birthdays(at=now(), limit=limit)


@shared_task
def fold_tiers() -> dict[str, int]:
    """Judge everybody's tier and tell who moved."""
    return tiers.fold(at=now())


@shared_task
def sweep_missed_signals(limit: int = 200) -> dict[str, int]:
    """Send events again to the receivers that failed on them."""
    return events.sweep_missed(at=now(), limit=limit)


@shared_task
def verify_changed() -> dict[str, int]:
    """Verify the accounts changed since the last time; freeze those that disagree."""
    return _counts(freezing.verify_changed(at=now(), is_freezing=True))


@shared_task
def verify_all() -> dict[str, int]:
    """Verify everything, freeze what disagrees, and write the night's root of the ledger into the audit log."""
    verified = freezing.verify_all(at=now(), is_freezing=True)
    audit.write_ledger_root(at=now())
    return _counts(verified)


def _counts(verified: freezing.Verified) -> dict[str, int]:
    report = verified.report
    return {
        "accounts": report.counts["accounts"],
        "broken": sum(fault.count for fault in report.faults),
        "frozen": len(verified.frozen),
    }


@shared_task
def end_coupons(limit: int = 5000) -> dict[str, int]:
    """Free coupons reserved too long, end those whose time is over."""
    return _page_by_page(lambda: coupon_ends.end_coupons(at=now(), limit=limit))


@shared_task
def warn_of_coupons(limit: int = 500) -> dict[str, int]:
    """Tell members once a week which of their coupons end soon."""
    return _page_by_page(lambda: coupon_ends.warn_of_ends(at=now(), limit=limit))
