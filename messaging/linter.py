"""Which class a text belongs to by its words: service or promotion, and what gives it away.

Decides the lane: an industry text (verification, notification, trigger) without promotion passes by itself,
a promotional one is refused there, anything between goes to a reviewer. Errs towards the reviewer: a text
that says nothing a service text says is never passed. The words and sources: messaging/lexicon.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging import contacts
from messaging.chinese import simplify
from messaging.lexicon import RULES, service, settled
from messaging.lexicon.likeness import (
    LIKE_A_SERVICE,
    LIKE_AN_OFFER,
    PART_LIKE_AN_OFFER,
    likeness,
    most_like_an_offer,
)
from messaging.lexicon.rule import DEFINITION, LABELS, MEDIUM, STRONG, TENCENT, UNSURE, Rule
from messaging.lexicon.spelling import SHORT_FORMS

MessageClass = Literal["verification", "notification", "trigger", "marketing"]

LONGEST_READ = 2000  # characters; a longer text always goes to a reviewer


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, as a span of the text given to lint()."""

    start: int
    end: int
    word: str
    rule: str
    source: str
    suggestion: Promise

    @property
    def label(self) -> Promise:
        """The rule in words."""
        return LABELS[self.rule]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_promotional`: refused in an industry template. `needs_review`: a person must read it first."""

    message_class: MessageClass
    is_promotional: bool
    needs_review: bool
    findings: list[Finding]


def lint(text: str, region: str = "CN") -> Verdict:
    """Judge a template or a finished text. `region` is the ISO country code of the recipients."""
    reading = _without_courtesy(_read(text[:LONGEST_READ]))
    told = _without_paid(reading.text)
    like = likeness(told)
    most, place = most_like_an_offer(told, like)
    says_service = like <= LIKE_A_SERVICE and most < PART_LIKE_AN_OFFER
    is_service = says_service or _SERVICE.search(_ALLOWED.sub(_read_over, reading.text)) is not None
    findings, score = _promotion(text, reading, region.upper(), like=max(like, most - PART_LIKE_AN_OFFER))
    is_promotional = score >= (STRONG if is_service else MEDIUM)
    message_class = _class_of(reading.text, is_promotional=is_promotional, is_service=is_service)
    if message_class == "verification":
        findings += _code_findings(text, reading)
    if not findings and not says_service:
        findings = _unexplained(text, reading) if is_service else [_unclear(text, (0, len(text)))]
    if not findings and (like >= LIKE_AN_OFFER or most >= PART_LIKE_AN_OFFER):
        findings = [_finding(text, reading.span(*place), "like_an_offer", DEFINITION, UNSURE)]
    needs_review = bool(findings) or len(text) > LONGEST_READ
    return Verdict(message_class, is_promotional, needs_review, sorted(findings, key=lambda one: one.start))


@lru_cache(maxsize=8192)
def smuggles(value: str, region: str = "CN", *, is_name: bool = False) -> bool:
    """Whether a value would bring promotion or a link into a service text. Of a name only what no name says counts:
    two offers, or one with a number in it.
    """
    if len(value) < _SHORTEST_OFFER:
        return False
    _, score = _promotion(value, _read(value), region.upper())
    if not is_name:
        return score >= STRONG
    return score >= 2 * STRONG or (score >= STRONG and any(char.isdigit() for char in value))


_SHORTEST_OFFER = 3  # characters


@dataclass(frozen=True, slots=True)
class _Reading:
    """The text as the rules read it; `origin[i]` is the place of its i-th character in the original."""

    text: str
    origin: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.origin[start], self.origin[end - 1] + 1


_SPLITTERS = " -_*·•.|/~^`'\"、+=#&"
_TRICK = re.compile(
    rf"(?<=[\u4e00-\u9fff])[{re.escape(_SPLITTERS)}]{{1,4}}(?=[\u4e00-\u9fff])|(?<=\d) (?=[折元]|\d ?[折元张份])"
)
_LETTER_BY_LETTER = re.compile(r"(?<![a-z0-9])[a-z](?:[-.* ][a-z]){3,}(?![a-z0-9])")
_HOMOGLYPHS = str.maketrans("аеорсухіѕԁοαɑ", "aeopcyxisdoaa")


