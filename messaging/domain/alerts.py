"""What needs a person: looked for twice a minute, opened once, closed when it is over; each with what to do.

Beat looks. That beat itself is silent is noticed by the gateway processes, which sweep on their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.domain import budgets, restoring
from messaging.domain.pauses import paused_priorities
from messaging.enums import PRIORITY, MessageClass
from messaging.models import Alert, AlertKind, Budget
from messaging.sql import statement

log = structlog.get_logger(__name__)

BEAT_SILENT_SECONDS = 120
SKEW_SECONDS = 5
CODE_SECONDS = 5
CODES_MIN = 5
SILENT_MIN = 20
STUCK_SECONDS = {MessageClass.VERIFICATION: 120, MessageClass.TRIGGER: 300, MessageClass.NOTIFICATION: 900}
STUCK_MARKETING_SECONDS = 3600
NEAR_PERCENT, FULL_PERCENT = 80, 100

_WATCH = statement("watch")
_COLUMNS = ("down", "refusing", "codes", "silent", "accepted", "waiting")

TO_DO: dict[str, str | Promise] = {
    AlertKind.GATEWAY_DOWN: gettext_lazy(
        "Look at the gateway’s last error on the gateway board; call the carrier if it goes on. Texts wait meanwhile."
    ),
    AlertKind.ERRORS_RISING: gettext_lazy(
        "Open the gateway board and read the reasons. A new template or sender that the carrier has not approved is the usual cause; pause the class until it is settled."
    ),
    AlertKind.CODES_SLOW: gettext_lazy(
        "Members wait at the log-in. See whether a gateway is connected and whether its window is full; pause marketing to make room."
    ),
    AlertKind.RECEIPTS_LATE: gettext_lazy(
        "The carrier takes texts but does not say what becomes of them. Ask the carrier whether delivery reports are switched on for this account."
    ),
    AlertKind.BUDGET_NEAR: gettext_lazy(
        "Raise the budget, or let the next campaign wait. Codes and debit notices have their own share."
    ),
    AlertKind.BUDGET_FULL: gettext_lazy(
        "Texts are being refused. Raise the budget if they should go; what was refused is not sent later."
    ),
    AlertKind.QUEUE_STUCK: gettext_lazy(
        "See whether a gateway process runs, is connected and is not paused."
    ),
    AlertKind.BEAT_SILENT: gettext_lazy(
        "Start Celery beat and a worker. Until then no campaign starts, nothing expires and no reminder leaves."
    ),
    AlertKind.CLOCK_WRONG: gettext_lazy(
        "Set the clocks of the web server and of the database by the same time service; quiet hours depend on it."
    ),
    AlertKind.RESTORED: gettext_lazy(
        "Everything is paused. Open the release page, let codes and notices go on, then decide about marketing."
    ),
}


class Finding(NamedTuple):
    """Something that is wrong now. `subject` tells two of a kind apart; `store` is None for the whole house."""

    kind: AlertKind
    subject: str
    facts: dict[str, Any]
    store_id: int | None = None


def watch(*, at: datetime) -> dict[str, int]:
    """Look for everything, open what is new, close what is over, write to the owners. Safe to run twice."""
    seen = _asked(at)
    found = [*_gateways(seen), *_codes(seen), *_receipts(seen), *_queue(seen), *_budgets(at), *_house(at)]
    return note(found, kinds=[kind for kind in AlertKind if kind != AlertKind.BEAT_SILENT], at=at)


def watch_beat(*, at: datetime) -> dict[str, int]:
    """Whether beat is silent: asked by the gateway processes. A house where it never ticked is not set up yet."""
    age = restoring.beat_age(at)
    silent = age is not None and age > BEAT_SILENT_SECONDS
    found = [Finding(AlertKind.BEAT_SILENT, "", {"minutes": int(age or 0) // 60})] if silent else []
    return note(found, kinds=[AlertKind.BEAT_SILENT], at=at)


@transaction.atomic
def note(found: Iterable[Finding], *, kinds: Iterable[str], at: datetime) -> dict[str, int]:
    """Make the open alerts of these kinds be what was found. Gives how many were opened and closed."""
    wanted = {(finding.kind.value, finding.subject[:80]): finding for finding in found}
    still = {
        (row.kind, row.subject): row for row in Alert.objects.filter(closed_at=None, kind__in=list(kinds))
    }
    new = [
        Alert(kind=kind, subject=subject, store_id=it.store_id, facts=it.facts, opened_at=at, seen_at=at)
        for (kind, subject), it in wanted.items()
        if (kind, subject) not in still
    ]
    Alert.objects.bulk_create(new, ignore_conflicts=True)
    for key, row in still.items():
        if key in wanted:
            Alert.objects.filter(pk=row.pk).update(facts=wanted[key].facts, seen_at=at)
    over = [row.pk for key, row in still.items() if key not in wanted]
    Alert.objects.filter(pk__in=over, closed_at=None).update(closed_at=at)
    if new:
        transaction.on_commit(lambda: mail_new(at=at), robust=True)
    return {"opened": len(new), "closed": len(over)}


def mail_new(*, at: datetime) -> int:
    """Write once to the people in charge about each new alert, if a mail server is set. Gives how many letters."""
    if not settings.REGULARS_ALERTS_TO or not settings.EMAIL_HOST:
        return 0
    sent = 0
    for row in Alert.objects.filter(mailed_at=None, closed_at=None).order_by("pk"):
        if Alert.objects.filter(pk=row.pk, mailed_at=None).update(mailed_at=at):
            body = f"{sentence(row)}\n\n{TO_DO[row.kind]}\n"
            send_mail(f"Regulars: {row.get_kind_display()}", body, None, settings.REGULARS_ALERTS_TO)
            sent += 1
    return sent


def open_alerts() -> list[Alert]:
    """What is wrong now, the newest first."""
    return list(Alert.objects.filter(closed_at=None).select_related("store").order_by("-opened_at", "-pk"))


def sentence(alert: Alert) -> str:
    """What is wrong, with its figures, in the reader's words."""
    said = {
        AlertKind.GATEWAY_DOWN: _("%(gateway)s has not been connected for %(minutes)s minutes."),
        AlertKind.ERRORS_RISING: _(
            "%(gateway)s refused %(refused)s of %(tries)s texts in the last 15 minutes."
        ),
        AlertKind.CODES_SLOW: _("One code in a hundred waits longer than %(seconds)s seconds."),
        AlertKind.RECEIPTS_LATE: _("%(silent)s texts were taken over an hour ago, and no report has come."),
        AlertKind.BUDGET_NEAR: _("%(percent)s %% of the budget “%(budget)s” is used."),
        AlertKind.BUDGET_FULL: _("%(percent)s %% of the budget “%(budget)s” is used."),
        AlertKind.QUEUE_STUCK: _("A text of the class %(class)s has waited for %(minutes)s minutes."),
        AlertKind.BEAT_SILENT: _("The schedule last ticked %(minutes)s minutes ago."),
        AlertKind.CLOCK_WRONG: _("The database’s clock is %(seconds)s seconds off."),
        AlertKind.RESTORED: _("It holds an earlier state of the house."),
    }[AlertKind(alert.kind)]
    facts = dict(alert.facts)
    if "class" in facts:
        facts["class"] = MessageClass(facts["class"]).label
    return said % facts


