"""The people of a run, each with their text, where it stands and why; filtered by the address, and as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET

from campaigns.enums import CampaignKind
from campaigns.models import Recipient, Run
from crm.shell.formats import phone_masked, store_time
from crm.staff.access import access_of, needs, page
from crm.staff.campaigns.run_figures import FAILED, LEAVING, NEVER_LEFT, SENT, inbound_of, messages_of
from crm.staff.campaigns.scope import READERS, run_or_404
from crm.staff.campaigns.words import zone_name
from crm.staff.paging import PAGE_ROWS, cut, whole_number, with_query
from members.domain import audit
from members.domain.imports.cells import safe_for_spreadsheets
from members.models import AuditVerb
from messaging.models import Message
from messaging.states import Reason, State

log = structlog.get_logger(__name__)
BATCH = 1000
_GAP = "~"
GROUPS: dict[str, tuple[str | Promise, frozenset[State]]] = {
    "texts": (gettext_lazy("With a text"), frozenset(State) - NEVER_LEFT),
    "waiting": (gettext_lazy("Not sent yet"), LEAVING),
    "sent": (gettext_lazy("Sent"), SENT),
    "delivered": (gettext_lazy("Delivered"), frozenset({State.DELIVERED})),
    "failed": (gettext_lazy("Failed"), FAILED),
    "left_out": (gettext_lazy("Left out"), NEVER_LEFT),
}
ANSWERED: dict[str, tuple[str | Promise, dict[str, str]]] = {
    "replied": (gettext_lazy("Wrote back"), {}),
    "opted_out": (gettext_lazy("Opted out"), {"intent": "opt_out"}),
}


@dataclass(frozen=True)
class Line:
    """One recipient and their text; no text while it is not made yet."""

    recipient: Recipient
    message: Message | None

    @property
    def reason(self) -> str | Promise:
        """Why it waits or was not sent."""
        return Reason(self.message.reason).label if self.message and self.message.reason else ""

    @property
    def score(self) -> str:
        """The wake-up score, to three digits that mean something."""
        return "" if self.recipient.score is None else f"{self.recipient.score:.3g}"


@dataclass(frozen=True)
class Wanted:
    """Which recipients: everybody, those of a state, a reason, or a group; `label` says it."""

    label: str | Promise = ""
    condition: Q | None = None

    def of(self, run: Run) -> QuerySet[Recipient]:
        rows = run.recipients.select_related("member")
        return rows if self.condition is None else rows.filter(self.condition)


@require_GET
@needs(*READERS)
def run_recipients(request: HttpRequest, run: UUID) -> HttpResponse:
    """One page of recipients: by score for a programme, else in the order of sending; a fixed number of queries."""
    found = run_or_404(request, run)
    wanted, is_scored = wanted_of(request, found), _is_scored(found)
    rows = _ordered(_after(wanted.of(found), request.GET.get("after", ""), is_scored), is_scored)
    shown = cut(request, list(rows[: PAGE_ROWS + 1]), PAGE_ROWS, lambda row: _cursor(row, is_scored))
    context = {
        "run": found,
        "campaign": found.campaign,
        "page": shown,
        "rows": lines_of(found, shown.rows),
        "label": wanted.label,
        "groups": _chips(request),
        "is_scored": is_scored,
        "export_url": with_query(request, after="").replace(request.path, f"{request.path}export/", 1),
        "zone": zone_name(found.campaign.store),
    }
    return page(request, "staff/run_recipients.html", context)


@require_GET
@needs(*READERS)
def export_recipients(request: HttpRequest, run: UUID) -> StreamingHttpResponse:
    """What the list shows, all of it, as CSV. Phones are masked; cells cannot become formulae. Written down."""
    found, access = run_or_404(request, run), access_of(request)
    asked = {name: request.GET[name] for name in ("show", "reason", "state") if request.GET.get(name)}
    audit.write(
        actor=access.actor,
        verb=AuditVerb.EXPORTED,
        subject=found,
        store=access.store,
        after={"what": "recipients", "asked": asked},
        at=timezone.now(),
    )
    log.info("recipients_exported", run_id=found.pk, staff_id=access.staff.pk)
    lines = _csv(found, wanted_of(request, found))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = (
        f'attachment; filename="run-{found.window}-{found.public_id.hex[:8]}.csv"'
    )
    return response


def wanted_of(request: HttpRequest, run: Run) -> Wanted:
    """The recipients an address asks for; what it does not know asks nothing."""
    reason, state, show = (request.GET.get(name, "") for name in ("reason", "state", "show"))
    if reason in Reason.values and reason:
        return Wanted(Reason(reason).label, _has_text(run, reason=reason, state__in=NEVER_LEFT))
    if state in State.values:
        return Wanted(State(state).label, _has_text(run, state=state))
    if show in ANSWERED:
        label, asked = ANSWERED[show]
        return Wanted(label, Q(member__in=inbound_of(run).filter(**asked).values("member")))
    if show in GROUPS:
        label, states = GROUPS[show]
        condition = _has_text(run, state__in=states)
        return Wanted(label, condition | ~_has_text(run) if show in ("waiting", "texts") else condition)
    return Wanted()


def lines_of(run: Run, recipients: Sequence[Recipient]) -> list[Line]:
    """Each recipient with their text; one query."""
    phones = [recipient.phone for recipient in recipients]
    texts = {message.phone: message for message in messages_of(run).filter(phone__in=phones)}
    return [Line(recipient, texts.get(recipient.phone)) for recipient in recipients]


def _has_text(run: Run, **asked: Any) -> Q:
    return Q(Exists(messages_of(run).filter(phone=OuterRef("phone"), **asked)))


def _chips(request: HttpRequest) -> list[dict[str, Any]]:
    here = {name: request.GET.get(name, "") for name in ("show", "reason", "state")}
    current = here["show"] if not (here["reason"] or here["state"]) else None
    groups = [("", gettext_lazy("All")), *((name, label) for name, (label, _states) in GROUPS.items())]
    return [
        {
            "label": label,
            "url": with_query(request, show=name, reason="", state="", after=""),
            "is_current": name == current,
        }
        for name, label in (*groups, *((name, label) for name, (label, _asked) in ANSWERED.items()))
    ]


def _is_scored(run: Run) -> bool:
    return run.campaign.kind == CampaignKind.WAKEUP


def _ordered(rows: QuerySet[Recipient], is_scored: bool) -> QuerySet[Recipient]:
    return rows.order_by(F("score").desc(nulls_last=True), "id") if is_scored else rows.order_by("id")


def _cursor(row: Recipient, is_scored: bool) -> str:
    return f"{row.score if is_scored and row.score is not None else ''}{_GAP}{row.pk}"


def _after(rows: QuerySet[Recipient], cursor: str, is_scored: bool) -> QuerySet[Recipient]:
    text, gap, number = cursor.rpartition(_GAP)
    pk = whole_number(number)
    if not gap or pk is None:
        return rows
    if not is_scored:
        return rows.filter(pk__gt=pk)
    score = _score(text)
    if score is None:
        return rows.filter(score=None, pk__gt=pk)
    return rows.filter(Q(score__lt=score) | Q(score=score, pk__gt=pk) | Q(score=None))


def _score(text: str) -> float | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return score if isfinite(score) else None


class _Line:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _csv(run: Run, wanted: Wanted) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(_header(run))
    for line in _all_lines(run, wanted):
        yield writer.writerow([safe_for_spreadsheets(cell) for cell in _row(run, line)])


def _all_lines(run: Run, wanted: Wanted) -> Iterator[Line]:
    last = 0
    while rows := list(wanted.of(run).filter(pk__gt=last).order_by("id")[:BATCH]):
        yield from lines_of(run, rows)
        last = rows[-1].pk


def _header(run: Run) -> list[str]:
    score = [_("Score")] if _is_scored(run) else []
    return [
        _("Member number"),
        pgettext("person", "Name"),
        _("Phone (masked)"),
        _("Language"),
        *score,
        _("State"),
        _("Reason"),
        _("Parts"),
        _("Sent at"),
        _("Settled at"),
        _("Text"),
    ]


def _row(run: Run, line: Line) -> list[str]:
    member, message = line.recipient.member, line.message
    zone = run.campaign.store.timezone
    return [
        member.member_no,
        member.name,
        phone_masked(line.recipient.phone),
        message.language if message else member.language,
        *([line.score] if _is_scored(run) else []),
        str(State(message.state).label) if message else _("Not made yet"),
        str(line.reason),
        str(message.parts) if message else "",
        store_time(message.submitted_at, zone).iso if message and message.submitted_at else "",
        store_time(message.final_at, zone).iso if message and message.final_at else "",
        message.text if message else "",
    ]
