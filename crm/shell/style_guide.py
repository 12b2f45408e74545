"""The living style page: every component once, with sample data, no database. At /style/ when DEBUG is on."""

from datetime import UTC, datetime
from typing import Any

import segno
from django import forms
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from messaging.states import State

NOW = datetime(2026, 11, 22, 6, 5, tzinfo=UTC)


class SampleForm(forms.Form):
    """One field of each kind, one of them wrong."""

    phone = forms.CharField(label=_("Phone"), help_text=_("With or without the country code."))
    amount = forms.CharField(label=_("Amount"))
    store = forms.ChoiceField(label=_("Store"), choices=[("1", "Jing'an 静安店"), ("2", "Xuhui 徐汇店")])
    tender = forms.ChoiceField(
        label=_("Paid with"), widget=forms.RadioSelect, choices=[("cash", _("Cash")), ("card", _("Card"))]
    )
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    marketing = forms.BooleanField(label=_("May be sent offers"), required=False)


class StyleGuide(TemplateView):
    """Shows the components to whoever builds or checks pages."""

    template_name = "staff/style_guide.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = SampleForm({"phone": "1381234", "amount": "500", "store": "1", "tender": "cash"})
        form.add_error("phone", _("This number is too short: 7 of 11 digits."))
        return super().get_context_data(**kwargs) | {
            "form": form,
            "moment": NOW,
            "states": list(State),
            "quick": [100, 200, 500, 1000],
            "steps": STEPS,
            "tabs": TABS,
            "entries": ENTRIES,
            "bubbles": BUBBLES,
            "chips": CHIPS,
            "trend": [12, 14, 9, 17, 21, 18, 26],
            "visits": [12, 14, 9, 17, 21, 18, 26, 30, 22, 19, 24, 33, 35, 28],
            "audience": {"label": _("In the audience"), "value": 2357, "url": "#waterfall"},
            "cuts": CUTS,
            "to_send": {"label": _("Will be sent"), "value": 1204},
            "money_rows": MONEY_ROWS,
            "qr": mark_safe(segno.make("REG-7F3K-20931").svg_inline(border=0, scale=1, omitsize=True)),  # noqa: S308
        }


STEPS = [
    {"label": _("Purpose"), "is_done": True, "url": "#"},
    {"label": _("Who"), "is_done": True, "url": "#"},
    {"label": _("What"), "is_current": True},
    {"label": _("When")},
    {"label": _("Pre-flight")},
]
TABS = [
    {"label": _("Statement"), "url": "#", "is_current": True, "icon": "receipt-text"},
    {"label": _("Timeline"), "url": "#", "icon": "activity", "count": 14},
    {"label": _("Consent"), "url": "#", "icon": "shield-check"},
    {"label": _("Notes"), "url": "#", "icon": "notebook-pen", "count": 2},
]
ENTRIES = [
    {"name": name, "phone": phone, "deed": deed, "amount": amount, "after": after, "state": state}
    for name, phone, deed, amount, after, state in [
        ("Ana Ruiz", "+8613812345678", _("Recharge"), 58000, 91250, "delivered"),
        ("王小明", "+8613900001111", _("Spend"), -12800, 33250, "accepted"),
        ("陈美玲", "+8615012349876", _("Spend"), -8800, 24450, "queued"),
        ("Priya Nair", "+6591234567", _("Refund"), 8800, 33250, "suppressed"),
    ]
]
RECHARGED = "【云裳美发】王女士，11月22日14:05充值500.00元，赠80.00元，余额912.50元。非本人请回复0。"
BUBBLES = [
    {"text": RECHARGED, "meta": "14:05"},
    {"text": "余额", "meta": "14:06", "is_mine": True},
    {"text": "【云裳美发】余额912.50元，积分1,280，剩余洗护4次。", "meta": "14:06"},
]
CHIPS = [
    {"label": _("First name"), "insert": "{first_name}", "sample": "Ana"},
    {"label": _("Balance"), "insert": "{balance}", "sample": "¥912.50"},
    {"label": _("Store"), "insert": "{store}", "sample": "Jing'an"},
]
CUTS = [
    {
        "label": _("No marketing consent"),
        "value": 731,
        "note": _("Never asked: 640. Withdrawn: 91"),
        "url": "#waterfall",
    },
    {"label": _("Opted out by text"), "value": 118, "url": "#waterfall"},
    {"label": _("Texted in the last 24 hours"), "value": 64},
    {"label": _("Held out to measure the effect"), "value": 236},
    {"label": _("Bad number"), "value": 4},
]
MONEY_ROWS = [
    {"label": _("Principal"), "value": 1284000, "text": "¥12,840.00", "tone": "brand"},
    {"label": _("Bonus"), "value": 312000, "text": "¥3,120.00", "tone": "wait"},
    {"label": _("Points"), "value": 96000, "text": "¥960.00", "tone": "move"},
]
