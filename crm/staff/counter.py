"""The deeds at the till, one class each: asked, foretold, done once, shown.

Every form carries one idempotency key from its first showing. The same key again shows the first outcome; the same
key for something else is refused with the way to what was done. What a rule refuses stands beside its field (422).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views import View

from crm.shell.formats import money_exponent
from crm.staff.access import AT_TILL, access_of, needs, page
from crm.staff.asking import asked_for_approval, shown_approval
from crm.staff.forms import DeedForm, OpenCardForm, RechargeForm, RedeemForm
from crm.staff.holdings import holdings_of
from crm.staff.telling import foretell
from crm.staff.till import card_or_404, member_or_404, outcome_context, show_member
from members.amounts import InvalidAmount, parse_minor, plain_minor
from members.domain.cards import open_card, recharge_card
from members.domain.deeds import Outcome
from members.domain.ledger import ApprovalInvalid, ApprovalRequired, IdempotencyConflict, TenderPaid
from members.domain.plans import plans_for
from members.domain.rewards import redeem_points
from members.enums import OperationKind, Role
from members.models import Operation
from members.refusals import Refused

QUICK_AMOUNTS = (100, 200, 500, 1000)  # whole units, on the keypad
_ONCE = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_ONCE_MISSING = _("This form is incomplete. Open it again and repeat your entry; nothing was charged.")


def once_key(request: HttpRequest) -> str:
    """The form's idempotency key, or nothing when it is missing or no key of ours."""
    key = request.POST.get("idempotency_key", "")
    return key if _ONCE.fullmatch(key) else ""


