"""The members of one's stores: searched, filtered, sorted, paged and exported by the same address."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from constance import config
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods

from crm.reports import overview
from crm.shell.formats import phone_masked, store_time
from crm.staff.access import MAY_EXPORT, access_of, needs, page, staff_required
from crm.staff.finding import clean_query, matching
from crm.staff.money_files import money_cell
from crm.staff.paging import PAGE_ROWS, asked_of, aware_moment, cut, is_uuid, whole_number, with_query
from crm.staff.till import visible_members
from members.domain import approvals, audit, exports
from members.domain.imports.cells import safe_for_spreadsheets
from members.enums import STORED_VALUE
from members.models import Account, Approval, LimitedDeed, Member, Store
from members.refusals import Refused
from messaging.models import Suppression

log = structlog.get_logger(__name__)
_CURSOR_GAP = "~"


class MemberFilter(forms.Form):
    """What the list can be narrowed to; a value that is none of these asks nothing."""

    q = forms.CharField(required=False, label=gettext_lazy("Phone, card or name"))
    tag = forms.CharField(required=False, max_length=40, label=gettext_lazy("Tag"))
    consent = forms.ChoiceField(
        required=False,
        label=gettext_lazy("May be texted"),
        choices=[
            ("", gettext_lazy("All")),
            ("marketing", gettext_lazy("Marketing: yes")),
            ("no_marketing", gettext_lazy("Marketing: no")),
            ("no_service", gettext_lazy("Service: no")),
            ("opted_out", gettext_lazy("Opted out by text")),
        ],
    )
    seen = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Last visit"),
        choices=[
            ("", gettext_lazy("Any time")),
            ("in30", gettext_lazy("In the last 30 days")),
            ("back", gettext_lazy("Back this week, after 60 days")),
            ("over30", gettext_lazy("More than 30 days ago")),
            ("over90", gettext_lazy("More than 90 days ago")),
            ("over180", gettext_lazy("More than 180 days ago")),
            ("never", gettext_lazy("Never")),
        ],
    )
    store = forms.ModelChoiceField(
        Store.objects.none(),
        required=False,
        label=gettext_lazy("Store"),
        empty_label=gettext_lazy("All stores"),
    )
    sort = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Sorted by"),
        choices=[("", gettext_lazy("Newest first")), ("visit", gettext_lazy("Last visit first"))],
    )

    def __init__(self, asked: Any, *, stores: QuerySet[Store]) -> None:
        super().__init__(asked, auto_id="filter_%s")
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        for name in ("consent", "seen", "store", "sort"):
            self.fields[name].widget.attrs["data-autosubmit"] = ""
        self.is_valid()

    def asked(self, name: str) -> Any:
        return self.cleaned_data.get(name)

    @property
    def is_narrowed(self) -> bool:
        return any(self.asked(name) for name in ("q", "tag", "consent", "seen", "store"))


def filtered(request: HttpRequest) -> tuple[MemberFilter, QuerySet[Member]]:
    """The filter of the address and the members it leaves, unsorted."""
    access = access_of(request)
    stores = Store.objects.filter(pk__in=access.store_ids)
    asked = MemberFilter(request.GET, stores=stores)
    members = (
        visible_members(access).current().filter(_consent(asked.asked("consent")), _seen(asked.asked("seen")))
    )
    if asked.asked("seen") == "back":
        members = overview.back_again(members, timezone.now())
    if query := clean_query(asked.asked("q") or ""):
        members = members.filter(pk__in=visible_members(access).filter(matching(query)).values("pk"))
    if tag := (asked.asked("tag") or "").strip():
        members = members.filter(tags__contains=[tag])
    if store := asked.asked("store"):
        members = members.filter(home_store=store)
    return asked, members


@require_GET
@staff_required
def member_list(request: HttpRequest) -> HttpResponse:
    """One page of members; a fixed number of queries."""
    asked, members = filtered(request)
    by_visit = asked.asked("sort") == "visit"
    rows = _after(members, request.GET.get("after", ""), by_visit).select_related("facts", "home_store")
    ordered = _ordered(rows, by_visit)[: PAGE_ROWS + 1]
    shown = cut(request, list(ordered), PAGE_ROWS, lambda member: _cursor(member, by_visit))
    context = {
        "filter": asked,
        "page": shown,
        "rows": _with_balances(shown.rows),
        "export_url": with_query(request, after="").replace(request.path, f"{request.path}export/", 1),
        "may_export": access_of(request).may(*MAY_EXPORT),
    }
    return page(request, "staff/member_list.html", context)


@require_http_methods(["GET", "POST"])
@needs(*MAY_EXPORT)
def export_members(request: HttpRequest) -> HttpResponseBase:
    """What the list shows, all of it, as CSV; more than a few rows with a second person's yes, once.

    Of several stores those in which one may take lists away. Phones are masked for everybody, each row says who took
    it, cells cannot become formulae.
    """
    access, now = access_of(request), timezone.now()
    asked, members = filtered(request)
    stores = [store.pk for store in access.stores_with(*MAY_EXPORT)]
    members = members.filter(home_store__in=stores)
    payload = exports.payload_of(store_ids=stores, asked=asked_of(asked))
    rows = members.count()
    if not exports.needs_second(rows):
        return _file(request, asked, members)
    problem = ""
    if request.method == "POST":
        problem = _ask(request, payload, rows)
    elif (shown := request.GET.get("approval")) and is_uuid(shown):
        try:
            used = exports.use(maker=access.staff, approval=UUID(shown), payload=payload, at=now)
            return _file(request, asked, members, used)
        except Refused as refusal:
            problem = str(refusal.message)
    approval = exports.asked_before(maker=access.staff, payload=payload, at=now)
    context = {
        "rows": rows,
        "alone": int(config.EXPORT_ROWS_ALONE),
        "approval": approval,
        "problem": problem,
        "note": request.POST.get("note", ""),
        "file_url": with_query(request, approval=str(approval.public_id)) if approval else "",
    }
    return page(request, "staff/export_ask.html", context, 422 if problem else 200)


def _ask(request: HttpRequest, payload: dict[str, Any], rows: int) -> str:
    """Ask a second person; what is wrong with the question."""
    access = access_of(request)
    try:
        approvals.ask_for(
            deed=LimitedDeed.EXPORT,
            payload=payload,
            amount=rows,
            maker=access.staff,
            store=access.store,
            note=request.POST.get("note", ""),
            at=timezone.now(),
        )
    except Refused as refusal:
        return str(refusal.message)
    return ""


def _file(
    request: HttpRequest, asked: MemberFilter, members: QuerySet[Member], approval: Approval | None = None
) -> StreamingHttpResponse:
    access = access_of(request)
    audit.write(
        actor=access.actor,
        verb="exported",
        subject=("members", "members"),
        store=access.store,
        after={"asked": asked_of(asked), "phones": "masked"}
        | ({"approval": str(approval.public_id), "approved_by": approval.checker_id} if approval else {}),
        at=timezone.now(),
    )
    log.info("members_exported", staff_id=access.staff.pk, store_id=access.store.pk)
    taken_by = f"{access.staff.get_username()} #{access.staff.pk}"
    rows = members.select_related("facts", "home_store").order_by("-pk").iterator(chunk_size=2000)
    lines = _csv_lines([*_header(), _("Taken by")], ([*_row(member), taken_by] for member in rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="members-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


def _consent(asked: str | None) -> Q:
    refused = Exists(Suppression.objects.filter(phone_hash=OuterRef("phone_hash"), lifted_at=None))
    wanted: dict[str, Q] = {
        "marketing": Q(has_marketing_consent=True) & ~Q(refused),
        "no_marketing": Q(has_marketing_consent=False),
        "no_service": Q(has_service_consent=False),
        "opted_out": Q(refused),
    }
    return wanted.get(asked or "", Q())


def _seen(asked: str | None) -> Q:
    now = timezone.now()
    if asked == "never":
        return Q(facts__last_visit_at=None)
    if asked == "in30":
        return Q(facts__last_visit_at__gte=now - timedelta(days=30))
    days = {"over30": 30, "over90": 90, "over180": 180}.get(asked or "")
    return Q(facts__last_visit_at__lt=now - timedelta(days=days)) if days else Q()


def _ordered(members: QuerySet[Member], by_visit: bool) -> QuerySet[Member]:
    if by_visit:
        return members.order_by(F("facts__last_visit_at").desc(nulls_last=True), "-pk")
    return members.order_by("-pk")


def _cursor(member: Member, by_visit: bool) -> str:
    last = member.facts.last_visit_at if by_visit and hasattr(member, "facts") else None
    return f"{last.isoformat() if last else ''}{_CURSOR_GAP}{member.pk}"


def _after(members: QuerySet[Member], cursor: str, by_visit: bool) -> QuerySet[Member]:
    visited, gap, number = cursor.rpartition(_CURSOR_GAP)
    pk = whole_number(number)
    if not gap or pk is None:
        return members
    if not by_visit:
        return members.filter(pk__lt=pk)
    moment = aware_moment(visited)
    if moment is None:
        return members.filter(facts__last_visit_at=None, pk__lt=pk)
    earlier = Q(facts__last_visit_at__lt=moment) | Q(facts__last_visit_at=moment, pk__lt=pk)
    return members.filter(earlier | Q(facts__last_visit_at=None))


def _with_balances(members: Iterable[Member]) -> list[dict[str, Any]]:
    members = list(members)
    accounts = Account.objects.filter(member__in=members, kind__in=STORED_VALUE)
    totals = dict(accounts.values_list("member").annotate(total=Sum("balance")).order_by())
    return [{"member": member, "balance_minor": totals.get(member.pk)} for member in members]


def _header() -> list[str]:
    return [
        _("Member number"),
        pgettext("person", "Name"),
        _("Phone (masked)"),
        _("Store"),
        _("Tags"),
        _("Language"),
        _("Service texts"),
        _("Marketing texts"),
        _("Visits"),
        _("Last visit"),
        _("Spent"),
        _("Enrolled"),
    ]


def _row(member: Member) -> list[str]:
    facts = getattr(member, "facts", None)
    zone = member.home_store.timezone
    last = facts.last_visit_at if facts else None
    return [
        member.member_no,
        member.name,
        phone_masked(member.phone),
        member.home_store.name,
        ", ".join(member.tags),
        member.language,
        _("yes") if member.has_service_consent else _("no"),
        _("yes") if member.has_marketing_consent else _("no"),
        str(facts.visits if facts else 0),
        store_time(last, zone, "date").iso[:10] if last else "",
        money_cell(facts.spend_minor if facts else 0),
        store_time(member.enrolled_at, zone, "date").iso[:10],
    ]


class _Line:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(header: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_for_spreadsheets(cell) for cell in row])
