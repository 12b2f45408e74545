"""A member's statement for staff: the tab with the entries of a period, the page to print, the file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.shell.statements import Asked, asked_of, file_of, paper
from crm.staff.access import MAY_EXPORT, access_of, needs, page, staff_required
from crm.staff.paging import PAGE_ROWS, cut, whole_number, with_query
from crm.staff.till import member_or_404
from members.domain import audit
from members.domain.statements import printed, summary
from members.enums import MEMBER_ACCOUNTS
from members.models import Account, Entry, Member


def statement_tab(request: HttpRequest, member: Member) -> dict[str, Any]:
    """The entries as a bank prints them, newest first, of one account or all, in the period asked for."""
    asked = asked_of(request.GET, member, at=timezone.now())
    accounts = list(Account.objects.filter(member=member).select_related("card").order_by("card_id", "id"))
    chosen = next((one for one in accounts if str(one.pk) == request.GET.get("account")), None)
    entries = Entry.objects.filter(asked.period.within(), account__in=[chosen] if chosen else accounts)
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        entries = entries.filter(pk__lt=after)
    rows = entries.filter(account_kind__in=MEMBER_ACCOUNTS).select_related(
        "operation__store", "operation__staff", "account__card"
    )
    shown = cut(request, list(rows.order_by("-pk")[: PAGE_ROWS + 1]), PAGE_ROWS, lambda entry: str(entry.pk))
    return {
        "page": shown,
        "own_accounts": accounts,
        "accounts": [(one, with_query(request, account=str(one.pk), after="")) for one in accounts],
        "account": chosen,
        "all_url": with_query(request, account="", after=""),
        "statement": summary(member, asked.period),
        **_asked(request, member, asked),
    }


def _asked(request: HttpRequest, member: Member, asked: Asked) -> dict[str, Any]:
    access = access_of(request)
    may_export = access.may(*MAY_EXPORT) and member.home_store in access.stores_with(*MAY_EXPORT)
    return {"asked": asked, "may_export": may_export}


@require_GET
@staff_required
def statement_print(request: HttpRequest, member: UUID) -> HttpResponse:
    """The whole period on one page, oldest first, fit for paper."""
    found = member_or_404(request, member)
    asked = asked_of(request.GET, found, at=timezone.now())
    shown = printed(found, asked.period)
    return page(request, "staff/statement_print.html", {"member": found, **paper(shown, for_member=False)})


@require_GET
@needs(*MAY_EXPORT)
def statement_file(request: HttpRequest, member: UUID) -> HttpResponse:
    """The same as CSV, of a member of a store in which one may take files away. Written down in the audit log."""
    found, access = member_or_404(request, member), access_of(request)
    if found.home_store not in access.stores_with(*MAY_EXPORT):
        raise PermissionDenied
    asked = asked_of(request.GET, found, at=timezone.now())
    audit.write(
        actor=access.actor,
        verb="exported",
        subject=found,
        store=access.store,
        after={"what": "statement", "asked": asked.query},
        at=timezone.now(),
    )
    return file_of(found, asked.period, for_member=False)