def _read(text: str) -> _Reading:
    """NFKC, lower case, simplified; invisible characters and tricks between Chinese characters left out."""
    chars: list[str] = []
    origin: list[int] = []
    for index, original in enumerate(text):
        for char in unicodedata.normalize("NFKC", original).casefold():
            if unicodedata.category(char) in ("Cf", "Cs", "Mn") or char == "\ufe0f":
                continue
            chars.append(" " if char.isspace() and char != "\n" else char)
            origin.append(index)
    joined = simplify("".join(chars)).replace("’", "'").translate(_HOMOGLYPHS)
    return _without_signature(_squeezed(*_spelled_out(joined, origin)))


def as_read(text: str) -> str:
    """The text as the rules and the second reader see it."""
    return _read(text[:LONGEST_READ]).text


_SHORT_FORM = re.compile(
    rf"(?<![\w@./'-])(?:{'|'.join(map(re.escape, sorted(SHORT_FORMS, key=len, reverse=True)))})(?![\w'@/-])"
)


def _spelled_out(text: str, origin: list[int]) -> tuple[str, list[int]]:
    """ "thx, c u tmr" becomes "thanks, c you tomorrow": each letter of a word stands where its short form does."""
    pieces: list[str] = []
    places: list[int] = []
    done = 0
    for match in _SHORT_FORM.finditer(text):
        start, end = match.span()
        word = SHORT_FORMS[match[0]]
        pieces += (text[done:start], word)
        places += [*origin[done:start], *[origin[start]] * (len(word) - 1), origin[end - 1]]
        done = end
    return "".join(pieces) + text[done:], places + origin[done:]


def _squeezed(text: str, origin: list[int]) -> _Reading:
    """ "优-惠", "8 折" and "s-a-l-e" become "优惠", "8折" and "sale": separators between characters go."""
    dropped = {index for match in _TRICK.finditer(text) for index in range(*match.span())}
    dropped |= {
        index
        for match in _LETTER_BY_LETTER.finditer(text)
        for index in range(match.start() + 1, match.end(), 2)
    }
    keep = [index for index in range(len(text)) if index not in dropped]
    return _Reading("".join(text[index] for index in keep), [origin[index] for index in keep])


def _without_signature(reading: _Reading) -> _Reading:
    """A shop's name is no promotion, whatever it is called: the 【signature】 in front is not read."""
    match = re.match(r"\s*【[^【】]{1,20}】", reading.text)
    if not match:
        return reading
    return _Reading(" " * match.end() + reading.text[match.end() :], reading.origin)


@lru_cache(maxsize=1)
def _compiled() -> list[tuple[Rule, re.Pattern[str]]]:
    return [(rule, re.compile("|".join(f"(?:{pattern})" for pattern in rule.patterns))) for rule in RULES]


_ALLOWED = re.compile("|".join(f"(?:{pattern})" for pattern in service.ALLOWED))
_COURTESY = re.compile(service.COURTESY)
_PAID_FACT = re.compile(service.PAID_FACT)
_OFFER = re.compile(service.OFFER)
_PAID_ALLOWED = re.compile(service.PAID_ALLOWED)
_SETTLED, _NAMED, _LURE = (
    re.compile("|".join(patterns)) for patterns in (settled.SETTLED, settled.NAMED, settled.LURE)
)
_SERVICE = re.compile("|".join(service.SERVICE))
_FILLING = re.compile("|".join(service.FILLING))
_TRIGGER = re.compile("|".join(service.TRIGGER))
_CODE_WORD = re.compile(service.CODE_WORDS)
_CODE = re.compile(r"(?<![\d.¥$])\d{4,8}(?!\d|\.\d|元|%)|\{\w*(?:code|otp|pin)\w*\}")
_WEB_OTP = re.compile(r"@[\w.\-]+ #\d{4,8}\s*$")


def _read_over(match: re.Match[str]) -> str:
    return "\x00" * len(match[0])


