"""The member's pages. Every query starts at `request.member`; what is not theirs is not found."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from crm.portal import consents, correspondence, holdings, statement
from crm.portal.access import PortalRequest, member_required, page
from crm.portal.consents import Chosen
from crm.shell.statements import asked_of, file_of, paper
from members.domain import statements
from members.domain.card_facts import open_transfers
from members.domain.erasing import wish_of
from members.domain.phone_changes import waiting_of
from members.enums import Purpose
from members.refusals import Refused

LATEST = 4


@require_GET
@member_required
def home(request: PortalRequest) -> HttpResponse:
    """Card, balances, points and what ends when, value on offer, and the last few deeds."""
    at = timezone.now()
    held = holdings.holdings_of(request.member, at=at)
    latest = statement.statement_page(request.member, size=LATEST)
    context = {
        "waiting": waiting_of(request.member),
        "offers": open_transfers(request.member, at=at),
        "held": held,
        "latest": latest.lines,
    }
    return page(request, "home", context)


@require_GET
@member_required
def statement_list(request: PortalRequest) -> HttpResponse:
    """The statement by month; `before` names the deed under which an older page begins."""
    before = None
    if wanted := request.GET.get("before"):
        before = get_object_or_404(statement.own_operations(request.member), public_id=_uuid(wanted))
    asked = asked_of(request.GET, request.member, at=timezone.now())
    shown = statement.statement_page(request.member, before=before, period=asked.period)
    older = f"?{urlencode({'before': str(shown.older)})}&{asked.query}".rstrip("&") if shown.older else ""
    context = {
        "months": shown.months,
        "older_url": older,
        "is_older": bool(before),
        "asked": asked,
        "statement": statements.summary(request.member, asked.period),
    }
    return page(request, "statement", context)


@require_GET
@member_required
def statement_print(request: PortalRequest) -> HttpResponse:
    """The whole period on one page, oldest first, fit for paper."""
    asked = asked_of(request.GET, request.member, at=timezone.now())
    return page(
        request, "statement_print", paper(statements.printed(request.member, asked.period), for_member=True)
    )


@require_GET
@member_required
def statement_file(request: PortalRequest) -> HttpResponse:
    """The same as a file, in the member's language and the home store's time."""
    asked = asked_of(request.GET, request.member, at=timezone.now())
    return file_of(request.member, asked.period, for_member=True)


@require_GET
@member_required
def statement_line(request: PortalRequest, public_id: UUID) -> HttpResponse:
    """One deed, whole, fit to be printed or shown at the counter."""
    wanted = statement.own_operations(request.member).select_related("store", "card", "reverses")
    operation = get_object_or_404(
        wanted.prefetch_related("tenders", "bill_lines__category"), public_id=public_id
    )
    refunds = statement.own_operations(request.member).filter(reverses=operation).order_by("id")
    context = {"line": statement.line_of(request.member, operation), "refunds": refunds}
    return page(request, "statement_line", context)


@require_GET
@member_required
def message_list(request: PortalRequest) -> HttpResponse:
    """The texts of the shop with the reason of each, and what the member wrote."""
    before = None
    if wanted := request.GET.get("before"):
        before = _moment(wanted)
    shown = correspondence.correspondence_page(request.member, before=before)
    older = f"?{urlencode({'before': shown.older.isoformat()})}" if shown.older else ""
    return page(request, "messages", {"letters": shown.letters, "older_url": older, "is_older": bool(before)})


@require_GET
@member_required
def preferences(request: PortalRequest) -> HttpResponse:
    """Who may text for what, the language, and what the shop has written down about the member."""
    context = {
        "choices": consents.choices_of(request.member),
        "history": consents.consent_history(request.member),
        "waiting": waiting_of(request.member),
        "wish": wish_of(request.member),
    }
    return page(request, "preferences", context)


@require_POST
@member_required
def choose_texts(request: PortalRequest) -> HttpResponse:
    """Turn service or marketing texts on or off, at once."""
    wanted = request.POST.get("purpose", "")
    if wanted not in Purpose.values:
        raise Http404
    purpose, is_on = Purpose(wanted), "given" in request.POST
    wording = request.POST.get("wording", "")
    try:
        chosen = consents.choose(request.member, purpose, is_on=is_on, wording=wording, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        if chosen.is_changed:
            messages.success(request, _said(purpose, is_on, chosen))
    return redirect(reverse("portal:preferences"))


def _said(purpose: Purpose, is_on: bool, chosen: Chosen) -> str:
    if is_on:
        return _("Marketing texts are on.") if purpose == Purpose.MARKETING else _("Service texts are on.")
    said = _("Marketing texts are off.") if purpose == Purpose.MARKETING else _("Service texts are off.")
    if not chosen.taken_back:
        return said
    stopped = ngettext(
        "%(n)s text that was waiting will not be sent.",
        "%(n)s texts that were waiting will not be sent.",
        chosen.taken_back,
    ) % {"n": chosen.taken_back}
    return f"{said} {stopped}"


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment):
        raise Http404
    return moment
