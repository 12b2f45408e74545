"""The till: one search box, one member, one deed at a time. Each address is a page; htmx takes the part it needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from crm.staff.access import AT_TILL, Access, access_of, needs, page, staff_required
from crm.staff.finding import clean_query, find, full_phone
from crm.staff.holdings import Holdings, Pocket, holdings_of, open_holds, recent_deeds
from crm.staff.telling import has_money, sums_of, texts_of
from members.domain.reveals import TooManyReveals, reveal
from members.models import Card, Member, MembershipEvent, Operation
from members.models.member import MemberQuerySet
from messaging.enums import SuppressionScope
from messaging.models import Suppression

log = structlog.get_logger(__name__)
TODAY_SHOWN = 8


@never_cache
@require_GET
@staff_required
def till(request: HttpRequest) -> HttpResponse:
    """The empty till: the search box in focus, what was done last beside it."""
    return show_desk(request, "staff/_till_start.html", {"deeds": _latest_deeds(access_of(request))})


@never_cache
@require_GET
@staff_required
def find_member(request: HttpRequest) -> HttpResponse:
    """What a search finds: one member opened at once, several as a list, none with the way to enrol them."""
    access, query = access_of(request), clean_query(request.GET.get("q", ""))
    if not query:
        return show_desk(request, "staff/_till_start.html", {"deeds": _latest_deeds(access)})
    found = find(visible_members(access), query)
    if len(found) == 1:
        return show_member(request, found[0], query=query)
    context = {"found": found, "query": query, "new_phone": full_phone(query) and query}
    return show_desk(request, "staff/_till_found.html", context)


@never_cache
@require_GET
@staff_required
def till_member(request: HttpRequest, member: UUID) -> HttpResponse:
    """One member at the till."""
    return show_member(request, member_or_404(request, member))


@never_cache
@require_GET
@staff_required
def till_operation(request: HttpRequest, operation: UUID) -> HttpResponse:
    """What a deed did: balances after it, its texts as they stand, its receipt."""
    deeds = Operation.objects.select_related("member", "card", "store", "staff", "reverses")
    done = get_object_or_404(deeds, public_id=operation, member__in=visible_members(access_of(request)))
    return show_outcome(request, done)


@never_cache
@require_GET
@staff_required
def event_texts(request: HttpRequest, event: UUID) -> HttpResponse:
    """The texts of an event as they stand now; the page asks again each second until they are settled."""
    told = get_object_or_404(MembershipEvent, public_id=event, member__in=visible_members(access_of(request)))
    return page(request, "staff/_texts_live.html", live_texts(told))


@require_POST
@needs(*AT_TILL)
def reveal_phone(request: HttpRequest, member: UUID) -> HttpResponse:
    """Show one whole number; who looked and when is written down. 429 after thirty within an hour."""
    found = member_or_404(request, member)
    access = access_of(request)
    try:
        reveal(actor=access.actor, member=found, store=access.store, at=timezone.now())
    except TooManyReveals as refusal:
        response = page(request, "staff/_phone.html", {"member": found, "refusal": refusal.message}, 429)
        response["Retry-After"] = str(refusal.facts["wait_seconds"])
        return response
    LogEntry.objects.create(
        user_id=access.staff.pk,
        content_type=ContentType.objects.get_for_model(Member),
        object_id=str(found.pk),
        object_repr=found.member_no,
        action_flag=CHANGE,
        change_message="phone shown",
    )
    log.info("phone_shown", member_id=found.pk, staff_id=access.staff.pk, store_id=access.store.pk)
    return page(request, "staff/_phone.html", {"member": found, "is_shown": True})


def visible_members(access: Access) -> MemberQuerySet:
    """The members this person may see: those whose home is a store they have a role in."""
    if access.staff.is_superuser:
        return Member.objects.all()
    return Member.objects.filter(home_store_id__in=access.store_ids)


def member_or_404(request: HttpRequest, public_id: UUID) -> Member:
    """A member by public id, within what this person may see."""
    members = visible_members(access_of(request)).select_related("home_store", "facts")
    return get_object_or_404(members, public_id=public_id)


def card_or_404(request: HttpRequest, public_id: UUID) -> Card:
    """A card by public id, of a member this person may see."""
    cards = Card.objects.select_related("member__home_store", "member__facts", "product", "store")
    return get_object_or_404(cards, public_id=public_id, member__in=visible_members(access_of(request)))


def show_desk(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """The part under the search box alone for htmx, the whole till otherwise."""
    if request.htmx:  # type: ignore[attr-defined]
        return page(request, template, context, status)
    return page(request, "staff/till.html", {"desk_template": template, **(context or {})}, status)


def show_member(
    request: HttpRequest,
    member: Member,
    *,
    deed_template: str = "",
    status: int = 200,
    card: Card | None = None,
    **context: Any,
) -> HttpResponse:
    """The member's panel, with a deed or an outcome open in it."""
    holdings = holdings_of(member, at=timezone.now())
    chosen = _chosen_card(request, holdings, card)
    panel = {
        "member": member,
        "holdings": holdings,
        "pocket": chosen,
        "card": chosen.card if chosen else None,
        "deeds": recent_deeds(member),
        "holds": open_holds(member),
        "is_birthday": _is_birthday(member),
        "is_opted_out": is_opted_out(member),
        "deed_template": deed_template,
    }
    response = show_desk(request, "staff/_till_member.html", {**panel, **context}, status)
    if request.htmx:  # type: ignore[attr-defined]
        response["HX-Push-Url"] = reverse("staff:till_member", args=[member.public_id])
    return response


