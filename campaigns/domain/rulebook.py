"""The rules and wordings in force, kept by the process from deed to deed under the stamp they were read with.

The database moves its stamp in the same commit as any change (campaigns/sql/rulebook.sql) and refuses a firing under
another one. Read order matters: the stamp first, so that what is kept is never older than it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from campaigns.models import TriggerRule
from messaging.domain import texts
from messaging.domain.texts import Wording
from messaging.enums import MessageClass


class Outdated(Exception):
    """The rules have changed since they were read."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A trigger rule that is on, with its approved wordings by language."""

    id: int
    dedupe_seconds: int
    message_class: MessageClass
    wordings: Mapping[str, Wording]


@dataclass(frozen=True, slots=True)
class Page:
    """The rules of one event at one store, as they stood under `stamp`."""

    stamp: UUID | None
    rules: tuple[Rule, ...]


_pages: dict[tuple[str, int], Page] = {}


def page_of(event_type: str, store_id: int) -> Page:
    """The rules as this process last read them."""
    return _pages.get((event_type, store_id)) or read(event_type, store_id)


@transaction.atomic
def read(event_type: str, store_id: int) -> Page:
    """Read the rules of an event at a store, and keep them. In a savepoint: a failure costs no deed."""
    stamp = _stamp()
    rules = _rules_for(event_type, store_id)
    wordings = texts.approved_wordings({rule.template_id for rule in rules})
    page = Page(
        stamp,
        tuple(
            Rule(
                rule.pk,
                rule.dedupe_seconds,
                MessageClass(rule.template.message_class),
                wordings.get(rule.template_id, {}),
            )
            for rule in rules
        ),
    )
    _pages[event_type, store_id] = page
    return page


def check(page: Page) -> None:
    """Raise Outdated if the rules have changed since this page was read."""
    if _stamp() != page.stamp:
        raise Outdated


def _stamp() -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT stamp FROM campaigns_rulebook")
        row = cursor.fetchone()
    return row[0] if row else None


def _rules_for(event_type: str, store_id: int) -> list[TriggerRule]:
    """The rules that are on for this event: the store's own if it has any, else those of every store."""
    rules = list(
        TriggerRule.objects.filter(Q(store=None) | Q(store_id=store_id), event_type=event_type)
        .select_related("template")
        .order_by("id")
    )
    own = [rule for rule in rules if rule.store_id]
    return [rule for rule in own or rules if rule.is_on]
