"""Asking a provider over HTTP what became of a text it never answered for (reliability 2.13).

A provider that can be asked is `Askable`: two pure functions, like all of it. It says something only when its list names
our text and can mean no other; else the doubt stays, and the rule of the class decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

import httpx

from messaging.gateways.web import ANSWER_OCTETS_MAX, WebAnswer, WebRequest

ASK_SECONDS = 5.0

# Of these ids of the provider's, those that belong to other texts of ours.
Known = Callable[[Sequence[str]], Collection[str]]
# What became of a text; `absent`: the provider has never had it.
Fate = Literal["accepted", "delivered", "undelivered", "absent"]
T = TypeVar("T")


class Doubt(NamedTuple):
    """A try without an answer. `has_rivals`: another text to the same phone is in doubt at this gateway."""

    attempt_id: int
    phone: str
    text: str
    tried_at: datetime
    has_rivals: bool = False


class Finding(NamedTuple):
    """What became of it. `raw` is the provider's own word."""

    outcome: Fate
    raw: str
    provider_id: str | None = None


@runtime_checkable
class Askable(Protocol):
    """A `Provider` with a list of what it has sent."""

    def inquiry(self, doubt: Doubt, now: float, nonce: str) -> WebRequest:
        """The request for what was sent to this phone at that time."""

    def finding(self, doubt: Doubt, answer: WebAnswer, known: Known) -> Finding | None:
        """What the answer says of our text. None: nothing that could not mean another."""


def ask(request: WebRequest) -> WebAnswer | None:
    """The answer; None when there is none within five seconds. Blocks: never inside a transaction."""
    try:
        with httpx.Client(timeout=ASK_SECONDS, trust_env=False, follow_redirects=False) as client:
            said = client.request(
                request.method, request.url, headers=dict(request.headers), content=request.content
            )
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    if len(said.content) > ANSWER_OCTETS_MAX:
        return None
    return WebAnswer(
        said.status_code, {name.lower(): value for name, value in said.headers.items()}, said.content
    )


def only(found: Sequence[T]) -> T | None:
    """The one there is."""
    return found[0] if len(found) == 1 else None
