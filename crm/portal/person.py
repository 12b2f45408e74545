"""What a member does about who they are: a new number by the code of the old one, a change stopped, being forgotten."""

from __future__ import annotations

from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm.portal.access import PortalRequest, member_required, page, see_out
from crm.portal.codes import check_code, send_code
from crm.portal.forms import CodeForm, PhoneForm
from members.domain import erasing, phone_changes
from members.domain.ledger import Actor
from members.refusals import Refused
from messaging.enums import CodePurpose

PORTAL = Actor("portal")


class NewPhoneForm(PhoneForm, CodeForm):
    """The new number and the code that came to the old one."""

    field_order = ("code", "phone")

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.fields["phone"].label = gettext_lazy("New mobile number")
        self.fields["phone"].help_text = ""
        self.fields["phone"].widget.attrs.pop("autofocus", None)


@require_http_methods(["GET", "POST"])
@member_required
def change_phone(request: PortalRequest) -> HttpResponse:
    """The code of the old number and the new number; then every log-in of the old one is over."""
    form = NewPhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _change(request, form)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            see_out(request)
            messages.success(request, _("Your number is changed. Log in with the new one."))
            return redirect("portal:login")
    context = {"form": form, "waiting": phone_changes.waiting_of(request.member), "once": uuid4()}
    return page(request, "phone", context, status=422 if form.errors else 200)


@require_POST
@member_required
def send_phone_code(request: PortalRequest) -> HttpResponse:
    """A code to the number the member has now."""
    try:
        send_code(request, CodePurpose.CHANGE_PHONE)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("A code is on its way to your present number."))
    return redirect("portal:change_phone")


@require_POST
@member_required
def stop_phone_change(request: PortalRequest) -> HttpResponse:
    """Whoever holds the old phone says no."""
    waiting = phone_changes.waiting_of(request.member)
    if waiting:
        phone_changes.stop(actor=PORTAL, at=timezone.now(), change=waiting)
        messages.success(request, _("The change is stopped. Your number stays. Please tell the shop."))
    return redirect("portal:preferences")


@require_POST
@member_required
def ask_erasure(request: PortalRequest) -> HttpResponse:
    """The wish to be forgotten, or the second thought about it."""
    wish = erasing.wish_of(request.member)
    if "withdraw" in request.POST:
        if wish:
            erasing.withdraw(at=timezone.now(), wish=wish)
        messages.success(request, _("You stay a member."))
    else:
        erasing.ask(actor=PORTAL, at=timezone.now(), member=request.member)
        messages.success(
            request, _("The shop has your wish. It is done once what is on your card is settled.")
        )
    return redirect("portal:preferences")


def _change(request: PortalRequest, form: forms.Form) -> None:
    at, data = timezone.now(), form.cleaned_data
    checked = check_code(request, request.member.phone, CodePurpose.CHANGE_PHONE, data["code"])
    if not checked.is_right:
        raise phone_changes.PhoneChangeForbidden(
            _("This code is wrong or no longer valid. Ask for a new one."), field="code"
        )
    phone_changes.change_phone(
        actor=PORTAL,
        key=f"phone:{request.member.pk}:{_once(request)}",
        at=at,
        store=request.member.home_store,
        member=request.member,
        phone=data["phone"],
        is_confirmed_by_old=True,
    )


def _once(request: PortalRequest) -> str:
    try:
        return str(UUID(request.POST.get("once", "")))
    except ValueError:
        return str(uuid4())
