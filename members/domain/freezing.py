"""Verifying what changed since the last time, and freezing exactly the accounts whose books do not agree.

A frozen account opens no deed until an owner has released it; it is released when its books agree again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.verify import Fault, Report, verify
from members.enums import Role
from members.models import Account, Staff, VerifyState
from members.refusals import Refused

log = structlog.get_logger(__name__)
# What says of one account that it disagrees. A deed that does not sum or has no event is told, not frozen.
FREEZING_RULES = frozenset({"L2", "L3", "L4", "L5", "L15", "L16"})
# An entry gets its id before its transaction commits: the last minutes are looked at again each time.
OVERLAP = timedelta(minutes=15)
ROWS_NAMED = 3


class StillWrong(Refused):
    """The books of this account do not agree yet. `facts["rules"]` names what is broken."""

    code = "account_frozen"


class MayNotRelease(Refused):
    """Only an owner releases a frozen account, and says why."""

    code = "release_forbidden"
    field = "reason"


@dataclass(frozen=True)
class Verified:
    """What a run looked at and what it froze just now."""

    report: Report
    frozen: tuple[int, ...] = ()


_CHANGED = """
SELECT DISTINCT account_id FROM members_entry
WHERE id > %s AND seq IS NOT NULL ORDER BY account_id
"""
_SEEN = """
SELECT coalesce(max(id), 0) FROM members_entry WHERE created_at < %s
"""


def verify_changed(*, at: datetime, is_freezing: bool = False) -> Verified:
    """Check the member accounts that have entries since the last time, and remember how far that was."""
    state, _made = VerifyState.objects.get_or_create(pk=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        cursor.execute(_SEEN, [cursor.fetchone()[0] - OVERLAP])
        seen = cursor.fetchone()[0]
        cursor.execute(_CHANGED, [state.last_entry_id])
        changed = [row[0] for row in cursor.fetchall()]
    return _conclude(verify(account_ids=changed), at=at, seen=seen, is_freezing=is_freezing)


def verify_all(*, at: datetime, is_freezing: bool = False) -> Verified:
    """Check everything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        cursor.execute(_SEEN, [cursor.fetchone()[0] - OVERLAP])
        seen = cursor.fetchone()[0]
    return _conclude(verify(), at=at, seen=seen, is_freezing=is_freezing)


def _conclude(report: Report, *, at: datetime, seen: int, is_freezing: bool) -> Verified:
    frozen = freeze(report.faults, at=at) if is_freezing else ()
    VerifyState.objects.update_or_create(
        pk=1,
        defaults={
            "last_entry_id": seen,
            "verified_at": at,
            "accounts": report.counts["accounts"],
            "is_sound": report.is_sound,
        },
    )
    for fault in report.faults:
        log.error("ledger_broken", rule=fault.rule, account=fault.account_id, rows=list(fault.rows))
    return Verified(report, frozen)


@transaction.atomic
def freeze(faults: Sequence[Fault], *, at: datetime) -> tuple[int, ...]:
    """Freeze the member accounts that the faults name, each once. Locks them. Audited with the broken rows."""
    named: dict[int, list[dict[str, Any]]] = {}
    for fault in faults:
        if fault.rule in FREEZING_RULES:
            for account_id in fault.account_ids:
                rows = [row for row in fault.rows if row["account_id"] == account_id][:ROWS_NAMED]
                named.setdefault(account_id, []).append({"rule": fault.rule, "rows": rows})
    accounts = Account.objects.select_for_update().filter(
        pk__in=named, is_frozen=False, balance__isnull=False
    )
    frozen = list(accounts.order_by("pk"))
    Account.objects.filter(pk__in=[account.pk for account in frozen]).update(is_frozen=True)
    for account in frozen:
        log.error("account_frozen", account=account.pk, faults=named[account.pk])
        audit.write(
            actor=None,
            verb="account_frozen",
            subject=account,
            after={"member": account.member_id, "faults": named[account.pk]},
            at=at,
        )
    return tuple(account.pk for account in frozen)


@transaction.atomic
def unfreeze(*, account: Account, by: Staff, reason: str, at: datetime) -> None:
    """Release a frozen account whose books agree again. Audited. Raises MayNotRelease, StillWrong."""
    held = (
        Account.objects.select_for_update(of=("self",))
        .select_related("member__home_store")
        .get(pk=account.pk)
    )
    assert held.member is not None
    if not by.may(held.member.home_store_id, Role.OWNER):
        raise MayNotRelease(_("Only an owner releases a frozen account."), field="")
    if len(reason.strip()) < 3:
        raise MayNotRelease(_("Say what was found and what was done about it."))
    if not held.is_frozen:
        return
    rules = sorted({fault.rule for fault in faults_of(held)})
    if rules:
        raise StillWrong(
            _("The books of this account still do not agree: %(rules)s.") % {"rules": ", ".join(rules)},
            rules=rules,
        )
    Account.objects.filter(pk=held.pk).update(is_frozen=False)
    audit.write(
        actor=by,
        verb="account_unfrozen",
        subject=held,
        store=held.member.home_store,
        after={"reason": reason.strip()},
        at=at,
    )


def faults_of(account: Account) -> list[Fault]:
    """What is broken about this one account."""
    found = verify(account_ids=[account.pk]).faults
    return [fault for fault in found if fault.rule in FREEZING_RULES and account.pk in fault.account_ids]
