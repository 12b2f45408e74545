"""“Explain today”: would she get it now, and why not, for every class of text and any template."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.reports.explaining import today
from crm.staff.access import access_of, staff_required
from crm.staff.member_page import tab
from crm.staff.template_pages import visible_templates
from crm.staff.till import member_or_404
from messaging.domain.explaining import explain

LISTED = 200  # templates to choose from


@require_GET
@staff_required
def member_explain(request: HttpRequest, member: UUID) -> HttpResponse:
    """The four classes at a glance, and one template's gates in full. Nothing is sent."""
    found, access, now = member_or_404(request, member), access_of(request), timezone.now()
    choices = list(visible_templates(access).order_by("name")[:LISTED])
    wanted = next((one for one in choices if str(one.public_id) == request.GET.get("text")), None)
    context: dict[str, Any] = {
        "classes": today(member=found, store=access.store, at=now),
        "choices": choices,
        "wanted": wanted,
        "explained": explain(member=found, store=access.store, at=now, template=wanted) if wanted else None,
        "now": now,
    }
    return tab(request, found, "member_explain", context)
