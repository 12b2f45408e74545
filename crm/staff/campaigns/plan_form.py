"""The plan of a campaign as it is typed: read, checked field by field, compared with what is kept.

A draft saves itself while it is written, so one field that makes no sense must not hold up the others: it keeps its
earlier value until it does. A text is kept as typed, broken or not.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.domain.audiences import DAYS_MAX, Audience
from campaigns.domain.drafting import wording_of
from campaigns.enums import CampaignKind, Timing
from campaigns.models import Campaign
from crm.shell.formats import money_exponent
from crm.staff.fields import AmountField, TagsField
from members.amounts import plain_minor
from members.models import Tier

TEXT_FIELDS = {"text_en": "en", "text_zh": "zh-hans"}
AMOUNTS = ("spend_min_minor", "balance_min_minor")
CRITERIA = (
    "not_seen_days",
    "seen_days",
    "visits_min",
    *AMOUNTS,
    "tags",
    "tier",
    "birthday_month",
    "language",
    "only_consenting",
)
TIMES = ("timing", "start_on", "end_on", "at_time")
TEXT_MAX = 1000
RECURRING = (Timing.DAILY, Timing.WEEKLY, Timing.MONTHLY)


class DaysField(forms.CharField):
    """A whole number in any digits, or nothing."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def __init__(self, *, largest: int, smallest: int = 0, **kwargs: Any) -> None:
        self.smallest, self.largest = smallest, largest
        super().__init__(required=False, max_length=20, **kwargs)

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        text = super().clean(value)
        if not text:
            return None
        if not text.isdecimal():
            raise forms.ValidationError(gettext_lazy("This must be a whole number."), code="invalid")
        MinValueValidator(self.smallest)(int(text))
        MaxValueValidator(self.largest)(int(text))
        return int(text)


class PlanForm(forms.Form):
    """Purpose, who, what and when of one draft."""

    use_required_attribute = False

    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    not_seen_days = DaysField(largest=DAYS_MAX, label=gettext_lazy("Not seen for"))
    seen_days = DaysField(smallest=1, largest=DAYS_MAX, label=gettext_lazy("Seen in the last"))
    visits_min = DaysField(largest=10**6, label=gettext_lazy("Came at least"))
    spend_min_minor = AmountField(required=False, label=gettext_lazy("Spent at least"))
    balance_min_minor = AmountField(required=False, label=gettext_lazy("On the card at least"))
    tags = TagsField(
        required=False, label=gettext_lazy("Tagged"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    tier = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label=gettext_lazy("Tier at least")
    )
    birthday_month = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", gettext_lazy("Any month")), *MONTHS.items()],
        label=gettext_lazy("Birthday in"),
    )
    language = forms.ChoiceField(required=False, label=gettext_lazy("Reads"))
    only_consenting = forms.BooleanField(
        required=False, label=gettext_lazy("Only members who agreed to marketing texts")
    )
    text_en = forms.CharField(
        required=False, max_length=TEXT_MAX, label=gettext_lazy("Text in English"), widget=forms.Textarea
    )
    text_zh = forms.CharField(
        required=False, max_length=TEXT_MAX, label=gettext_lazy("Text in Chinese"), widget=forms.Textarea
    )
    timing = forms.ChoiceField(label=gettext_lazy("When"), widget=forms.RadioSelect)
    start_on = forms.DateField(required=False, label=gettext_lazy("First day"))
    end_on = forms.DateField(required=False, label=gettext_lazy("Last day"))
    at_time = forms.TimeField(required=False, label=gettext_lazy("Time of day"))

    def __init__(self, data: Any = None, *, campaign: Campaign) -> None:
        self.campaign = campaign
        super().__init__(data, initial=shown(values_of(campaign)))
        self.fields["tier"].choices = [  # type: ignore[attr-defined]
            ("", gettext_lazy("Any tier, or none")),
            *Tier.objects.filter(scheme__is_active=True).order_by("threshold").values_list("pk", "name"),
        ]
        everybody = [("", gettext_lazy("Any language"))]
        self.fields["language"].choices = [*everybody, *settings.LANGUAGES]  # type: ignore[attr-defined]
        self.fields["timing"].choices = timings_of(campaign)  # type: ignore[attr-defined]
        for name, kind in (("start_on", "date"), ("end_on", "date"), ("at_time", "time")):
            written = "%Y-%m-%d" if kind == "date" else "%H:%M"
            widget = forms.DateInput if kind == "date" else forms.TimeInput
            self.fields[name].widget = widget(format=written, attrs={"type": kind})
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"error-{name}"
        for name, language in TEXT_FIELDS.items():
            self.fields[name].widget.attrs |= {"lang": language, "rows": 4}

    def clean_text_en(self) -> str:
        return _one_kind_of_line_end(self.cleaned_data["text_en"])

    def clean_text_zh(self) -> str:
        return _one_kind_of_line_end(self.cleaned_data["text_zh"])

    def clean(self) -> dict[str, Any]:
        """Refuse what contradicts itself: nobody could ever match it, or it could never run."""
        cleaned = super().clean() or {}
        away, seen = cleaned.get("not_seen_days"), cleaned.get("seen_days")
        if away is not None and seen is not None and away >= seen:
            self.add_error("seen_days", _("Nobody is both: not seen for that long, and seen since then."))
        first, last = cleaned.get("start_on"), cleaned.get("end_on")
        if first and last and last < first:
            self.add_error("end_on", _("The last day is before the first."))
        return cleaned

    def plan(self) -> Plan:
        """What is typed, with the kept value for every field that is wrong."""
        self.is_valid()
        values = values_of(self.campaign) | self.cleaned_data
        asked = {name: values[name] for name in CRITERIA if values[name] not in (None, "", [], False)}
        wording = {language: values[name] for name, language in TEXT_FIELDS.items() if values[name].strip()}
        return Plan(
            audience=Audience.from_json(asked),
            wording=wording,
            changes={name: values[name] for name in ("name", *TIMES)},
        )


@dataclass(frozen=True)
class Plan:
    """What `drafting.save_plan` keeps."""

    audience: Audience
    wording: dict[str, str]
    changes: dict[str, Any]


def timings_of(campaign: Campaign) -> list[tuple[str, Any]]:
    """A programme comes round; a push may also go out once."""
    allowed = RECURRING if campaign.kind == CampaignKind.WAKEUP else tuple(Timing)
    return [(timing.value, timing.label) for timing in allowed]


def values_of(campaign: Campaign) -> dict[str, Any]:
    """The kept plan by form field."""
    audience = Audience.from_json(campaign.audience)
    criteria = {name: getattr(audience, name) for name in CRITERIA}
    wording = wording_of(campaign)
    texts = {name: wording.get(language, "") for name, language in TEXT_FIELDS.items()}
    times = {name: getattr(campaign, name) for name in TIMES}
    return {"name": campaign.name, **criteria, "tags": list(audience.tags), **texts, **times}


def shown(values: dict[str, Any]) -> dict[str, Any]:
    """The same as it stands in the inputs: money as a plain amount."""
    exponent = money_exponent()
    amounts = {
        name: "" if values[name] is None else plain_minor(values[name], exponent=exponent) for name in AMOUNTS
    }
    return values | amounts


def print_of(campaign: Campaign) -> str:
    """A short print of the kept plan: another print, another plan. Pages carry it to notice what others saved."""
    said = [campaign.name, campaign.audience, wording_of(campaign)]
    said += [str(getattr(campaign, name)) for name in TIMES]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
