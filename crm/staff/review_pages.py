"""The review desk: wordings that wait, one by one: what changed, what is marked and why, yes or no with a reason."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.staff.access import Access, access_of, needs, page
from crm.staff.paging import PAGE_ROWS, cut, whole_number
from crm.staff.reading import read
from crm.staff.template_pages import MAY_LOOK
from members.admin_scope import reach_of
from members.refusals import Refused
from messaging.domain import registering, reviewing, texts
from messaging.domain.reviewing import REVIEWERS
from messaging.enums import ReportStatus, VersionStatus
from messaging.models import Gateway, TemplateVersion


class Changed(Refused):
    """The wording is not the one that was read."""

    code = "wording_changed"


def visible_versions(access: Access) -> QuerySet[TemplateVersion]:
    """Wordings of this person's stores and of every store."""
    own = Q(template__store=None) | Q(template__store_id__in=access.store_ids)
    return TemplateVersion.objects.filter(own).select_related(
        "template__store", "written_by", "approved_by", "returned_by"
    )


@require_GET
@needs(*MAY_LOOK)
def review_list(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first; a fixed number of queries."""
    access = access_of(request)
    rows = reviewing.waiting().filter(pk__in=visible_versions(access).values("pk"))
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__gt=after)
    shown = cut(request, list(rows[: PAGE_ROWS + 1]), PAGE_ROWS, lambda version: str(version.pk))
    context = {"page": shown, "rows": shown.rows, "me": access.staff}
    return page(request, "staff/review_list.html", context)


@require_GET
@needs(*MAY_LOOK)
def review(request: HttpRequest, template: UUID, language: str, number: int) -> HttpResponse:
    """One wording, read against its rules and against the one that is sent now."""
    return _desk(request, _version_or_404(request, template, language, number))


@require_POST
@needs(*REVIEWERS)
def decide(request: HttpRequest, template: UUID, language: str, number: int) -> HttpResponse:
    """Approve exactly what was read, send it back with a reason, or start the cooling-off of one's own text."""
    version = _version_or_404(request, template, language, number)
    if not reach_of(request).may(version.template.store_id, REVIEWERS):
        raise PermissionDenied
    try:
        said = _decided(request, version)
    except Refused as refusal:
        return _desk(request, version, refusal)
    messages.success(request, said)
    following = _neighbours(request, version)["next"]
    return HttpResponseRedirect(_address(following) if following else reverse("staff:review_list"))


@require_POST
@needs(*REVIEWERS)
def note_provider(request: HttpRequest, template: UUID, language: str, number: int) -> HttpResponse:
    """Write down by hand what a provider says of a wording."""
    version = _version_or_404(request, template, language, number)
    if not reach_of(request).may(version.template.store_id, REVIEWERS):
        raise PermissionDenied
    gateway = get_object_or_404(Gateway, pk=whole_number(request.POST.get("gateway", "")) or 0)
    status = request.POST.get("status", "")
    registering.note_provider_state(
        version=version,
        gateway=gateway,
        status=ReportStatus(status) if status in ReportStatus.values else ReportStatus.NONE,
        code=request.POST.get("code", ""),
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _("Written down."))
    return HttpResponseRedirect(_address(version))


def _decided(request: HttpRequest, version: TemplateVersion) -> str:
    staff, at = access_of(request).staff, timezone.now()
    if request.POST.get("hash", "") != version.content_hash:
        raise Changed(_("The text has been changed meanwhile. Read it again before you approve it."))
    decision = request.POST.get("decision", "")
    if decision == "approve":
        texts.approve(version=version, by=staff, at=at)
        return _("Approved: %(version)s") % {"version": version}
    if decision == "cool":
        reviewing.start_cooling(version=version, by=staff, at=at)
        return _("In 24 hours you may approve it yourself. It is in the audit log.")
    reviewing.send_back(version=version, by=staff, reason=request.POST.get("reason", ""), at=at)
    return _("Sent back: %(version)s") % {"version": version}


def _desk(request: HttpRequest, version: TemplateVersion, refusal: Refused | None = None) -> HttpResponse:
    access, template, now = access_of(request), version.template, timezone.now()
    before = reviewing.approved_before(version)
    is_own = template.message_class == "marketing" and version.written_by_id == access.staff.pk
    context: dict[str, Any] = {
        "version": version,
        "template": template,
        "store": template.store or access.store,
        "reading": read(template, version.language, version.text, template.store or access.store),
        "before": before,
        "pieces": reviewing.compared(before.text, version.text) if before else [],
        "is_waiting": version.status == VersionStatus.DRAFT,
        "may_decide": reach_of(request).may(template.store_id, REVIEWERS),
        "is_own": is_own,
        "is_cooled": bool(version.cooling_until and version.cooling_until <= now),
        "may_cool": reviewing.may_cool(version, access.staff),
        "colleagues": reviewing.others_who_may_approve(version, access.staff) if is_own else [],
        "providers": registering.provider_states(version),
        "reports": registering.unreported(version, template.store or access.store),
        "statuses": ReportStatus.choices,
        "refusal": refusal,
        **_neighbours(request, version),
    }
    return page(request, "staff/review.html", context, 422 if refusal else 200)


def _neighbours(request: HttpRequest, version: TemplateVersion) -> dict[str, TemplateVersion | None]:
    """The wordings that wait before and after this one, for going through them by key."""
    rows = reviewing.waiting().filter(pk__in=visible_versions(access_of(request)).values("pk"))
    return {
        "previous": rows.filter(pk__lt=version.pk).last(),
        "next": rows.filter(pk__gt=version.pk).first(),
    }


def _version_or_404(request: HttpRequest, template: UUID, language: str, number: int) -> TemplateVersion:
    rows = visible_versions(access_of(request))
    return get_object_or_404(rows, template__public_id=template, language=language, number=number)


def _address(version: TemplateVersion) -> str:
    return reverse("staff:review", args=[version.template.public_id, version.language, version.number])
