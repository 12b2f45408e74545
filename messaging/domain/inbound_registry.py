"""Who answers what phones text: open questions, interaction keywords, self-help topics.

Packages above messaging register in their `AppConfig.ready`; messaging never imports them. What nobody takes goes to a
person. Every handler works inside the transaction that stores the text, gets the clock, and is safe to be asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from members.models import Member
from messaging.models import InboundText


@dataclass(frozen=True)
class Sender:
    """Who texts: an E.164 number, its keyed hash, and its member if it has one."""

    phone: str
    phone_hash: bytes
    member: Member | None


@dataclass(frozen=True)
class Question:
    """Something we asked this phone and that is still open.

    `answers`: what may be said, each with its meanings in words ({"1": "confirm", "3": "cancel"}). `take(text, answer,
    at)` does it and says whether it did; False leaves the text to a person.
    """

    name: str
    answers: Mapping[str, str | Iterable[str]]
    asked_at: datetime
    take: Callable[[InboundText, str, datetime], bool]


@dataclass(frozen=True)
class Words:
    """An answer in each language there is, with its values: `{placeholder}` as in every text."""

    texts: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)


QuestionSource = Callable[[Sender, datetime], Iterable[Question]]
KeywordHandler = Callable[[InboundText, str, datetime], bool]
Answer = Callable[[Member, datetime], Words | None]

_questions: dict[str, QuestionSource] = {}
_keywords: dict[str, tuple[Callable[[], Collection[str]], KeywordHandler]] = {}
_answers: dict[str, Answer] = {}


def ask_questions(name: str, source: QuestionSource) -> None:
    """Register where open questions are found; the newest that owns the answer gets it."""
    _questions[name] = source


def take_keywords(name: str, words: Callable[[], Collection[str]], take: KeywordHandler) -> None:
    """Register interaction keywords, asked for at each text, and who takes a text that opens with one."""
    _keywords[name] = (words, take)


def answer_topic(topic: str, answer: Answer) -> None:
    """Register who composes the answer to a self-help topic of the grammar, at that instant; None: a person does."""
    _answers[topic] = answer


def forget(name: str) -> None:
    """Take a registration back."""
    for registered in (_questions, _keywords, _answers):
        registered.pop(name, None)  # type: ignore[attr-defined]


def open_questions(sender: Sender, at: datetime) -> list[Question]:
    """Everything still open with this phone, the newest first."""
    found = [question for source in _questions.values() for question in source(sender, at)]
    return sorted(found, key=lambda question: question.asked_at, reverse=True)


def keywords() -> dict[str, KeywordHandler]:
    """Every interaction keyword there is now, and who takes it; of two owners the first."""
    found: dict[str, KeywordHandler] = {}
    for words, take in _keywords.values():
        for word in words():
            found.setdefault(word.casefold(), take)
    return found


def answer_to(topic: str) -> Answer | None:
    return _answers.get(topic)
