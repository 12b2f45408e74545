"""What a finished text costs and which of its characters make it dear."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from members.phones import region_of
from messaging.encoding import (
    GSM7,
    GSM7_PART_UNITS,
    GSM7_SINGLE_UNITS,
    UCS2,
    UCS2_PART_UNITS,
    UCS2_SINGLE_UNITS,
    Rule,
    TextMeasure,
    UnsendableText,
    clean,
    gsm_friendly,
    measure,
)

Span = tuple[int, int]


@dataclass(frozen=True)
class Cost:
    """Units, parts and the room they leave; the spans of dear characters; what plainer signs would save.

    `keeps_out`: the dear characters do not count double, they alone make the whole text UCS-2.
    """

    encoding: str
    units: int
    parts: int
    capacity: int
    costly: Sequence[Span] = ()
    friendly_parts: int = 0
    keeps_out: bool = False

    @property
    def saves(self) -> int:
        """Parts fewer with plain signs in place of typographic ones."""
        return self.parts - self.friendly_parts if self.friendly_parts else 0


def rule_for(phone: str) -> Rule:
    """Chinese numbers count by the Chinese rule, all others by 3GPP."""
    return "cn" if region_of(phone) == "CN" else "3gpp"


def cost_of(text: str, phone: str) -> Cost | None:
    """The cost of a finished text to this phone; None if it cannot be sent at all."""
    rule = rule_for(phone)
    try:
        size = measure(text, rule)
        plain = measure(clean(gsm_friendly(text)), rule)
    except UnsendableText:
        return None
    friendly = plain.parts if plain.parts < size.parts else 0
    costly = costly_spans(text, rule)
    keeps_out = rule == "3gpp" and size.encoding == UCS2 and bool(costly)
    return Cost(size.encoding, size.units, size.parts, _capacity(size), costly, friendly, keeps_out)


def _capacity(size: TextMeasure) -> int:
    single, part = (
        (GSM7_SINGLE_UNITS, GSM7_PART_UNITS)
        if size.encoding == GSM7
        else (UCS2_SINGLE_UNITS, UCS2_PART_UNITS)
    )
    return single if size.parts == 1 else part * size.parts


def costly_spans(text: str, rule: Rule) -> list[Span]:
    """Characters that count double, or that alone keep the text out of the cheap alphabet."""
    is_cheap_but_for_few = rule == "3gpp" and not any(unicodedata.category(char) == "Lo" for char in text)
    return [
        (index, index + 1)
        for index, char in enumerate(text)
        if _is_costly(char, rule, text_could_be_cheap=is_cheap_but_for_few)
    ]


def _is_costly(char: str, rule: Rule, *, text_could_be_cheap: bool) -> bool:
    size = measure(char, rule)
    if size.encoding == GSM7:
        return size.units > 1 and text_could_be_cheap
    return size.units > 1 or text_could_be_cheap


def marked(text: str, spans: Iterable[Span], css: str = "") -> SafeString:
    """The text as HTML with the spans highlighted; spans that overlap are joined."""
    opening = f'<mark class="{escape(css)}">' if css else "<mark>"
    out, last = [], 0
    for start, end in joined(spans):
        out += [escape(text[last:start]), opening, escape(text[start:end]), "</mark>"]
        last = end
    return mark_safe("".join([*out, escape(text[last:])]))  # noqa: S308  (every piece is escaped above)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch made one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        elif end > start:
            out.append((start, end))
    return out
