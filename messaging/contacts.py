"""Links and phone numbers in a text: what carriers want reported, and what a code text may not have."""

import re
from typing import NamedTuple

_REST = r"[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
URL = re.compile(
    rf"https?://{_REST}+|www\.{_REST}+"
    rf"|(?<![a-z0-9])[a-z0-9\-]+\.(?:com|cn|net|cc|top|xyz|link|ly|me|io)(?:/{_REST}*)?(?![a-z0-9])"
)
PHONE = re.compile(r"(?<!\d)(?:[48]00-?\d{3}-?\d{4}|0\d{2,3}-?\d{7,8}|1[3-9]\d{9}|\+\d[\d \-]{7,})(?!\d)")
_ANY_CASE_URL = re.compile(URL.pattern, re.IGNORECASE)


class Found(NamedTuple):
    """A contact at its place in the text; `value` without what stands around it."""

    kind: str
    value: str
    start: int
    end: int


def contacts_in(text: str) -> list[Found]:
    """Every link and phone number, in order. A phone number inside a link belongs to the link."""
    links = [_found("link", match) for match in _ANY_CASE_URL.finditer(text)]
    phones = [_found("phone", match) for match in PHONE.finditer(text)]
    outside = [one for one in phones if not any(link.start <= one.start < link.end for link in links)]
    return sorted([*links, *outside], key=lambda one: one.start)


def _found(kind: str, match: re.Match[str]) -> Found:
    value = match[0].rstrip(".,;!?。，；！？）)")
    shown = re.sub(r"[ \-]", "", value) if kind == "phone" else value.casefold().removeprefix("https://")
    return Found(kind, shown.removeprefix("http://"), match.start(), match.start() + len(value))