class Deed(View):
    """What the deeds share. A subclass names its form and template and makes the one domain call in `do`."""

    http_method_names = ["get", "post", "options"]
    form_class: type[DeedForm]
    template = ""
    forecast_template = "staff/_forecast.html"
    kind: OperationKind
    roles: tuple[Role, ...] = AT_TILL
    asked: tuple[str, ...] = ()  # posted fields that must be those of the earlier deed for a replay
    is_forecast = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return needs(*self.roles)(self._begin)(request, *args, **kwargs)

    def _begin(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        access, self.at = access_of(request), timezone.now()
        self.access = replace(access, approval=request.POST.get("approval", "")[:36])
        self.find(request, **kwargs)
        return super().dispatch(request)

    def find(self, request: HttpRequest, card: UUID) -> None:
        """Look up what the address names, within what this person may see; else 404."""
        self.card = card_or_404(request, card)
        self.member = self.card.member

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, empty."""
        return self.show(self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Foretell, or do it once."""
        form = self.form(request.POST)
        return self.forecast(form) if self.is_forecast else self.perform(form, once_key(request))

    def form(self, data: Any = None) -> Any:
        return self.form_class(data, **self.form_options())

    def form_options(self) -> dict[str, Any]:
        return {}

    def do(self, form: Any, key: str) -> Outcome:
        """The one domain call."""
        raise NotImplementedError

    def context(self, form: Any) -> dict[str, Any]:
        """What the form's template needs besides the form."""
        return {}

    def perform(self, form: Any, once: str) -> HttpResponse:
        """Do it, or show the earlier outcome of this key, or say why not."""
        if not once:
            form.refuse(_ONCE_MISSING, "")
            return self.show(form, status=422)
        if earlier := self.earlier(once):
            return self.again(form, earlier)
        if not form.is_valid():
            earlier = self.earlier(once)
            return self.again(form, earlier) if earlier else self.show(form, status=422)
        try:
            outcome = self.do(form, f"till:{once}")
        except ApprovalRequired as refusal:
            return self.show(
                form, status=422, asking=asked_for_approval(self.request, self.access, refusal, self.at)
            )
        except ApprovalInvalid as refusal:
            form.refuse(refusal.message, "")
            return self.show(form, status=422, **({} if refusal.is_open else {"asking": None}))
        except IdempotencyConflict:
            return self.again(form, self.earlier(once))
        except Refused as refusal:
            form.refuse(refusal.message, refusal.field)
            return self.show(form, status=422)
        return self.done(outcome.operation)

    def earlier(self, once: str) -> Operation | None:
        """What this form has done already."""
        deeds = Operation.objects.select_related(
            "member__home_store", "member__facts", "card", "store", "staff", "reverses"
        )
        return deeds.filter(scope=self.access.actor.scope, key=f"till:{once}").first()

    def again(self, form: Any, earlier: Operation | None) -> HttpResponse:
        """The first outcome for the same request; for another one a refusal that leads to it."""
        if earlier and self._is_same(form, earlier):
            return self.done(earlier)
        form.refuse(_("This form has already done something else. Look at it before you start again."), "")
        return self.show(form, status=422, conflict=earlier)

    def _is_same(self, form: Any, earlier: Operation) -> bool:
        card = getattr(self, "card", None)
        if (earlier.kind, earlier.member_id) != (self.kind, self.member.pk):
            return False
        if card and earlier.card_id not in (None, card.pk):
            return False
        taken_back = form.data.get("operation")
        if taken_back and str(earlier.reverses and earlier.reverses.public_id) != taken_back:
            return False
        if any(str(earlier.request.get(name) or "") != form.data.get(name, "") for name in self.asked):
            return False
        try:
            typed = parse_minor(form.data.get("amount"), exponent=money_exponent())
            return typed == (earlier.request.get("amount") or earlier.amount_minor)
        except InvalidAmount:
            return True

    def done(self, operation: Operation) -> HttpResponse:
        """The panel with the new balances and the outcome in it."""
        if not self.request.htmx:  # type: ignore[attr-defined]
            return HttpResponseRedirect(reverse("staff:till_operation", args=[operation.public_id]))
        card = operation.card or self.opened_card(operation)
        context = outcome_context(operation)
        member = member_or_404(self.request, self.member.public_id)  # the deed has moved its facts
        response = show_member(
            self.request, member, card=card, deed_template="staff/_outcome.html", **context
        )
        response["HX-Retarget"], response["HX-Reswap"] = "#desk", "innerHTML"
        response["HX-Trigger-After-Settle"] = "till-done"
        return response

    def opened_card(self, operation: Operation) -> Any:
        """The card to show when the deed itself names none."""
        return None

    def show(self, form: Any, status: int = 200, **more: Any) -> HttpResponse:
        """The form in its place, with everything that was typed and the key it came with."""
        context = {
            "form": form,
            "asking": shown_approval(self.request, self.access),
            "once": once_key(self.request),
            "member": self.member,
            "card": getattr(self, "card", None),
            "deed_url": self.request.path,
            **self.context(form),
            **more,
        }
        if self.request.htmx:  # type: ignore[attr-defined]
            return page(self.request, self.template, context, status)
        return show_member(
            self.request,
            context.pop("member"),
            card=context.pop("card"),
            deed_template=self.template,
            status=status,
            **context,
        )

    def forecast(self, form: Any) -> HttpResponse:
        """What would happen, in money and in words to the member; nothing stays of it."""
        context: dict[str, Any] = {"kind": self.kind}
        if form.is_valid():
            try:
                context["told"] = foretell(lambda key: self.do(form, key))
            except Refused as refusal:
                context["refusal"] = refusal.message
        return page(self.request, self.forecast_template, context)


class PaidDeed(Deed):
    """One that is paid by one tender: another payment is another deed."""

    asked: tuple[str, ...] = ("tender",)

    def _is_same(self, form: Any, earlier: Operation) -> bool:
        reference = form.data.get("reference", "").strip()
        return super()._is_same(form, earlier) and earlier.tenders.filter(reference=reference).exists()


class RechargeCard(PaidDeed):
    """Money onto the card, by a plan or in any amount."""

    form_class, template, kind = RechargeForm, "staff/_deed_recharge.html", OperationKind.RECHARGE
    asked = ("plan", "tender")

    def form_options(self) -> dict[str, Any]:
        return {"store": self.access.store}

    def context(self, form: Any) -> dict[str, Any]:
        priced = [
            {
                "plan": offer.plan,
                "price": plain_minor(offer.plan.pay_minor, exponent=money_exponent()),
                "refusal": offer.refusal,
            }
            for offer in plans_for(self.card, self.access.store, at=self.at)
        ]
        return {"plans": priced, "chosen": form.data.get("plan", ""), "quick": QUICK_AMOUNTS}

    def do(self, form: Any, key: str) -> Outcome:
        data = form.cleaned_data
        return recharge_card(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            card=self.card,
            tender=TenderPaid(data["tender"], data["amount"], data["reference"]),
            plan=data["plan"],
        )


class RedeemPoints(Deed):
    """Points for a reward."""

    form_class, template, kind = RedeemForm, "staff/_deed_redeem.html", OperationKind.REDEEM
    asked = ("reward",)

    def form_options(self) -> dict[str, Any]:
        return {"store": self.access.store}

    def context(self, form: Any) -> dict[str, Any]:
        points = holdings_of(self.member, at=self.at).points
        rewards = list(form.fields["reward"].queryset)
        return {
            "points": points,
            "rewards": [{"reward": reward, "missing": max(reward.points - points, 0)} for reward in rewards],
            "may_redeem": any(reward.points <= points for reward in rewards),
            "chosen": form.data.get("reward", ""),
        }

    def do(self, form: Any, key: str) -> Outcome:
        return redeem_points(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            card=self.card,
            reward=form.cleaned_data["reward"],
        )


class OpenCard(Deed):
    """A new card for a member."""

    form_class, template, kind = OpenCardForm, "staff/_deed_open.html", OperationKind.OPEN_CARD
    forecast_template = "staff/_forecast_open.html"
    asked = ("product",)

    def find(self, request: HttpRequest, member: UUID) -> None:  # type: ignore[override]
        self.member = member_or_404(request, member)

    def context(self, form: Any) -> dict[str, Any]:
        return {"products": list(form.fields["product"].queryset), "chosen": form.data.get("product", "")}

    def do(self, form: Any, key: str) -> Outcome:
        _card, outcome = open_card(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            member=self.member,
            product=form.cleaned_data["product"],
        )
        return outcome

    def opened_card(self, operation: Operation) -> Any:
        return self.member.cards.filter(opened_at=operation.at).last()
