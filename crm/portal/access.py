"""Who is asking: the member's own session, kept apart from the staff's in a cookie of its own under /portal/.

A shared browser at the till can hold both, and leaving one never touches or prolongs the other.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from members.models import Member
from messaging.domain.outbox import clock_zone

COOKIE = "regulars_member"
DEVICE_COOKIE = "regulars_device"
DEVICE_KNOWN_FOR = timedelta(days=400)
STAYS = timedelta(days=30)
RENEWED_AFTER = timedelta(days=1)
_MEMBER, _PHONE, _RENEWED = "member", "phone_hash", "renewed_at"

View = Callable[..., HttpResponse]


class PortalRequest(HttpRequest):
    """A request inside the portal: with the member's session, and behind `member_required` with the member."""

    portal_session: SessionBase
    new_device: str
    member: Member


def portal_view(view: View) -> View:
    """Open the member's session around a view and keep what it changed. Nothing of the portal is ever cached."""

    @wraps(view)
    @never_cache
    def wrapped(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.portal_session = SessionStore(request.COOKIES.get(COOKIE))
        response = view(request, *args, **kwargs)
        _keep(request, response)
        return response

    return wrapped


def member_required(view: View) -> View:
    """Only for a member who is logged in, as `request.member` and in the member's time zone; others log in first."""

    @portal_view
    @wraps(view)
    def wrapped(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        member = current_member(request)
        if member is None:
            # A form's own address may show nothing: who has to log in to send it comes back to its page.
            page_before = urlsplit(request.headers.get("Referer", "")).path
            back = request.path if request.method in ("GET", "HEAD") else safe_next(request, page_before)
            return HttpResponseRedirect(f"{reverse('portal:login')}?{urlencode({'next': back}, safe='/')}")
        request.member = member
        _renew(request.portal_session, timezone.now())
        with timezone.override(clock_zone(member, member.home_store)):
            return view(request, *args, **kwargs)

    return wrapped


def current_member(request: PortalRequest) -> Member | None:
    """The member of this session. A number that has changed since the log-in ends it."""
    session = request.portal_session
    if _MEMBER not in session:
        return None
    member = Member.objects.current().select_related("home_store").filter(pk=session[_MEMBER]).first()
    if member and constant_time_compare(bytes(member.phone_hash).hex(), session.get(_PHONE, "")):
        return member
    session.flush()
    return None


def let_in(request: PortalRequest, member: Member, *, at: datetime) -> None:
    """Start the member's session under a new key; what the session held before the log-in is gone."""
    request.portal_session.clear()
    request.portal_session.cycle_key()
    request.portal_session[_MEMBER] = member.pk
    request.portal_session[_PHONE] = bytes(member.phone_hash).hex()
    _stamp(request.portal_session, at)


def see_out(request: PortalRequest) -> None:
    """End the session; its key is worthless afterwards."""
    request.portal_session.flush()


def device_of(request: PortalRequest) -> str:
    """The secret by which this browser is known again, log-in or not; made and kept at its first use."""
    known = request.COOKIES.get(DEVICE_COOKIE, "")
    if not re.fullmatch(r"[\w-]{20,64}", known, re.ASCII):
        known = request.new_device = getattr(request, "new_device", "") or secrets.token_urlsafe(24)
    return known


def safe_next(request: HttpRequest, wanted: str) -> str:
    """An address of the portal to go on to, or its first page."""
    home = reverse("portal:home")
    is_ours = url_has_allowed_host_and_scheme(wanted, None) and wanted.startswith(home)
    return wanted if is_ours else home


def page(
    request: PortalRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """One page of the portal, with the member and the member's shop at hand."""
    member = getattr(request, "member", None)
    shared = {"member": member, "shop_name": member.home_store.name if member else ""}
    return render(request, f"portal/{template}.html", shared | (context or {}), status=status)


def remember_language(response: HttpResponse, language: str) -> None:
    """The cookie Django reads the language from, for a year."""
    if language in dict(settings.LANGUAGES) and language != get_language():
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def _renew(session: SessionBase, at: datetime) -> None:
    """The thirty days start again with a visit, written at most once a day."""
    last = parse_datetime(session.get(_RENEWED, "")) if session.get(_RENEWED) else None
    if last is None or at - last >= RENEWED_AFTER:
        _stamp(session, at)


def _stamp(session: SessionBase, at: datetime) -> None:
    session[_RENEWED] = at.isoformat()
    session.set_expiry(int(STAYS.total_seconds()))


def _keep(request: PortalRequest, response: HttpResponse) -> None:
    if new_device := getattr(request, "new_device", ""):
        response.set_cookie(
            DEVICE_COOKIE,
            new_device,
            max_age=DEVICE_KNOWN_FOR,
            path=reverse("portal:home"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    session, path = request.portal_session, reverse("portal:home")
    if session.is_empty():
        if COOKIE in request.COOKIES:
            response.delete_cookie(COOKIE, path=path, samesite="Lax")
    elif session.modified and response.status_code < 500:
        session.save()
        response.set_cookie(
            COOKIE,
            session.session_key or "",
            max_age=session.get_expiry_age(),
            path=path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