# --- what is looked for


def _asked(at: datetime) -> dict[str, Any]:
    open_now = sorted(set(PRIORITY.values()) - paused_priorities())
    with connection.cursor() as cursor:
        cursor.execute(_WATCH, {"at": at, "priorities": open_now})
        return dict(zip(_COLUMNS, cursor.fetchone(), strict=True))


def _gateways(seen: dict[str, Any]) -> list[Finding]:
    down = [
        Finding(
            AlertKind.GATEWAY_DOWN,
            str(row["id"]),
            {"gateway": row["gateway"], "minutes": int(row["seconds"]) // 60},
        )
        for row in seen["down"] or []
    ]
    refusing = [
        Finding(
            AlertKind.ERRORS_RISING,
            str(row["id"]),
            {"gateway": row["gateway"], "tries": row["tries"], "refused": row["refused"]},
        )
        for row in seen["refusing"] or []
    ]
    return down + refusing


def _codes(seen: dict[str, Any]) -> list[Finding]:
    codes = seen["codes"] or {}
    p99 = codes.get("p99") or 0
    if codes.get("texts", 0) < CODES_MIN or p99 <= CODE_SECONDS:
        return []
    return [Finding(AlertKind.CODES_SLOW, "", {"seconds": round(p99)})]


def _receipts(seen: dict[str, Any]) -> list[Finding]:
    silent, accepted = (seen["silent"] or {}).get("silent", 0), seen["accepted"] or 0
    if silent < SILENT_MIN or silent * 2 < accepted:
        return []
    return [Finding(AlertKind.RECEIPTS_LATE, "", {"silent": silent})]


def _queue(seen: dict[str, Any]) -> list[Finding]:
    by_priority = {PRIORITY[name]: name for name in MessageClass}
    found = []
    for row in seen["waiting"] or []:
        name, seconds = by_priority[row["priority"]], int(row["seconds"])
        if seconds > STUCK_SECONDS.get(name, STUCK_MARKETING_SECONDS):
            found.append(
                Finding(AlertKind.QUEUE_STUCK, name.value, {"class": name.value, "minutes": seconds // 60})
            )
    return found


def _budgets(at: datetime) -> list[Finding]:
    rows = Budget.objects.filter(until_at=None).select_related("store").order_by("pk")
    found = []
    for standing in budgets.standings(rows, at=at):
        kind = AlertKind.BUDGET_FULL if standing.percent >= FULL_PERCENT else AlertKind.BUDGET_NEAR
        if standing.percent >= NEAR_PERCENT:
            facts = {"budget": str(standing.budget.store or standing.budget.subject or "Regulars")}
            facts["percent"] = str(standing.percent)
            found.append(Finding(kind, str(standing.budget.pk), facts, standing.budget.store_id))
    return found


def _house(at: datetime) -> list[Finding]:
    found = []
    skew = restoring.clock_skew(at)
    if abs(skew) > SKEW_SECONDS:
        found.append(Finding(AlertKind.CLOCK_WRONG, "", {"seconds": round(skew)}))
    if restoring.is_stopped():
        found.append(Finding(AlertKind.RESTORED, "", {}))
    return found
