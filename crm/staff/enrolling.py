"""Enrolling at the till: a phone, a name, two separate words of consent under a numbered wording."""

from __future__ import annotations

from typing import Any

from constance import config
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views import View

from crm.staff.access import AT_TILL, access_of, needs, page
from crm.staff.counter import once_key
from crm.staff.forms import EnrolForm, OpenCardForm
from crm.staff.telling import foretell_event
from crm.staff.till import live_texts, show_desk, show_member
from members.domain.enrolment import Consents, PhoneTaken, enrol_member
from members.enums import ConsentSource
from members.models import CardProduct, Member, MembershipEvent
from members.refusals import Refused


class Enrol(View):
    """The enrolment form, its forecast (the welcome text) and the deed."""

    http_method_names = ["get", "post", "options"]
    is_forecast = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return needs(*AT_TILL)(super().dispatch)(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, with the number that was searched for filled in."""
        store = access_of(request).store
        given = {"phone": request.GET.get("phone", "")[:40], "language": store.language}
        return self.show(EnrolForm(initial=given))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Foretell the welcome text, or enrol once."""
        form = EnrolForm(request.POST)
        if self.is_forecast:
            return self.forecast(form)
        once = once_key(request)
        if not form.is_valid() or not once:
            return self.show(form, status=422)
        try:
            member = self.enrol(form, f"till:{once}")
        except PhoneTaken as refusal:
            owner = self.already(form)
            form.refuse(refusal.message, refusal.field)
            return self.show(form, status=422, taken_by=owner)
        except Refused as refusal:
            form.refuse(refusal.message, refusal.field)
            return self.show(form, status=422)
        return self.done(member)

    def enrol(self, form: EnrolForm, key: str) -> Member:
        data, access = form.cleaned_data, access_of(self.request)
        return enrol_member(
            actor=access.actor,
            key=key,
            at=timezone.now(),
            store=access.store,
            phone=data["phone"],
            consents=Consents(data["service"], data["marketing"], config.CONSENT_WORDING, ConsentSource.TILL),
            name=data["name"],
            language=data["language"],
            birthday=data["birthday"],
        )

    def already(self, form: EnrolForm) -> Member | None:
        """The member with this number, if this person may see them."""
        visible = Member.objects.visible_to(access_of(self.request).staff)
        return visible.filter(phone=form.cleaned_data.get("phone", "")).first()

    def done(self, member: Member) -> HttpResponse:
        """The new member's panel, with the way to a first card open in it."""
        if not self.request.htmx:  # type: ignore[attr-defined]
            return HttpResponseRedirect(reverse("staff:till_member", args=[member.public_id]))
        event = member.events.filter(type="member_enrolled").first()
        context = live_texts(event) if event else {}
        response = show_member(
            self.request,
            member,
            deed_template="staff/_deed_open.html",
            form=OpenCardForm(),
            products=list(CardProduct.objects.filter(is_active=True)),
            deed_url=reverse("staff:open_card", args=[member.public_id]),
            is_enrolled=True,
            **context,
        )
        response["HX-Retarget"], response["HX-Reswap"] = "#desk", "innerHTML"
        return response

    def show(self, form: EnrolForm, status: int = 200, **more: Any) -> HttpResponse:
        context = {"form": form, "once": once_key(self.request), "wording": config.CONSENT_WORDING, **more}
        return show_desk(self.request, "staff/_enrol.html", context, status)

    def forecast(self, form: EnrolForm) -> HttpResponse:
        """The text an enrolment would send."""
        context: dict[str, Any] = {}
        if form.is_valid():
            try:
                context["texts"] = foretell_event(lambda key: self._enrolled(form, key))
            except Refused as refusal:
                context["refusal"] = refusal.message
        return page(self.request, "staff/_forecast_enrol.html", context)

    def _enrolled(self, form: EnrolForm, key: str) -> MembershipEvent | None:
        return self.enrol(form, key).events.filter(type="member_enrolled").first()
