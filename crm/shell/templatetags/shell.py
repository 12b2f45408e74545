"""Tags and filters of the shell: `{% load shell %}`. docs/components.md lists them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from uuid import uuid4

import lucide
from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from crm.shell import charts, formats, tones
from messaging.states import State

register = template.Library()


@lru_cache(maxsize=512)
def _svg(name: str, css: str, label: str) -> SafeString:
    said = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true", "focusable": "false"}
    return mark_safe(lucide._render_icon(name, None, **{"class": css}, **said))  # noqa: S308  (bundled SVG, names ours)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """The lucide icon as inline SVG. Decorative and silent, unless `label` gives it a name."""
    return _svg(str(name), f"icon {css}".strip(), str(label))


@register.filter
def money(minor: int | None) -> str:
    """Minor units as `¥1,234.50`, in a `data` element that tables align to the right; a dash for None."""
    return _money(minor, is_signed=False)


@register.filter
def money_signed(minor: int | None) -> str:
    """As `money`, with + and − and a colour for what came in."""
    return _money(minor, is_signed=True)


def _money(minor: int | None, *, is_signed: bool) -> str:
    if minor is None or minor == "":
        return format_html('<span class="money">{}</span>', "–")
    css = "money money--in" if is_signed and minor > 0 else "money"
    text = formats.money_text(minor, is_signed=is_signed)
    return format_html('<data class="{}" value="{}">{}</data>', css, formats.money_amount(minor), text)


@register.filter
def money_text(minor: int) -> str:
    """`¥1,234.50` without an element: inside sentences and attributes."""
    return formats.money_text(minor)


@register.filter
def number(value: int | float | None) -> str:
    """A count with the reader's grouping: 1,204; a dash for None."""
    return "–" if value is None else formats.number_text(value)


@register.simple_tag
def money_symbol() -> str:
    """The currency's sign, for an amount field."""
    return formats.money_symbol()


@register.simple_tag
def money_exponent() -> int:
    """Decimal places of the currency, for the keypad."""
    return formats.money_exponent()


@register.filter
def phone_masked(e164: str | None) -> str:
    """`+86 138 •••• 5678`. Whoever shows the whole number logs it first."""
    return format_html('<span class="phone" dir="ltr">{}</span>', formats.phone_masked(e164 or ""))


@register.filter
def message_tone(message: Message) -> str:
    """The tone of one of Django's messages."""
    return tones.MESSAGE_LEVEL_TONES.get(message.level, "plain")


@register.filter
def initials(name: str | None) -> str:
    """One or two letters for an avatar: "Ana Ruiz" is AR, 王小明 is 王."""
    words = (name or "?").split()
    return words[0][0] if len(words) == 1 or not words[0].isascii() else (words[0][0] + words[-1][0]).upper()


@register.simple_tag
def store_time(moment: datetime | None, zone: str | tzinfo | None = None, shape: str = "datetime") -> str:
    """The moment in the store's zone (IANA name), named when the reader's clock differs; None is a dash.

    Shape "last_day" is for ends: what ends at midnight is good until the day before.
    """
    if moment is None:
        return "–"
    if shape == "last_day":
        moment, shape = moment - timedelta(microseconds=1), "date"
    told = formats.store_time(moment, zone, shape)
    said = format_html(' <span class="zone">{}</span>', told.zone) if told.zone else ""
    return format_html('<time datetime="{}" class="nowrap">{}{}</time>', told.iso, told.text, said)


@register.inclusion_tag("components/_field.html")
def field(bound: BoundField, prefix: str = "", suffix: str = "", css: str = "") -> dict[str, Any]:
    """Label, input, help and error beside the input. `prefix` and `suffix` stand in its box."""
    kind = bound.widget_type
    return {
        "field": bound,
        "prefix": prefix,
        "suffix": suffix,
        "css": css,
        "is_check": kind == "checkbox",
        "is_group": bound.use_fieldset,
    }


@register.inclusion_tag("components/_badge.html")
def state_badge(state: str, reason: str = "") -> dict[str, Any]:
    """A message state in its tone, with a word and an icon; `reason` is said behind it."""
    known = State(state)
    return {**tones.STATE_FACES[known]._asdict(), "label": known.label, "reason": reason}


@register.simple_tag
def once_key(key: str = "") -> str:
    """The hidden idempotency key of a data-once form: the given one (a form shown again), or a new one."""
    return format_html(
        '<input type="hidden" name="idempotency_key" value="{}" autocomplete="off">', key or str(uuid4())
    )


@register.inclusion_tag("components/_spark.html")
def spark(values: Sequence[float], label: str = "") -> dict[str, Any]:
    """A spark line; give `label` when no number beside it says the same."""
    return {**charts.spark(values), "label": label}


@register.inclusion_tag("components/_bars.html")
def bars(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lying bars: rows of label, value, and maybe text, note, tone, url."""
    return {"rows": charts.bars(rows)}


@register.inclusion_tag("components/_waterfall.html")
def waterfall(
    start: Mapping[str, Any], cuts: Sequence[Mapping[str, Any]], end: Mapping[str, Any]
) -> dict[str, Any]:
    """The pre-flight waterfall; each of label, value, and maybe note, url."""
    return {"rows": charts.waterfall(start, cuts, end)}


@register.inclusion_tag("components/_columns.html")
def columns(values: Sequence[float], label: str, first: str = "", last: str = "") -> dict[str, Any]:
    """Upright bars over time, with the first and the last period named under them."""
    return {"columns": charts.columns(values), "label": label, "first": first, "last": last}
