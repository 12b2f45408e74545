"""Searching texts: one box and some filters, each of which an index or a range of days answers."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Run
from crm.staff.access import Access, access_of
from crm.staff.fields import DayField
from crm.staff.finding import clean_query, full_phone
from members.domain.enrolment import phone_hash
from members.models import Member, Store
from members.phones import same_number_digits
from messaging.enums import Cause, MessageClass
from messaging.models import Gateway, Message, SubmittedPart
from messaging.states import Reason, State

MEMBERS_MAX = 200
RUNS_MAX = 200
DAYS_AT_FIRST = 31

GROUPS = {
    "moving": (
        _("On the way"),
        (State.HELD, State.QUEUED, State.SUBMITTING, State.ACCEPTED, State.RETRY_WAIT, State.UNCERTAIN),
    ),
    "failed": (_("Failed"), (State.UNDELIVERED, State.REJECTED, State.NO_RECEIPT, State.UNKNOWN)),
    "unsent": (
        _("Not sent, of any kind"),
        (State.SUPPRESSED, State.EXPIRED, State.CANCELLED, State.QUARANTINED),
    ),
}


class MessageFilter(forms.Form):
    """What the page is narrowed to; everything stands in the address."""

    q = forms.CharField(
        required=False,
        max_length=80,
        label=_("Search"),
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": _("Phone or number"),
            }
        ),
    )
    state = forms.ChoiceField(
        required=False,
        label=_("State"),
        choices=[("", _("All")), *((key, label) for key, (label, _states) in GROUPS.items()), *State.choices],
    )
    reason = forms.ChoiceField(
        required=False, label=_("Reason"), choices=[("", _("All")), *[c for c in Reason.choices if c[0]]]
    )
    message_class = forms.ChoiceField(
        required=False, label=_("Class"), choices=[("", _("All")), *MessageClass.choices]
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.none(),
        required=False,
        label=_("Campaign"),
        to_field_name="public_id",
        empty_label=_("All"),
    )
    store = forms.ModelChoiceField(
        Store.objects.none(),
        required=False,
        label=_("Store"),
        to_field_name="public_id",
        empty_label=_("This store"),
    )
    since = DayField(required=False, label=_("From day"))
    until = DayField(required=False, label=_("To day"))

    def __init__(self, asked: Any, *, access: Access) -> None:
        super().__init__(asked, auto_id="filter_%s")
        own = Store.objects.filter(pk__in=access.store_ids)
        self.fields["store"].queryset = own  # type: ignore[attr-defined]
        self.fields["campaign"].queryset = Campaign.objects.filter(store__in=own).order_by("-pk")  # type: ignore[attr-defined]
        for name in ("state", "reason", "message_class", "campaign", "store"):
            self.fields[name].widget.attrs["data-autosubmit"] = ""
        self.is_valid()

    def asked(self, name: str) -> Any:
        return self.cleaned_data.get(name)

    @property
    def is_narrowed(self) -> bool:
        return any(self.asked(name) for name in self.fields)


def searched(request: HttpRequest) -> tuple[MessageFilter, QuerySet[Message]]:
    """The filter of the address and the texts it leaves, newest first; only of the person's stores.

    Without a search and without days it is the last month: an old text is found by its number, its phone or its day.
    """
    access = access_of(request)
    form = MessageFilter(request.GET, access=access)
    rows = Message.objects.filter(store=form.asked("store") or access.store)
    query = clean_query(form.asked("q") or "")
    if query:
        rows = Message.objects.filter(
            store__in=[form.asked("store")] if form.asked("store") else access.store_ids
        )
        rows = rows.filter(_meant(query, access))
    if campaign := form.asked("campaign"):
        runs = Run.objects.filter(campaign=campaign).order_by("-pk").values_list("pk", flat=True)[:RUNS_MAX]
        rows = rows.filter(cause=Cause.RUN, cause_id__in=list(runs))
    if state := form.asked("state"):
        rows = rows.filter(state__in=GROUPS[state][1] if state in GROUPS else [state])
    if reason := form.asked("reason"):
        rows = rows.filter(reason=reason)
    if message_class := form.asked("message_class"):
        rows = rows.filter(message_class=message_class)
    return form, _in_days(rows, form, access, is_free=bool(query or campaign)).order_by("-pk")


def _in_days(
    rows: QuerySet[Message], form: MessageFilter, access: Access, *, is_free: bool
) -> QuerySet[Message]:
    zone = access.store.zone
    since, until = form.asked("since"), form.asked("until")
    if since:
        rows = rows.filter(created_at__gte=datetime.combine(since, time.min, zone))
    elif not is_free:
        end = datetime.combine(until, time.min, zone) if until else timezone.now()
        rows = rows.filter(created_at__gte=end - timedelta(days=DAYS_AT_FIRST))
    if until:
        rows = rows.filter(created_at__lt=datetime.combine(until + timedelta(days=1), time.min, zone))
    return rows


def _meant(query: str, access: Access) -> Q:
    """What a search text stands for: the number of a text, a phone, its last digits, a carrier's id; else a name."""
    if (public_id := _uuid(query)) is not None:
        return Q(public_id=public_id)
    by_carrier = list(
        SubmittedPart.objects.filter(
            gateway__in=list(Gateway.objects.values_list("pk", flat=True)), provider_id=query
        ).values_list("message_id", flat=True)[:MEMBERS_MAX]
    )
    if by_carrier:
        return Q(pk__in=by_carrier)
    if phone := full_phone(query):
        member = Member.objects.filter(phone_hash=phone_hash(phone)).values_list("pk", flat=True)
        return (
            Q(member__in=list(member))
            | Q(member=None, phone_hash=phone_hash(phone))
            | Q(message_class=MessageClass.MARKETING, phone_hash=phone_hash(phone))
        )
    digits = same_number_digits(query)
    people = Member.objects.filter(Q(phone__endswith=digits) if len(digits or "") >= 4 else Q(name=query))
    return Q(member__in=list(people.order_by("-pk").values_list("pk", flat=True)[:MEMBERS_MAX]))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
