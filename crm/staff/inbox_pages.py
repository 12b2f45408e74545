"""The inbox: what members text and only a person can answer, with the member's value beside the words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.staff.access import AT_TILL, IN_CHARGE, access_of, needs, page
from crm.staff.holdings import holdings_of
from crm.staff.inbox_threads import canned_answers, thread_of
from crm.staff.paging import PAGE_ROWS, Page, aware_moment, cut, whole_number, with_query
from members.enums import Role
from members.models import Purchase, Staff, Store
from members.refusals import Refused
from messaging.domain import conversations
from messaging.enums import URGENT, Concern, ConversationStatus
from messaging.models import Conversation, InboundText, Suppression, TemplateVersion

MAY_ANSWER = (*AT_TILL, Role.MARKETER)
SNOOZES = {
    "hour": (gettext_lazy("an hour"), timedelta(hours=1)),
    "tomorrow": (gettext_lazy("a day"), timedelta(days=1)),
    "week": (gettext_lazy("a week"), timedelta(days=7)),
}
WHOSE = {"mine": gettext_lazy("Mine"), "nobody": pgettext_lazy("conversation", "Nobody’s")}
LAST_VISITS = 3
_HASTE = Case(When(concern__in=URGENT, then=1), default=0)


@never_cache
@require_GET
@needs(*MAY_ANSWER)
def inbox(request: HttpRequest) -> HttpResponse:
    """The conversations of the current store, urgent ones first, then the newest. Follows by itself."""
    status = request.GET.get("status", ConversationStatus.OPEN)
    status = status if status in ConversationStatus.values else ConversationStatus.OPEN
    shown = _page_of(request, status)
    context = {
        "page": shown,
        "rows": shown.rows,
        "status": status,
        "now": timezone.now(),
        "statuses": _chips(request, "status", status, ConversationStatus.choices),
        "concerns": _chips(
            request, "concern", request.GET.get("concern", ""), [("", _("All")), *Concern.choices]
        ),
        "whose": _chips(
            request, "whose", request.GET.get("whose", ""), [("", _("Everybody’s")), *WHOSE.items()]
        ),
        "is_narrowed": any(request.GET.get(name) for name in ("concern", "whose")),
        "refresh_url": with_query(request, after=request.GET.get("after", "")),
    }
    template = "staff/_inbox_rows.html" if request.headers.get("HX-Request") else "staff/inbox_list.html"
    return page(request, template, context)


@never_cache
@require_GET
@needs(*MAY_ANSWER)
def conversation(request: HttpRequest, conversation: UUID) -> HttpResponse:
    """One phone: its thread, the member's value and last visits, and the answer to write."""
    found = _found(request, conversation)
    conversations.mark_read(conversation=found)
    return _show(request, found)


@never_cache
@require_GET
@needs(*MAY_ANSWER)
def conversation_thread(request: HttpRequest, conversation: UUID) -> HttpResponse:
    """The thread alone, for the page that asks again each few seconds."""
    found = _found(request, conversation)
    return page(request, "staff/_inbox_thread.html", _thread_context(request, found))


@require_POST
@needs(*MAY_ANSWER)
def answer_conversation(request: HttpRequest, conversation: UUID) -> HttpResponse:
    """Send the answer; the same form twice is one answer. What was typed is kept when it is refused."""
    found, text = _found(request, conversation), request.POST.get("text", "")
    try:
        conversations.reply(
            conversation=found,
            text=text,
            by=access_of(request).staff,
            key=_key(request),
            at=timezone.now(),
            version=_canned(request, found, text),
        )
    except Refused as refused:
        return _show(request, found, typed=text, problem=str(refused), status=422)
    messages.success(request, _("The answer is on its way."))
    return _back(found)


@require_http_methods(["POST"])
@needs(*MAY_ANSWER)
def manage_conversation(request: HttpRequest, conversation: UUID) -> HttpResponse:
    """Take it, give it to somebody, put it off, end it (with or without more offers), open it again, hand it on."""
    found, deed = _found(request, conversation), request.POST.get("deed", "")
    try:
        said = _do(request, found, deed)
    except Refused as refused:
        return _show(request, found, problem=str(refused), status=422)
    if said:
        messages.success(request, said)
    if deed == "silence":
        found.refresh_from_db(fields=["status"])  # a dispute goes on
    is_gone = deed in ("done", "store") or (deed == "silence" and found.status == ConversationStatus.DONE)
    return HttpResponseRedirect(reverse("staff:inbox")) if is_gone else _back(found)


def _do(request: HttpRequest, found: Conversation, deed: str) -> str:
    """The one domain call of a button; what is said about it, nothing for a button that is none of ours."""
    access, at = access_of(request), timezone.now()
    who: dict[str, Any] = {"conversation": found, "by": access.staff, "at": at}
    if deed == "take":
        conversations.assign(to=access.staff, **who)
        return _("It is yours.")
    if deed == "assign":
        given_to = _colleague(request, found)
        conversations.assign(to=given_to, **who)
        return _("Given on.") if given_to else _("It is nobody’s now.")
    if deed == "snooze":
        _label, span = SNOOZES.get(request.POST.get("for", ""), SNOOZES["hour"])
        conversations.snooze(until=at + span, **who)
        return _("Put off. It comes back by itself.")
    if deed == "done":
        conversations.finish_conversation(**who)
        return _("Done.")
    if deed == "silence":
        if conversations.stop_offers(**who).status == ConversationStatus.DONE:
            return _("Done. No more offers go to this number.")
        return _(
            "No more offers go to this number. “This was not me” stays open until a manager or owner ends it."
        )
    if deed == "reopen":
        conversations.reopen(**who)
        return _("Open again.")
    if deed == "store" and access.may(*IN_CHARGE):
        store = get_object_or_404(Store, pk__in=access.store_ids, public_id=_uuid(request.POST.get("store")))
        conversations.hand_to_store(store=store, **who)
        return _("%(store)s answers it from now on.") % {"store": store}
    return ""