def _without_courtesy(reading: _Reading) -> _Reading:
    """Thanks and good wishes at the end say nothing of what the text is for."""
    return _Reading(_COURTESY.sub(_read_over, reading.text), reading.origin)


def _without_paid(text: str) -> str:
    """What was given with money that has moved is no offer."""
    if not _PAID_FACT.search(text) or _OFFER.search(text):
        return text
    return _PAID_ALLOWED.sub(_read_over, text)


def _without_settled(text: str) -> str:
    """What the words of an offer name in a clause that tells how something ended is no offer: a discount that was
    missed, a sale jacket that was handed over.
    """
    if _OFFER.search(text):
        return text
    return _CLAUSE.sub(
        lambda clause: (
            _NAMED.sub(_read_over, clause[0])
            if _SETTLED.search(clause[0]) and not _LURE.search(clause[0])
            else clause[0]
        ),
        text,
    )


def _promotion(
    text: str, reading: _Reading, region: str, *, like: float = math.inf
) -> tuple[list[Finding], int]:
    """What the rules find and its weight. In a text that is not `like` an offer the settled facts are read over, and
    what may be lifted is no finding when nothing else is found.
    """
    readable = _ALLOWED.sub(_read_over, reading.text)
    readable = _without_paid(_without_settled(readable) if like < LIKE_AN_OFFER else readable)
    found = [
        (rule, match.span())
        for rule, pattern in _compiled()
        if not rule.regions or region in rule.regions
        for match in pattern.finditer(readable)
        if match.end() > match.start()
    ]
    if all(rule.lifted_below is not None and like <= rule.lifted_below for rule, _span in found):
        return [], 0
    findings = [
        _finding(text, reading.span(*span), rule.name, rule.source, rule.suggestion) for rule, span in found
    ]
    return findings, sum(rule.weight for rule, _span in found)


def _class_of(text: str, *, is_promotional: bool, is_service: bool) -> MessageClass:
    """A text that says nothing of a service has the strictest class until a reviewer says otherwise."""
    if is_promotional:
        return "marketing"
    if _CODE_WORD.search(text) and _CODE.search(text):
        return "verification"
    if not is_service:
        return "marketing"
    return "trigger" if _TRIGGER.search(text) else "notification"


def _code_findings(text: str, reading: _Reading) -> list[Finding]:
    """A verification text carries the code and nothing else: no link, no contact."""
    readable = _WEB_OTP.sub(_read_over, reading.text)
    suggestion = _("A verification text carries the code only. Take out links and phone numbers.")
    return [
        _finding(text, reading.span(*match.span()), "code_with_link", TENCENT, suggestion)
        for pattern in (contacts.URL, contacts.PHONE)
        for match in pattern.finditer(readable)
    ]


_CLAUSE = re.compile(r"[^,。!?;:、…\n]+")
_SENTENCE = re.compile(r"(?:[^.!?;\n]|\.(?=\w))+")


_SHORTEST_CLAIM = 5  # characters; "车位B12" or "Thanks" claim nothing


def _unexplained(text: str, reading: _Reading) -> list[Finding]:
    """What is left when service content and politeness are taken away: soft sells hide there."""
    pieces = _CLAUSE if re.search(r"[\u4e00-\u9fff]", reading.text) else _SENTENCE
    return [
        _unclear(text, reading.span(*piece.span()))
        for piece in pieces.finditer(reading.text)
        if len(piece[0].strip()) >= _SHORTEST_CLAIM and not _is_explained(piece[0])
    ]


def _is_explained(piece: str) -> bool:
    return any(known.search(piece) for known in (_SERVICE, _FILLING, _ALLOWED))


def _unclear(text: str, span: tuple[int, int]) -> Finding:
    suggestion = _(
        "This does not say which service, order or account it is about. A reviewer should read it."
    )
    return _finding(text, span, "no_service_content", DEFINITION, suggestion)


def _finding(text: str, span: tuple[int, int], rule: str, source: str, suggestion: Promise) -> Finding:
    return Finding(*span, text[slice(*span)], rule, source, suggestion)
