"""The texts of one's stores: searched and exported, and one text's whole story."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm.shell.formats import phone_masked, store_time
from crm.staff.access import MAY_EXPORT, access_of, needs, staff_required
from crm.staff.gateway_words import in_words
from crm.staff.message_search import searched
from crm.staff.message_story import (
    cause_of,
    consents_then,
    cost_of,
    gates_of,
    readers_of,
    told_by,
    write_reader,
)
from crm.staff.message_tabs import texts_page
from crm.staff.money_files import csv_file
from crm.staff.paging import PAGE_ROWS, asked_of, cut, whole_number, with_query
from crm.staff.stories import event_title
from members.domain import audit
from members.enums import Role
from members.models import AuditVerb
from messaging.domain.texts import shown_text
from messaging.enums import MessageClass
from messaging.models import Attempt, Message, SubmittedPart
from messaging.states import FINAL, Reason

EXPORTED_MAX = 50_000


@require_GET
@staff_required
def message_list(request: HttpRequest) -> HttpResponse:
    """One page of texts, newest first; a fixed number of queries."""
    form, rows = searched(request)
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    rows = rows.select_related("member", "store", "template_version__template")[: PAGE_ROWS + 1]
    shown = cut(request, list(rows), PAGE_ROWS, lambda message: str(message.pk))
    context = {
        "filter": form,
        "page": shown,
        "rows": [{"message": message, "text": shown_text(message)} for message in shown.rows],
        "many_stores": len(access_of(request).stores) > 1,
        "may_export": access_of(request).may(*MAY_EXPORT),
        "export_url": with_query(request, after="").replace(request.path, f"{request.path}export/", 1),
    }
    return texts_page(request, "staff/message_list.html", context)


@require_GET
@needs(*MAY_EXPORT)
def export_messages(request: HttpRequest) -> HttpResponse:
    """What the page shows, at most 50,000 rows, as CSV; phones masked. The export itself is written down.

    Of several stores those in which one may take lists away.
    """
    access = access_of(request)
    form, rows = searched(request)
    audit.write(
        actor=access.actor,
        verb=AuditVerb.EXPORTED,
        subject=("messages", "messages"),
        store=access.store,
        after={"asked": asked_of(form)},
        at=timezone.now(),
    )
    rows = rows.filter(store__in=access.stores_with(*MAY_EXPORT))
    found = rows.select_related("member", "store", "gateway")[:EXPORTED_MAX]
    titles = [_("Number"), _("Written"), _("Store"), _("Phone (masked)"), _("Class"), _("State"), _("Reason")]
    titles += [_("Sent"), _("Settled"), _("Gateway"), _("Parts"), _("Text")]
    return csv_file(f"texts-{timezone.localdate():%Y-%m-%d}", titles, map(_cells, found.iterator(2000)))


def _cells(message: Message) -> list[str]:
    zone = message.store.timezone if message.store else None
    moments = [
        store_time(moment, zone).iso if moment else ""
        for moment in (message.created_at, message.submitted_at, message.final_at)
    ]
    return [
        str(message.public_id),
        moments[0],
        message.store.name if message.store else "",
        phone_masked(message.phone),
        str(message.get_message_class_display()),
        str(message.get_state_display()),
        str(message.get_reason_display()),
        *moments[1:],
        message.gateway.name if message.gateway else "",
        str(message.parts),
        shown_text(message),
    ]


@require_GET
@staff_required
def message_detail(request: HttpRequest, message: UUID) -> HttpResponse:
    """Why this text exists, what was decided about it, each try, each receipt, in the provider's own words; for an
    auditor also the consent at that time and who has looked. That it was opened is written down.
    """
    access = access_of(request)
    found = get_object_or_404(
        Message.objects.select_related(
            "member",
            "store",
            "template_version__template",
            "template_version__approved_by",
            "template_version__written_by",
            "gateway",
            "event",
        ),
        public_id=message,
        store_id__in=access.store_ids,
    )
    parts = list(SubmittedPart.objects.filter(message=found).select_related("gateway").order_by("pk"))
    is_auditor = access.may(Role.OWNER, Role.AUDITOR)
    context = {
        "message": found,
        "text": shown_text(found),
        "reason": Reason(found.reason).label if found.reason else "",
        "cause": cause_of(found),
        "event_label": event_title(found.event.type) if found.event else "",
        "tries": [
            {"attempt": attempt, "words": in_words(attempt.outcome, attempt.raw_status)}
            for attempt in Attempt.objects.filter(message=found).select_related("gateway").order_by("number")
        ],
        "parts": parts,
        "receipts": told_by(found, parts),
        "cost": cost_of(found, parts),
        "consents": consents_then(found),
        "gates": gates_of(found),
        "readers": readers_of(found) if is_auditor else [],
        "is_auditor": is_auditor,
        "is_final": found.state in FINAL,
        "is_marketing": found.message_class == MessageClass.MARKETING,
    }
    write_reader(found, access.staff, timezone.now())
    return texts_page(request, "staff/message_detail.html", context)
