"""Value a member passes on from their own phone: what, how much, to whose number, with the code of their own number.

Whether the number is a member's is never said: the offer is made, shown and runs out alike.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm.portal.access import PortalRequest, member_required, page
from crm.portal.codes import check_code, send_code
from crm.portal.forms import CodeForm, PhoneForm
from crm.shell.fields import AmountField
from members.domain import transfers
from members.domain.ledger import Actor
from members.domain.payments import CodeRequired
from members.enums import CardStatus
from members.models import Card, Member, Transfer
from members.phones import mask
from members.refusals import Refused
from messaging.domain import verification
from messaging.enums import CodePurpose

PORTAL = Actor("portal")


class WrongCode(Refused):
    """Not the code of the member's number, or not any more."""

    code = "code_wrong"
    field = "code"


class CardField(forms.ModelChoiceField):
    """A card as its holder knows it, not the whole number."""

    def label_from_instance(self, card: Any) -> str:
        return f"{card.product.name} …{card.number[-4:]}"


class PassOnForm(PhoneForm, CodeForm):
    """What is passed on, and to whose number. The code comes last, once it was sent."""

    card = CardField(
        Card.objects.none(),
        label=gettext_lazy("From which card?"),
        to_field_name="public_id",
        empty_label=None,
        error_messages={"invalid_choice": gettext_lazy("This card cannot be used. Ask at the till.")},
    )
    amount = AmountField(label=gettext_lazy("Stored value"), required=False)
    services = forms.IntegerField(label=gettext_lazy("Services"), required=False, min_value=0, max_value=1000)
    points = forms.IntegerField(label=gettext_lazy("Points"), required=False, min_value=0, max_value=10**9)
    note = forms.CharField(label=gettext_lazy("A word with it"), max_length=120, required=False)
    field_order = ("card", "amount", "services", "points", "phone", "note", "code")

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Card.objects.filter(member=member, status=CardStatus.ACTIVE)
        self.fields["card"].queryset = own.select_related("product").order_by("-id")  # type: ignore[attr-defined]
        self.fields["phone"].label = gettext_lazy("The receiver’s mobile number")
        self.fields["phone"].help_text = ""
        self.fields["phone"].error_messages["required"] = gettext_lazy("Enter the receiver’s mobile number.")
        self.fields["code"].required = False
        for name in ("phone", "code"):
            self.fields[name].widget.attrs.pop("autofocus", None)
        for name in ("services", "points"):
            self.fields[name].widget.attrs.update(inputmode="numeric", autocomplete="off")

    def ask_code(self) -> None:
        """A code was sent: the page waits for it, and for nothing else."""
        self.fields["code"].required = True
        self.fields["code"].widget.attrs["autofocus"] = True

    def clean_code(self) -> str:
        return super().clean_code() if self.cleaned_data["code"] else ""


@require_http_methods(["GET", "POST"])
@member_required
def pass_on(request: PortalRequest) -> HttpResponse:
    """Say what and to whom, have a code sent, offer it with the code. The same form again is the same offer."""
    member = request.member
    form = PassOnForm(request.POST or None, member=member, initial={"card": request.GET.get("card")})
    is_sent = "code" in request.POST
    if request.method == "POST" and form.is_valid():
        try:
            if offer := _offer(request, form):
                messages.success(request, _("Your offer is made. It can be taken within three days."))
                return redirect("portal:transfer", public_id=offer.public_id)
            is_sent = True
        except Refused as refused:
            _tell(form, refused)
    if is_sent:
        form.ask_code()
    context = {"form": form, "is_sent": is_sent, "once": _once(request), "kinds": _kinds(form)}
    return page(request, "transfer_new", context, status=422 if form.errors else 200)


def _offer(request: PortalRequest, form: PassOnForm) -> Transfer | None:
    """The offer, or nothing once a code was sent. All that can be refused is refused before a code costs anything."""
    try:
        return _propose(request, form, is_confirmed=False)
    except CodeRequired:
        pass
    if request.POST.get("do") == "code":
        send_code(request, CodePurpose.PASS_ON)
        messages.success(request, _("A code is on its way to your number."))
        return None
    if _is_right(request, form.cleaned_data["code"]):
        return _propose(request, form, is_confirmed=True)
    try:  # a second press of the same form: the code is used, the offer stands
        return _propose(request, form, is_confirmed=False)
    except CodeRequired:
        raise WrongCode(_("This code is wrong or no longer valid. Ask for a new one.")) from None


def _propose(request: PortalRequest, form: PassOnForm, *, is_confirmed: bool) -> Transfer:
    data = form.cleaned_data
    return transfers.propose(
        actor=PORTAL,
        key=f"pass_on:{request.member.pk}:{_once(request)}",
        at=timezone.now(),
        store=request.member.home_store,
        card=data["card"],
        receiver=Member.objects.current().filter(phone=data["phone"]).first(),
        to_number=mask(data["phone"]),
        amount_minor=data["amount"] or 0,
        services=data["services"] or 0,
        points=data["points"] or 0,
        note=data["note"],
        is_confirmed=is_confirmed,
    )


def _is_right(request: PortalRequest, code: str) -> bool:
    if not code:
        raise WrongCode(_("Enter the code from the text message."))
    return check_code(request, request.member.phone, CodePurpose.PASS_ON, code).is_right


def _tell(form: PassOnForm, refused: Refused) -> None:
    field = {"receiver": "phone", "count": "services"}.get(refused.field, refused.field)
    is_of_code = isinstance(refused, verification.TryLater)
    form.add_error("code" if is_of_code else field if field in form.fields else None, str(refused))


def _kinds(form: PassOnForm) -> set[str]:
    """Of what the member has cards: an amount is asked, services, or both."""
    cards = form.fields["card"].queryset  # type: ignore[attr-defined]
    return {card.product.kind for card in cards}


def _once(request: PortalRequest) -> str:
    try:
        return str(UUID(request.POST.get("once", "")))
    except ValueError:
        return str(uuid4())
