"""A wording against the rule packs: what a country or provider refuses or frowns on, said while it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from messaging.chinese import TRADITIONAL
from messaging.contacts import contacts_in
from messaging.rules import Ban, CountryPack, Origin, ProviderPack, RequiredPhrase, in_words

Span = tuple[int, int]
Said = Mapping[str, str]

_HOLE = re.compile(r"\{[a-z]\w*(?:\|[^{}]*)?\}")
_ADJACENT = re.compile(r"\{[^{}]*\}\s*\{[^{}]*\}")
_CONTACT_HOLE = re.compile(r"\{(?:store_phone|link)(?:\|[^{}]*)?\}")


@dataclass(frozen=True, slots=True)
class PackFinding:
    """One rule a wording runs into. `whose` names the pack; `must_change`: a refusal is certain, not only likely."""

    start: int
    end: int
    word: str
    whose: str
    rule: str
    says: str
    source: str
    on: str
    must_change: bool


def check_packs(
    text: str, message_class: str, *, country: CountryPack, providers: Iterable[ProviderPack], language: str
) -> list[PackFinding]:
    """Everything the packs say about this wording, in the reader's language, in the order of the text."""
    name, written = in_words(country.name, language), _HOLE.sub("", text)
    found = [
        _finding(text, span, name, ban, language)
        for ban in country.banned
        for span in _spans(ban, text, message_class)
    ]
    found += [
        _finding(text, (0, 0), name, rule, language)
        for rule in country.required
        if message_class in rule.classes and not any(phrase in written for phrase in rule.phrases)
    ]
    for pack in providers:
        if country.code in pack.countries:
            found += _of_provider(pack, text, message_class, language)
    return sorted(found, key=lambda one: (one.start, one.end))


def _of_provider(pack: ProviderPack, text: str, message_class: str, language: str) -> list[PackFinding]:
    label = in_words(pack.label, language)
    found = [
        _finding(text, span, label, ban, language)
        for ban in pack.banned
        for span in _spans(ban, text, message_class)
    ]
    asked = pack.placeholders
    if asked is None:
        return found
    for rule, spans in _placeholder_spans(pack, text, message_class):
        found += [
            _said(
                text,
                span,
                label,
                rule,
                _PLACEHOLDERS[rule],
                asked.origin,
                language,
                must_change=rule != "no_variables",
            )
            for span in spans
        ]
    return found


_PLACEHOLDERS = {
    "adjacent": {"en": "Two placeholders in a row are refused.", "zh-hans": "两个变量不能相连。"},
    "whole_text": {
        "en": "A text that is nothing but a placeholder is refused.",
        "zh-hans": "整条短信不能只是一个变量。",
    },
    "no_variables": {
        "en": "New templates of this class take no placeholders here; accounts from before 2024 may.",
        "zh-hans": "此类新模板在这里不支持变量，2024年前的账号除外。",
    },
}


def _placeholder_spans(pack: ProviderPack, text: str, message_class: str) -> list[tuple[str, list[Span]]]:
    asked = pack.placeholders
    assert asked is not None
    holes = [match.span() for match in _HOLE.finditer(text)]
    return [
        ("adjacent", [] if asked.has_adjacent else [match.span() for match in _ADJACENT.finditer(text)]),
        ("whole_text", holes[:1] if not asked.has_whole_text and _HOLE.fullmatch(text.strip()) else []),
        ("no_variables", holes[:1] if message_class in asked.has_none_in else []),
    ]


def _spans(ban: Ban, text: str, message_class: str) -> list[Span]:
    """Where the text does what a ban is about."""
    if message_class not in ban.classes:
        return []
    if ban.kind == "contact":
        return [(one.start, one.end) for one in contacts_in(text)] + [
            match.span() for match in _CONTACT_HOLE.finditer(text)
        ]
    if ban.kind in ("emoji", "traditional"):
        has = _is_emoji if ban.kind == "emoji" else _is_traditional
        return [(index, index + 1) for index, char in enumerate(text) if has(char)]
    return [match.span() for word in ban.words for match in re.finditer(re.escape(word), text, re.IGNORECASE)]


def _is_emoji(char: str) -> bool:
    return ord(char) > 0x1F000 or (0x2600 <= ord(char) <= 0x27BF and unicodedata.category(char) == "So")


def _is_traditional(char: str) -> bool:
    return ord(char) in TRADITIONAL and TRADITIONAL[ord(char)] != ord(char)


def _finding(text: str, span: Span, whose: str, rule: Ban | RequiredPhrase, language: str) -> PackFinding:
    must_change = rule.effect == "refuse"
    return _said(text, span, whose, rule.id, rule.says, rule.origin, language, must_change=must_change)


def _said(
    text: str,
    span: Span,
    whose: str,
    rule: str,
    says: Said,
    origin: Origin,
    language: str,
    *,
    must_change: bool,
) -> PackFinding:
    words = in_words(says, language)
    source, on = origin.source, origin.on.isoformat()
    return PackFinding(*span, text[slice(*span)], whose, rule, words, source, on, must_change)