def show_outcome(request: HttpRequest, operation: Operation) -> HttpResponse:
    """The outcome alone for htmx, the whole till otherwise."""
    context = outcome_context(operation)
    if request.htmx:  # type: ignore[attr-defined]
        return page(request, "staff/_outcome.html", {"member": operation.member, **context})
    return show_member(
        request, operation.member, card=operation.card, deed_template="staff/_outcome.html", **context
    )


def outcome_context(operation: Operation) -> dict[str, Any]:
    """What the outcome of a deed shows."""
    event = operation.events.first()
    returned = sum(operation.reversals.values_list("amount_minor", flat=True))
    return {
        "operation": operation,
        "event": event,
        "sums": sums_of(operation),
        "has_money": has_money(operation),
        "left_minor": operation.amount_minor - returned if operation.kind == "spend" else 0,
        "hold": getattr(operation, "hold", None),
        **(live_texts(event) if event else {}),
    }


def live_texts(event: MembershipEvent) -> dict[str, Any]:
    """The texts of an event, and whether one of them may still move."""
    texts = texts_of(event)
    return {"told": event, "texts": texts, "is_moving": any(text.is_open for text in texts)}


def is_opted_out(member: Member) -> bool:
    """Whether the number has refused marketing, or all texts, by itself."""
    words = Suppression.objects.filter(phone_hash=bytes(member.phone_hash), lifted_at=None)
    return words.filter(scope__in=SuppressionScope.values).exists()


def _chosen_card(request: HttpRequest, holdings: Holdings, card: Card | None) -> Pocket | None:
    if card is not None:
        return holdings.pocket_of(card)
    wanted = request.GET.get("card", "")
    usable = [pocket for pocket in holdings.pockets if pocket.is_usable] or list(holdings.pockets)
    return next((pocket for pocket in holdings.pockets if str(pocket.card.public_id) == wanted), None) or (
        usable[0] if usable else None
    )


def _is_birthday(member: Member) -> bool:
    today = timezone.localdate()
    born = member.birthday
    return bool(born) and (born.month, born.day) == (today.month, today.day)  # type: ignore[union-attr]


def _latest_deeds(access: Access) -> list[Operation]:
    """The last deeds at this store's till, newest first; one query."""
    deeds = Operation.objects.filter(store=access.store).select_related("member", "staff")
    return list(deeds.order_by("-id")[:TODAY_SHOWN])