def _visible(request: HttpRequest) -> QuerySet[Conversation]:
    access = access_of(request)
    return conversations.mine(access.staff, access.store, is_in_charge=access.may(*IN_CHARGE))


def _found(request: HttpRequest, public_id: UUID) -> Conversation:
    """Of the current store or, for those in charge, of nobody's; else 404."""
    rows = _visible(request).select_related("member__home_store", "store", "owner", "about")
    return get_object_or_404(rows, public_id=public_id)


def _page_of(request: HttpRequest, status: str) -> Page[Conversation]:
    rows = _visible(request).filter(status=status)
    if (concern := request.GET.get("concern", "")) in Concern.values:
        rows = rows.filter(concern=concern)
    if request.GET.get("whose") == "mine":
        rows = rows.filter(owner=access_of(request).staff)
    elif request.GET.get("whose") == "nobody":
        rows = rows.filter(owner=None)
    is_open = (
        status == ConversationStatus.OPEN
    )  # the others may be a hundred thousand: they come as the index has them
    rows = rows.annotate(haste=_HASTE if is_open else Value(0))
    rows = _after(rows, request.GET.get("after", ""))
    said = InboundText.objects.filter(phone=OuterRef("phone")).order_by("-id").values("text")[:1]
    rows = rows.annotate(last_text=Subquery(said)).select_related("member", "owner", "store")
    rows = rows.order_by(*([F("haste").desc()] if is_open else []), "-last_at", "-pk")
    return cut(
        request,
        list(rows[: PAGE_ROWS + 1]),
        PAGE_ROWS,
        lambda row: f"{row.haste}_{row.last_at.isoformat()}_{row.pk}",
    )


def _after(rows: QuerySet[Any], last: str) -> QuerySet[Any]:
    """Those behind the last of a page; all of them when it names none."""
    haste, moment, number = [*last.split("_"), "", "", ""][:3]
    urgency, at, pk = whole_number(haste), aware_moment(moment), whole_number(number)
    if urgency is None or at is None or pk is None:
        return rows
    older = Q(last_at__lt=at) | Q(last_at=at, pk__lt=pk)
    return rows.filter(Q(haste__lt=urgency) | Q(older, haste=urgency))


def _show(
    request: HttpRequest, found: Conversation, *, typed: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    access, at = access_of(request), timezone.now()
    context = _thread_context(request, found) | {
        "typed": typed,
        "problem": problem,
        "key": uuid4() if not problem else _key(request),
        "canned": canned_answers(found),
        "colleagues": _colleagues(found),
        "is_mine": found.owner_id == access.staff.pk,
        "is_opted_out": Suppression.objects.filter(
            phone_hash=bytes(found.phone_hash), lifted_at=None
        ).exists(),
        "may_hand_over": access.may(*IN_CHARGE),
        "snoozes": [(name, label) for name, (label, _span) in SNOOZES.items()],
        "now": at,
    }
    if found.member:
        visits = Purchase.objects.filter(member=found.member).select_related("store").order_by("-at", "-pk")
        context |= {"holdings": holdings_of(found.member, at=at), "visits": list(visits[:LAST_VISITS])}
    return page(request, "staff/inbox_conversation.html", context, status)


def _thread_context(request: HttpRequest, found: Conversation) -> dict[str, Any]:
    return {"conversation": found, "thread": thread_of(found, access_of(request).store_ids)}


def _colleagues(found: Conversation) -> Sequence[Staff]:
    """Who may be given it: everybody at work at its store."""
    if found.store is None:
        return []
    at_work = Staff.objects.filter(is_active=True, roles__store=found.store, roles__role__in=MAY_ANSWER)
    return list(at_work.distinct().order_by("display_name", "username"))


def _colleague(request: HttpRequest, found: Conversation) -> Staff | None:
    """Whom it goes to; nobody when nobody is chosen, 404 for anybody else."""
    if not request.POST.get("to"):
        return None
    wanted = _uuid(request.POST["to"])
    for one in _colleagues(found):
        if one.public_id == wanted:
            return one
    raise Http404


def _canned(request: HttpRequest, found: Conversation, text: str) -> TemplateVersion | None:
    """The approved wording this is, if it was not changed."""
    same = [answer for answer in canned_answers(found) if answer.text.strip() == text.strip()]
    return same[0].version if same else None


def _key(request: HttpRequest) -> UUID:
    return _uuid(request.POST.get("key")) or uuid4()


def _uuid(said: str | None) -> UUID | None:
    try:
        return UUID(said or "")
    except ValueError:
        return None


def _back(found: Conversation) -> HttpResponse:
    return HttpResponseRedirect(reverse("staff:inbox_conversation", args=[found.public_id]))


def _chips(request: HttpRequest, name: str, current: str, choices: Any) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": with_query(request, **{name: value, "after": ""}),
            "is_current": value == current,
        }
        for value, label in choices
    ]
