"""One member: who they are, and tabs for statement, timeline, consents and profile."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from constance import config
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from crm.staff.access import AT_TILL, access_of, page, staff_required
from crm.staff.forms import ProfileForm
from crm.staff.holdings import holdings_of
from crm.staff.statement_page import statement_tab
from crm.staff.stories import story_of
from crm.staff.till import is_opted_out, member_or_404
from members.domain import audit
from members.domain.enrolment import record_consent
from members.enums import ConsentSource, Purpose
from members.models import AuditVerb, ConsentEntry, Member

TABS = (
    ("member_detail", "receipt-text"),
    ("member_timeline", "activity"),
    ("member_consents", "shield-check"),
    ("member_profile", "notebook-pen"),
    ("member_explain", "circle-question-mark"),
)


@require_GET
@staff_required
def statement(request: HttpRequest, member: UUID) -> HttpResponse:
    """The member's entries as a bank prints them, newest first, of one account or all, of any period."""
    found = member_or_404(request, member)
    return tab(request, found, "member_detail", statement_tab(request, found))


@require_GET
@staff_required
def timeline(request: HttpRequest, member: UUID) -> HttpResponse:
    """What happened and what was said about it, rules that kept silent included, with the reason."""
    found = member_or_404(request, member)
    return tab(request, found, "member_timeline", {"page": story_of(request, found)})


@require_http_methods(["GET", "POST"])
@staff_required
def consents(request: HttpRequest, member: UUID) -> HttpResponse:
    """The words given and taken back; staff at the till may write down a new one."""
    found = member_or_404(request, member)
    if request.method == "POST":
        _must_deal(request)
        return _record(request, found)
    entries = ConsentEntry.objects.filter(member=found).select_related("store", "staff").order_by("-pk")
    given = {Purpose.SERVICE: found.has_service_consent, Purpose.MARKETING: found.has_marketing_consent}
    context = {
        "entries": entries[:200],
        "purposes": [{"purpose": purpose, "is_given": state} for purpose, state in given.items()],
        "wording": config.CONSENT_WORDING,
    }
    return tab(request, found, "member_consents", context)


@require_http_methods(["GET", "POST"])
@staff_required
def profile(request: HttpRequest, member: UUID) -> HttpResponse:
    """Name, language, birthday, tags and notes."""
    found = member_or_404(request, member)
    form = ProfileForm(request.POST or None, instance=found)
    if request.method == "POST":
        _must_deal(request)
        if form.is_valid():
            _save(request, form)
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("staff:member_profile", args=[found.public_id]))
        found = member_or_404(request, member)
    return tab(request, found, "member_profile", {"form": form}, status=422 if form.errors else 200)


@transaction.atomic
def _save(request: HttpRequest, form: ProfileForm) -> None:
    """Only what was changed is written: consents, phone and whatever else moved meanwhile stay as they are."""
    if not form.changed_data:
        return
    form.instance.save(update_fields=form.changed_data)
    audit.write(
        actor=access_of(request).actor,
        verb=AuditVerb.CHANGED,
        subject=form.instance,
        store=access_of(request).store,
        after={"fields": form.changed_data},
        at=timezone.now(),
    )


def _must_deal(request: HttpRequest) -> None:
    if not access_of(request).may(*AT_TILL):
        raise PermissionDenied


def _record(request: HttpRequest, member: Member) -> HttpResponse:
    purpose, is_given = request.POST.get("purpose", ""), request.POST.get("given") == "1"
    if purpose in Purpose.values and getattr(member, f"has_{purpose}_consent") != is_given:
        access = access_of(request)
        record_consent(
            member=member,
            purpose=Purpose(purpose),
            is_given=is_given,
            source=ConsentSource.TILL,
            wording_version=config.CONSENT_WORDING,
            at=timezone.now(),
            store=access.store,
            staff_id=access.staff.pk,
        )
        messages.success(request, _("Written down."))
    return HttpResponseRedirect(reverse("staff:member_consents", args=[member.public_id]))


def tab(
    request: HttpRequest, member: Member, current: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A tab of the member's page, with the head that all of them share."""
    labels = (_("Statement"), _("Timeline"), _("Consents"), _("Profile and notes"), _("Explain today"))
    tabs = [
        {
            "label": label,
            "icon": icon,
            "url": reverse(f"staff:{name}", args=[member.public_id]),
            "is_current": name == current,
        }
        for (name, icon), label in zip(TABS, labels, strict=True)
    ]
    shared = {
        "member": member,
        "holdings": holdings_of(member, at=timezone.now(), accounts=context.get("own_accounts")),
        "is_opted_out": is_opted_out(member),
        "tabs": tabs,
    }
    return page(request, f"staff/{current}.html", {**shared, **context}, status)
