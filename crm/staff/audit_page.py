"""The audit log for owners and auditors: filtered, paged by number, exported; and accounts that are frozen."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from crm.shell.formats import store_time
from crm.staff import audit_words, fault_words
from crm.staff.access import Access, access_of, needs, page
from crm.staff.audit_subjects import subjects_of
from crm.staff.fields import DayField
from crm.staff.paging import PAGE_ROWS, asked_of, cut, whole_number, with_query
from members.domain import audit, freezing
from members.domain.imports.cells import safe_for_spreadsheets
from members.enums import Role
from members.models import Account, AuditEntry, AuditVerb, Staff, StaffRole
from members.refusals import Refused

MAY_AUDIT = (Role.OWNER, Role.AUDITOR)
OF_A_PERSON = (
    AuditVerb.LOGGED_IN,
    AuditVerb.LOGGED_OUT,
    AuditVerb.LOGIN_FAILED,
    AuditVerb.LOCKED_OUT,
    AuditVerb.PASSWORD_SET,
)


def visible_entries(access: Access) -> QuerySet[AuditEntry]:
    """Of the stores this person owns or audits; and the comings and goings of those who work there.

    What belongs to no store is the superuser's.
    """
    entries = AuditEntry.objects.select_related("staff", "store")
    if access.staff.is_superuser:
        return entries
    own = StaffRole.objects.filter(staff=access.staff, role__in=MAY_AUDIT).values("store")
    people = StaffRole.objects.filter(store__in=own).values("staff")
    return entries.filter(Q(store__in=own) | Q(store=None, verb__in=OF_A_PERSON, staff__in=people))


class AuditFilter(forms.Form):
    """Who, what, on what, when."""

    staff = forms.ModelChoiceField(
        Staff.objects.none(),
        required=False,
        label=gettext_lazy("Person"),
        empty_label=gettext_lazy("Everybody"),
    )
    verb = forms.ChoiceField(
        required=False,
        label=gettext_lazy("What"),
        choices=[("", gettext_lazy("Everything")), *AuditVerb.choices],
    )
    subject = forms.CharField(required=False, max_length=80, label=gettext_lazy("Subject"))
    since = DayField(required=False, label=gettext_lazy("From day"))
    until = DayField(required=False, label=gettext_lazy("To day"))

    def __init__(self, asked: Any, *, people: QuerySet[Staff]) -> None:
        super().__init__(asked, auto_id="filter_%s")
        self.fields["staff"].queryset = people  # type: ignore[attr-defined]
        for name in ("staff", "verb"):
            self.fields[name].widget.attrs["data-autosubmit"] = ""
        self.is_valid()

    def asked(self, name: str) -> Any:
        return self.cleaned_data.get(name)

    @property
    def is_narrowed(self) -> bool:
        return any(self.asked(name) for name in self.fields)


def filtered(request: HttpRequest) -> tuple[AuditFilter, QuerySet[AuditEntry]]:
    """The filter of the address and the entries it leaves, newest first."""
    access = access_of(request)
    people = Staff.objects.order_by("username")
    if not access.staff.is_superuser:
        own = StaffRole.objects.filter(staff=access.staff, role__in=MAY_AUDIT).values("store")
        people = people.filter(pk__in=StaffRole.objects.filter(store__in=own).values("staff"))
    form = AuditFilter(request.GET, people=people)
    rows = visible_entries(access)
    if staff := form.asked("staff"):
        rows = rows.filter(staff=staff)
    if verb := form.asked("verb"):
        rows = rows.filter(verb=verb)
    if subject := (form.asked("subject") or "").strip():
        rows = rows.filter(Q(subject__icontains=subject) | Q(subject_type=subject.lower()))
    zone = access.store.zone
    if since := form.asked("since"):
        rows = rows.filter(at__gte=datetime.combine(since, time.min, zone))
    if until := form.asked("until"):
        rows = rows.filter(at__lt=datetime.combine(until + timedelta(days=1), time.min, zone))
    return form, rows.order_by("-seq")


@require_GET
@needs(*MAY_AUDIT)
def audit_log(request: HttpRequest) -> HttpResponse:
    """One page of the log; a fixed number of queries."""
    form, rows = filtered(request)
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(seq__lt=after)
    shown = cut(request, list(rows[: PAGE_ROWS + 1]), PAGE_ROWS, lambda entry: str(entry.seq))
    zone, subjects = access_of(request).store.timezone, subjects_of(shown.rows)
    context = {
        "filter": form,
        "page": shown,
        "rows": [
            {
                "entry": entry,
                "by": str(entry.staff or "") or audit_words.done_by(entry.scope),
                "subject": subjects[entry.pk],
                "lines": list(changes_of(entry, zone)),
            }
            for entry in shown.rows
        ],
        "export_url": with_query(request, after="").replace(request.path, f"{request.path}export/", 1),
        "frozen": _frozen(access_of(request)).count(),
    }
    return page(request, "staff/audit_log.html", context)


def changes_of(entry: AuditEntry, zone: str) -> Iterator[tuple[str, str, str]]:
    """(what, before, after), a line each, as people read it."""
    before, after = entry.before or {}, entry.after or {}
    for field in {**before, **after}:
        was, became = (audit_words.shown(field, facts, zone) for facts in (before, after))
        yield audit_words.name_of(field), was, became


@require_GET
@needs(*MAY_AUDIT)
def export_audit(request: HttpRequest) -> StreamingHttpResponse:
    """What the page shows, all of it, as CSV. The export itself is written down."""
    access = access_of(request)
    form, rows = filtered(request)
    audit.write(
        actor=access.actor,
        verb=AuditVerb.EXPORTED,
        subject=("audit", "audit log"),
        store=access.store,
        after={"asked": asked_of(form)},
        at=timezone.now(),
    )
    answer = StreamingHttpResponse(
        _csv(rows.iterator(chunk_size=2000), access.store.timezone), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.localdate():%Y-%m-%d}.csv"'
    return answer


class _Line:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _csv(rows: Iterable[AuditEntry], zone: str) -> Iterator[str]:
    writer = csv.writer(_Line())
    titles = [_("Number"), _("At"), _("Person"), _("Done by"), _("Store"), _("What"), _("Subject")]
    yield "\ufeff" + writer.writerow([*titles, _("Before"), _("After"), _("From address"), _("Hash")])
    for row in rows:
        cells = [str(row.seq), store_time(row.at, zone).iso, str(row.staff or ""), row.scope]
        cells += [str(row.store or ""), str(row.verb_label), row.subject]
        cells += [json.dumps(part, ensure_ascii=False) if part else "" for part in (row.before, row.after)]
        yield writer.writerow(
            [safe_for_spreadsheets(cell) for cell in [*cells, row.address, bytes(row.hash).hex()]]
        )


def _frozen(access: Access) -> QuerySet[Account]:
    found = Account.objects.filter(is_frozen=True, member__isnull=False)
    if not access.staff.is_superuser:
        own = StaffRole.objects.filter(staff=access.staff, role__in=MAY_AUDIT).values("store")
        found = found.filter(member__home_store__in=own)
    return found.select_related("member__home_store", "card").order_by("pk")


@require_GET
@needs(*MAY_AUDIT)
def frozen_accounts(request: HttpRequest) -> HttpResponse:
    """The accounts that are frozen, with the rows that disagree."""
    return _show_frozen(request)


def _show_frozen(
    request: HttpRequest, *, refused: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    access = access_of(request)
    accounts = list(_frozen(access)[:PAGE_ROWS])
    why = AuditEntry.objects.filter(
        verb=AuditVerb.ACCOUNT_FROZEN,
        subject_type="account",
        subject_id__in=[str(account.pk) for account in accounts],
    ).order_by("seq")
    told = {entry.subject_id: entry for entry in why}
    rows = [_frozen_row(account, told.get(str(account.pk))) for account in accounts]
    context = {"rows": rows, "may_release": access.may(Role.OWNER), **(refused or {})}
    return page(request, "staff/frozen_accounts.html", context, status)


def _frozen_row(account: Account, entry: AuditEntry | None) -> dict[str, Any]:
    faults = (entry.after or {}).get("faults", ()) if entry else ()
    return {"account": account, "entry": entry, "faults": fault_words.told(faults, account.kind)}


@require_POST
@needs(Role.OWNER)
def release_account(request: HttpRequest, account: int) -> HttpResponse:
    """Release one whose books agree again. An owner's word, with a reason."""
    access = access_of(request)
    found, reason = get_object_or_404(_frozen(access), pk=account), request.POST.get("reason", "")[:200]
    try:
        freezing.unfreeze(account=found, by=access.staff, reason=reason, at=timezone.now())
    except Refused as refusal:
        refused = {"problem": _why_not(refusal), "wrong": found.pk, "reason": reason}
        return _show_frozen(request, refused=refused, status=422)
    messages.success(request, _("Released."))
    return HttpResponseRedirect(reverse("staff:frozen_accounts"))


def _why_not(refusal: Refused) -> str:
    """The refusal; the rules that are still broken as sentences instead of their names."""
    if not isinstance(refusal, freezing.StillWrong):
        return str(refusal.message)
    broken = " ".join(fault_words.sentence({"rule": rule}) for rule in refusal.facts["rules"])
    return f"{_('The books of this account still do not agree.')} {broken}"
