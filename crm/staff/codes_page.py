"""Verification codes: what they cost, the breakers, the locks, and letting somebody in again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from crm.staff.access import IN_CHARGE, Access, access_of, needs, page
from crm.staff.paging import PAGE_ROWS, cut, whole_number
from members.enums import Role
from members.models import Member
from members.refusals import Refused
from messaging.domain import verification_breakers, verification_limits, verification_locks
from messaging.enums import LockKind
from messaging.models import VerificationLock


@never_cache
@require_GET
@needs(*IN_CHARGE)
def codes(request: HttpRequest) -> HttpResponse:
    """The figures of this moment, what is locked, and what was in the last days; a fixed number of queries."""
    access, now = access_of(request), timezone.now()
    rules = verification_limits.rules_in_force()
    over = VerificationLock.objects.exclude(pk__in=verification_locks.standing(now).values("pk"))
    locks = verification_locks.standing(now).order_by("-pk")
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        locks = locks.filter(pk__lt=after)
    shown = cut(request, list(locks[: PAGE_ROWS + 1]), PAGE_ROWS, lambda lock: str(lock.pk))
    context = {
        "figures": verification_breakers.figures(now),
        "spent": verification_limits.spent(access.store.pk, now),
        "rules": rules,
        "locks": _named(list(shown.rows), access),
        "page": shown,
        "past": _named(list(over.select_related("released_by").order_by("-opened_at")[:20]), access),
        "is_owner": access.may(Role.OWNER),
    }
    return page(request, "staff/codes.html", context)


@require_POST
@needs(*IN_CHARGE)
def release_lock(request: HttpRequest, lock: UUID) -> HttpResponse:
    """A number of one's own members by those in charge; everything else by an owner. The reason is kept."""
    access, now = access_of(request), timezone.now()
    found = get_object_or_404(verification_locks.standing(now), public_id=lock)
    row = _named([found], access)[0]
    if not row["may_release"]:
        return HttpResponse(status=404)
    reason = request.POST.get("reason", "").strip()[:200]
    if not reason:
        messages.error(request, _("Say why."))
        return HttpResponseRedirect(reverse("staff:codes"))
    try:
        verification_locks.release(lock=found, by=access.staff, reason=reason, at=now)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Codes are sent again."))
    return HttpResponseRedirect(reverse("staff:codes"))


def _named(locks: list[VerificationLock], access: Access) -> list[dict[str, Any]]:
    """Each lock with the member it is about, if that is one of theirs; of others nobody says whose number it is.

    A number of another store's member is that store's to release; what is nobody's is an owner's.
    """
    hashes = [bytes(lock.key_hash) for lock in locks if lock.kind == LockKind.NUMBER]
    members = {bytes(one.phone_hash): one for one in Member.objects.filter(phone_hash__in=hashes)}
    seen = set(
        Member.objects.visible_to(access.staff).filter(phone_hash__in=hashes).values_list("pk", flat=True)
    )
    rows = []
    for lock in locks:
        member = members.get(bytes(lock.key_hash))
        is_theirs = member.pk in seen if member else access.may(Role.OWNER)
        rows.append({"lock": lock, "member": member if is_theirs else None, "may_release": is_theirs})
    return rows
