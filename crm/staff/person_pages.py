"""Who a member is: the number changed, two of them made one, a person forgotten."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from crm.staff.access import AT_TILL, IN_CHARGE, Access, access_of, needs, page
from crm.staff.asking import Asking, asked_for_approval, shown_approval
from crm.staff.finding import clean_query, find
from crm.staff.person_forms import EraseForm, PhoneChangeForm, ReasonForm
from crm.staff.till import member_or_404, visible_members
from members.domain import erasing, merging, phone_changes
from members.domain.ledger import ApprovalInvalid, ApprovalRequired
from members.models import Member, Merge, PhoneChange
from members.refusals import Refused
from messaging.domain import verification
from messaging.enums import CodePurpose


@never_cache
@require_http_methods(["GET", "POST"])
@needs(*AT_TILL)
def change_phone(request: HttpRequest, member: UUID) -> HttpResponse:
    """A new number: at once with the code of the old one, after 24 hours on the word of a manager or owner."""
    found = member_or_404(request, member)
    form = PhoneChangeForm(request.POST or None)
    if _is_sent(request, form) and _attempt(form, lambda: _change(request, found, form)):
        return _back(found)
    waiting = phone_changes.waiting_of(found)
    return _show(request, "person_phone", found, form, {"waiting": waiting, "once": uuid.uuid4()})


@require_POST
@needs(*AT_TILL)
def send_phone_code(request: HttpRequest, member: UUID) -> HttpResponse:
    """A code to the number the member has now."""
    found = member_or_404(request, member)
    try:
        verification.ask_code(
            phone=found.phone,
            purpose=CodePurpose.CHANGE_PHONE,
            language=found.language,
            store=access_of(request).store,
            at=timezone.now(),
            ip=None,
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("A code is on its way to the old number."))
    return HttpResponseRedirect(reverse("staff:change_phone", args=[found.public_id]))


@require_POST
@needs(*AT_TILL)
def stop_phone_change(request: HttpRequest, change: UUID) -> HttpResponse:
    """The old number stays."""
    mine = PhoneChange.objects.filter(member__in=visible_members(access_of(request))).select_related("member")
    waiting = get_object_or_404(mine, public_id=change)
    try:
        phone_changes.stop(actor=access_of(request).actor, at=timezone.now(), change=waiting)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The change was stopped. The old number stays."))
    return _back(waiting.member)


@never_cache
@require_http_methods(["GET", "POST"])
@needs(*IN_CHARGE)
def merge_member(request: HttpRequest, member: UUID) -> HttpResponse:
    """Find the other one, see both side by side with what moves, then make them one. `member` is kept."""
    kept = member_or_404(request, member)
    query = clean_query(request.GET.get("q", ""))
    others = [one for one in find(visible_members(access_of(request)), query) if one.pk != kept.pk]
    other = _other(request, kept)
    form, asking = ReasonForm(request.POST or None), None
    if other and _is_sent(request, form):
        is_done, asking = _attempt_or_ask(
            request, form, lambda access: _merge(access, request, kept, other, form)
        )
        if is_done:
            messages.success(request, _("They are one member now. For seven days this can be undone."))
            return _back(kept)
    context = {
        "query": query,
        "others": others,
        "other": other,
        "preview": merging.preview(kept=kept, merged=other, at=timezone.now()) if other else None,
        "merges": merging.standing_merges(kept),
        "once": request.POST.get("once") or uuid.uuid4(),
        "asking": asking,
    }
    return _show(request, "person_merge", kept, form, context)


@require_POST
@needs(*IN_CHARGE)
def undo_merge(request: HttpRequest, merge: UUID) -> HttpResponse:
    """Two members again."""
    access = access_of(request)
    mine = Merge.objects.filter(kept__in=visible_members(access)).select_related("kept", "merged")
    done = get_object_or_404(mine, public_id=merge)
    try:
        merging.undo(actor=access.actor, at=timezone.now(), store=access.store, done=done)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("They are two members again."))
    return _back(done.kept)


@never_cache
@require_http_methods(["GET", "POST"])
@needs(*IN_CHARGE)
def erase_member(request: HttpRequest, member: UUID) -> HttpResponse:
    """What is left, what has to be ended first, and the last question."""
    found = member_or_404(request, member)
    form = EraseForm(request.POST or None)
    if _is_sent(request, form) and _attempt(form, lambda: _erase(request, found, form)):
        messages.success(request, _("The member is forgotten. The amounts stay under the member number."))
        return HttpResponseRedirect(reverse("staff:member_list"))
    context = {"preview": erasing.preview(found, timezone.now()), "wish": erasing.wish_of(found)}
    return _show(request, "person_erase", found, form, context)


def _change(request: HttpRequest, member: Member, form: PhoneChangeForm) -> None:
    access, data = access_of(request), form.cleaned_data
    is_confirmed = bool(data["code"]) and _is_right(member, data["code"])
    if data["code"] and not is_confirmed:
        raise phone_changes.PhoneChangeForbidden(
            _("This is not the code, or it is no longer valid."), field="code"
        )
    change = phone_changes.change_phone(
        actor=access.actor,
        key=f"phone:{_once(request)}",
        at=timezone.now(),
        store=access.store,
        member=member,
        phone=data["phone"],
        reason=data["reason"],
        is_confirmed_by_old=is_confirmed,
    )
    words = (
        _("The number is changed.")
        if change.ended_at
        else _("The old number was told. It changes in 24 hours.")
    )
    messages.success(request, words)


def _is_right(member: Member, code: str) -> bool:
    return verification.check_code(
        phone=member.phone,
        purpose=CodePurpose.CHANGE_PHONE,
        code=code.strip(),
        at=timezone.now(),
        ip=None,
    ).is_right


def _merge(access: Access, request: HttpRequest, kept: Member, other: Member, form: ReasonForm) -> None:
    merging.merge(
        actor=access.actor,
        key=_once(request),
        at=timezone.now(),
        store=access.store,
        kept=kept,
        merged=other,
        reason=form.cleaned_data["reason"],
    )


def _erase(request: HttpRequest, member: Member, form: EraseForm) -> None:
    access, data = access_of(request), form.cleaned_data
    erasing.erase(
        actor=access.actor,
        at=timezone.now(),
        store=access.store,
        member=member,
        reason=data["reason"],
        forfeits_value=data["forfeits_value"],
    )


def _is_sent(request: HttpRequest, form: forms.Form) -> bool:
    return request.method == "POST" and form.is_valid()


def _attempt(form: forms.Form, deed: Any) -> bool:
    """Do it; a refusal stands beside its field."""
    try:
        deed()
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return False
    return True


def _attempt_or_ask(
    request: HttpRequest, form: forms.Form, deed: Callable[[Access], None]
) -> tuple[bool, Asking | None]:
    """Do it, on the approval the form came with; above the person's limits, what a second one is asked."""
    access = replace(access_of(request), approval=request.POST.get("approval", "")[:36])
    asking = shown_approval(request, access)
    try:
        deed(access)
    except ApprovalRequired as above:
        return False, asked_for_approval(request, access, above, timezone.now())
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        is_over = isinstance(refused, ApprovalInvalid) and not refused.is_open
        return False, None if is_over else asking
    return True, None


def _other(request: HttpRequest, kept: Member) -> Member | None:
    """The member named by the address, if this person may see one."""
    try:
        wanted = UUID(request.GET.get("other", ""))
    except ValueError:
        return None
    return member_or_404(request, wanted) if wanted != kept.public_id else None


def _once(request: HttpRequest) -> str:
    """The form's own key, so that a double click is one deed; a new one when it is none of ours."""
    try:
        return str(UUID(request.POST.get("once", "")))
    except ValueError:
        return str(uuid.uuid4())


def _back(member: Member) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("staff:member_detail", args=[member.public_id]))


def _show(
    request: HttpRequest, template: str, member: Member, form: forms.Form, context: dict[str, Any]
) -> HttpResponse:
    status = 422 if form.is_bound and (form.errors or context.get("asking")) else 200
    return page(request, f"staff/{template}.html", {"member": member, "form": form, **context}, status)
