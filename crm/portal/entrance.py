"""Coming in by a code sent to the phone, and going out. A stranger's number gets the same answers as a member's."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.http import require_http_methods, require_POST

from crm.client_address import address_of
from crm.portal.access import (
    PortalRequest,
    current_member,
    device_of,
    let_in,
    page,
    portal_view,
    remember_language,
    safe_next,
    see_out,
)
from crm.portal.codes import check_code
from crm.portal.forms import CodeForm, PhoneForm
from members.models import Member
from members.refusals import Refused
from messaging.domain import verification
from messaging.domain.verification import CodesUnavailable, ProofNeeded, TryLater
from messaging.enums import CodePurpose

PENDING_FOR = timedelta(minutes=30)
REPEAT_AFTER = timedelta(minutes=1)
_PENDING, _ASKED, _NEXT = "pending_phone", "asked_at", "next"


@require_http_methods(["GET", "POST"])
@portal_view
def login(request: PortalRequest) -> HttpResponse:
    """Ask for the phone and send it a code."""
    if current_member(request):
        return redirect("portal:home")
    device_of(request)
    form = PhoneForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    status, wait = 200, 0
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _sent(request, form.cleaned_data["phone"], context["next"])
            except ProofNeeded as refused:
                context["work"], status = refused.facts, 428
            except Refused as refused:
                form.add_error("phone", str(refused))
                status, wait = _status_of(refused)
    return _told_to_wait(page(request, "login", context, status=status), wait)


@require_http_methods(["GET", "POST"])
@portal_view
def enter_code(request: PortalRequest) -> HttpResponse:
    """Check the code; a right one opens the portal."""
    phone = request.portal_session.get(_PENDING)
    if not phone:
        return redirect("portal:login")
    form = CodeForm(request.POST or None)
    status, wait = 200, 0
    if request.method == "POST":
        status = 422
        if form.is_valid():
            member = None
            try:
                member, problem = _checked(request, phone, form.cleaned_data["code"])
            except TryLater as refused:
                problem = str(refused)
                status, wait = _status_of(refused)
            if member:
                return _welcome(request, member)
            form.add_error("code", problem)
    context = {"form": form, "phone": phone, "repeat_seconds": _repeat_seconds(request, timezone.now())}
    return _told_to_wait(page(request, "code", context, status=status), wait)


@require_POST
@portal_view
def repeat_code(request: PortalRequest) -> HttpResponse:
    """The code once more; a new one when the one before it is over."""
    phone = request.portal_session.get(_PENDING)
    if not phone:
        return redirect("portal:login")
    context: dict[str, Any] = {"form": CodeForm(), "phone": phone}
    try:
        response = _sent(request, phone, request.portal_session.get(_NEXT, ""))
    except ProofNeeded as refused:
        return page(request, "code", context | {"work": refused.facts}, status=428)
    except Refused as refused:
        status, wait = _status_of(refused)
        context |= {"repeat_error": str(refused), "repeat_seconds": min(wait, 24 * 3600)}
        return _told_to_wait(page(request, "code", context, status=status), wait)
    messages.success(request, _("The code is on its way once more."))
    return response


@require_POST
@portal_view
def logout(request: PortalRequest) -> HttpResponse:
    """Only by POST: a link or an image cannot log anybody out."""
    see_out(request)
    messages.success(request, _("You are logged out."))
    return redirect("portal:login")


@require_POST
@portal_view
def choose_language(request: PortalRequest) -> HttpResponse:
    """Change the language of the pages and, for a member, of the texts."""
    language = request.POST.get("language", "")
    member = current_member(request)
    if member and language in dict(settings.LANGUAGES):
        Member.objects.filter(pk=member.pk).update(language=language)
    return i18n.set_language(request)


def _sent(request: PortalRequest, phone: str, wanted: str) -> HttpResponse:
    at = timezone.now()
    verification.ask_code(
        phone=phone,
        purpose=CodePurpose.LOGIN,
        language=get_language() or settings.LANGUAGE_CODE,
        store=None,
        at=at,
        ip=address_of(request),
        device=device_of(request),
        proof=request.POST.get("proof", "")[:400],
    )
    session = request.portal_session
    session[_PENDING], session[_ASKED], session[_NEXT] = phone, at.isoformat(), wanted
    session.set_expiry(int(PENDING_FOR.total_seconds()))
    return redirect("portal:code")


def _checked(request: PortalRequest, phone: str, code: str) -> tuple[Member | None, str]:
    """The member the code lets in, or why it does not."""
    checked = check_code(request, phone, CodePurpose.LOGIN, code)
    member = Member.objects.current().filter(phone=phone).first()
    if checked.is_right and member:
        return member, ""
    if not checked.checks_left:
        return None, _("This code is wrong or no longer valid. Ask for a new one.")
    return None, ngettext(
        "This is not the code. You can try %(n)s more time.",
        "This is not the code. You can try %(n)s more times.",
        checked.checks_left,
    ) % {"n": checked.checks_left}


def _welcome(request: PortalRequest, member: Member) -> HttpResponse:
    response = HttpResponseRedirect(safe_next(request, request.portal_session.get(_NEXT, "")))
    let_in(request, member, at=timezone.now())
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        remember_language(response, member.language)
    return response


def _repeat_seconds(request: PortalRequest, at: datetime) -> int:
    """How long until another code may be asked for, as far as this visitor knows."""
    asked = parse_datetime(request.portal_session.get(_ASKED, ""))
    return max(0, ceil((asked + REPEAT_AFTER - at).total_seconds())) if asked else 0


def _status_of(refused: Refused) -> tuple[int, int]:
    """The HTTP status of a refusal, and the seconds to wait."""
    if not isinstance(refused, TryLater):
        return 422, 0
    return (503 if isinstance(refused, CodesUnavailable) else 429), refused.wait_seconds


def _told_to_wait(response: HttpResponse, seconds: int) -> HttpResponse:
    if seconds:
        response["Retry-After"] = str(seconds)
    return response
