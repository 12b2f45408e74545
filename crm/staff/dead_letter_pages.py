"""What stands still, in plain words, and what may be done about it; and the release after a restore."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns.enums import RunStatus
from campaigns.models import Run
from crm.reports import standing
from crm.shell.formats import number_text
from crm.staff.access import Access, access_of, needs
from crm.staff.gateway_pages import may_run_house
from crm.staff.message_tabs import MAY_SORT, texts_page
from crm.staff.paging import PAGE_ROWS, cut, whole_number
from members.enums import Role
from members.models import Store
from messaging.domain import dead_letters, restoring
from messaging.domain.texts import shown_text
from messaging.enums import Cause
from messaging.models import Message

COUNTED_MAX = 10_000
MAY_DECIDE = (Role.MANAGER, Role.OWNER)


@dataclass(frozen=True)
class Kind:
    """A way of standing still: its name, what it means, what may be done."""

    name: str
    label: str | Promise
    means: str | Promise
    todo: str | Promise
    may_release: bool = False
    may_give_up: bool = False


KINDS = (
    Kind(
        "quarantined",
        gettext_lazy("Set aside"),
        gettext_lazy("It was there when our process died three times, so it was taken out of the queue."),
        gettext_lazy(
            "Release it if the text is harmless; give it up if not. Marketing that was tried may be on the phone already: it can only be given up."
        ),
        may_release=True,
        may_give_up=True,
    ),
    Kind(
        "restored",
        gettext_lazy("Held after a restore"),
        gettext_lazy(
            "The database was restored from a backup and believes that this marketing text still waits. It may have gone out."
        ),
        gettext_lazy("Compare with your carrier’s list. Release what did not go out, give up the rest."),
        may_release=True,
        may_give_up=True,
    ),
    Kind(
        "uncertain",
        gettext_lazy("No answer for 45 seconds"),
        gettext_lazy("The carrier gave no answer: it may or may not have gone out."),
        gettext_lazy(
            "Wait: a report, or the rule of its class, settles it. Notices may be sent once more now; marketing never."
        ),
        may_release=True,
    ),
    Kind(
        "unknown",
        gettext_lazy("Never known"),
        gettext_lazy("Nobody will know whether it went out; no report came within the time of its class."),
        gettext_lazy("Nothing is sent again by itself. Call the member if it mattered."),
    ),
    Kind(
        "no_receipt",
        gettext_lazy("No report for 72 hours"),
        gettext_lazy("The carrier took it and never said whether it arrived."),
        gettext_lazy("Most of them arrived. If there are many, ask the carrier for its reports."),
    ),
    Kind(
        "orphans",
        gettext_lazy("Reports without a text"),
        gettext_lazy("A carrier reported on a text that we do not know by that number."),
        gettext_lazy(
            "They are kept and matched if the text turns up. Many of them mean that somebody else sends with this account."
        ),
    ),
    Kind(
        "inbound",
        gettext_lazy("Texts from members not sorted yet"),
        gettext_lazy("A member’s text came in and nothing has read it yet."),
        gettext_lazy("See whether a gateway process runs; then look at the texts in the set-up."),
    ),
    Kind(
        "signals",
        gettext_lazy("Facts not told yet"),
        gettext_lazy("Something happened to a member and a part of the house failed when it was told."),
        gettext_lazy("It is told again by itself, more and more slowly. If it goes on, read the error."),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
OF_TEXTS = ("quarantined", "restored", "uncertain", "unknown", "no_receipt")


@require_GET
@needs(*MAY_SORT)
def dead_letters_page(request: HttpRequest) -> HttpResponse:
    """Every kind with how many there are, and the rows of the chosen one."""
    return _show(request)


def _show(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    access, now = access_of(request), timezone.now()
    counts = {kind.name: _number(_rows(kind.name, access, now)) for kind in KINDS}
    chosen = BY_NAME.get(request.GET.get("kind", "")) or next((k for k in KINDS if counts[k.name]), KINDS[0])
    context: dict[str, Any] = {
        "kinds": [
            {"kind": kind, "number": counts[kind.name], "is_current": kind is chosen} for kind in KINDS
        ],
        "kind": chosen,
        "number": counts[chosen.name],
        "problem": problem,
        "may_decide": access.may(*MAY_DECIDE),
        "is_restored": restoring.is_stopped(),
        **_page_of(request, chosen, access, now),
    }
    return texts_page(request, "staff/dead_letters.html", context, status)


def _rows(kind: str, access: Access, now: datetime) -> Any:
    if kind in OF_TEXTS:
        return standing.texts(kind, access.stores, at=now)
    if kind == "orphans":
        return standing.orphans(at=now)
    return standing.unhandled(access.stores, at=now) if kind == "inbound" else standing.missed(access.stores)


def _number(rows: Any) -> int:
    """How many, counted no further than ten thousand."""
    return rows.order_by()[:COUNTED_MAX].count()


def _page_of(request: HttpRequest, kind: Kind, access: Access, now: datetime) -> dict[str, Any]:
    rows = _rows(kind.name, access, now).order_by("-pk")
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    related = {"orphans": ("gateway",), "inbound": ("member",), "signals": ("event__member",)}
    rows = rows.select_related(*related.get(kind.name, ("member", "store")))
    shown = cut(request, list(rows[: PAGE_ROWS + 1]), PAGE_ROWS, lambda row: str(row.pk))
    if kind.name not in OF_TEXTS:
        return {"page": shown, "rows": shown.rows}
    ids = [row.pk for row in shown.rows]
    free = set(dead_letters.releasable(Message.objects.filter(pk__in=ids), now).values_list("pk", flat=True))
    rows_shown = [{"message": row, "text": shown_text(row), "is_free": row.pk in free} for row in shown.rows]
    return {"page": shown, "rows": rows_shown}


@require_POST
@needs(*MAY_DECIDE)
def decide_letters(request: HttpRequest) -> HttpResponse:
    """Release or give up: the ticked ones, or all of the kind. Asked first in numbers, then done."""
    access, now = access_of(request), timezone.now()
    kind = BY_NAME.get(request.POST.get("kind", ""))
    deed = request.POST.get("deed", "")
    if kind is None or deed not in ("release", "give_up") or kind.name not in OF_TEXTS:
        raise Http404
    if not (kind.may_release if deed == "release" else kind.may_give_up):
        raise PermissionDenied
    ids = _ticked(request, kind, access, now)
    if not ids:
        return _show(request, _("Tick at least one text."), 422)
    if request.POST.get("sure") != "yes":
        return texts_page(request, "staff/dead_letters_confirm.html", _asked(kind, deed, ids, request, now))
    verb = dead_letters.release if deed == "release" else dead_letters.give_up
    done = verb(ids=ids, stores=_in_charge(access), by=access.staff, at=now)
    messages.success(request, _told(done, deed))
    return redirect(f"{reverse('staff:dead_letters')}?kind={kind.name}")


def _in_charge(access: Access) -> list[Store]:
    """The stores whose texts this person may decide about."""
    return access.stores_with(*MAY_DECIDE)


def _ticked(request: HttpRequest, kind: Kind, access: Access, now: datetime) -> list[int]:
    rows = standing.texts(kind.name, _in_charge(access), at=now)
    if request.POST.get("all") != "yes":
        ticked = [
            number for text in request.POST.getlist("text") if (number := whole_number(text)) is not None
        ]
        rows = rows.filter(pk__in=ticked)
    return list(rows.order_by("pk").values_list("pk", flat=True)[: dead_letters.RELEASED_MAX])


def _asked(kind: Kind, deed: str, ids: list[int], request: HttpRequest, now: datetime) -> dict[str, Any]:
    able, ended = len(ids), 0
    if deed == "release":
        free = dead_letters.releasable(Message.objects.filter(pk__in=ids), now)
        stopped = Run.objects.filter(status=RunStatus.STOPPED)
        ended = free.filter(cause=Cause.RUN, cause_id__in=stopped.values("pk")).count()
        able = free.count() - ended
    return {
        "kind": kind,
        "deed": deed,
        "able": able,
        "ended": ended,
        "kept": len(ids) - able - ended,
        "ids": [] if request.POST.get("all") == "yes" else ids,
        "is_all": request.POST.get("all") == "yes",
    }


def _told(done: dead_letters.Done, deed: str) -> str:
    if deed == "release":
        said = ngettext("%(n)s text is queued again.", "%(n)s texts are queued again.", done.moved)
    else:
        said = ngettext("%(n)s text was given up.", "%(n)s texts were given up.", done.moved)
    told = [said % {"n": number_text(done.moved)}]
    if done.cancelled:
        said = ngettext(
            "%(n)s was cancelled: its run was stopped.",
            "%(n)s were cancelled: their run was stopped.",
            done.cancelled,
        )
        told.append(said % {"n": number_text(done.cancelled)})
    if done.kept:
        said = ngettext("%(n)s stays as it is.", "%(n)s stay as they are.", done.kept)
        told.append(said % {"n": number_text(done.kept)})
    return " ".join(told)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*MAY_SORT)
def after_restore(request: HttpRequest) -> HttpResponse:
    """What a restore stopped, step by step: codes and notices first, then what marketing was held, then marketing."""
    access, now = access_of(request), timezone.now()
    if request.method == "POST":
        if not may_run_house(access):
            raise PermissionDenied
        restoring.resume(with_marketing=request.POST.get("step") == "marketing", by=access.staff, at=now)
        messages.success(request, _("Sending goes on."))
        return redirect("staff:after_restore")
    stopped = restoring.stopped()
    under_way = Run.objects.filter(
        campaign__store__in=access.stores, status__in=[RunStatus.FREEZING, RunStatus.SENDING]
    )
    context = {
        "stopped": stopped,
        "held": _number(standing.texts("restored", access.stores, at=now)),
        "runs": list(under_way.select_related("campaign__store").order_by("-pk")[:PAGE_ROWS])
        if stopped
        else [],
        "may_run": may_run_house(access),
    }
    return texts_page(request, "staff/after_restore.html", context)
