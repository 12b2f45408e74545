"""What names a person outside their own row: free words of staff, of other systems, of events, found and blanked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from members.models import (
    Approval,
    Coupon,
    Erasure,
    FraudCase,
    Hold,
    Member,
    MembershipEvent,
    Merge,
    Operation,
    PhoneChange,
    Sharer,
    TierOverride,
    Transfer,
)

BLANK = "…"
_BETWEEN_DIGITS = re.compile(r"[\s\-().·/‐-―]+")


@dataclass(frozen=True)
class Traces:
    """The names, numbers and keyed hashes of a person, as long as they are known."""

    names: tuple[str, ...]
    phones: tuple[str, ...]
    hashes: tuple[bytes, ...]
    member_ids: tuple[int, ...]
    public_ids: tuple[str, ...]

    @classmethod
    def of(cls, people: Sequence[Member]) -> Traces:
        return cls(
            tuple(person.name.casefold() for person in people if person.name),
            tuple(person.phone for person in people),
            tuple(bytes(person.phone_hash) for person in people),
            tuple(person.pk for person in people),
            tuple(str(person.public_id) for person in people),
        )

    def mentioned_in(self, text: str) -> bool:
        """Whether a text names the person or holds one of the numbers, in any spelling."""
        plain = unicodedata.normalize("NFKC", text).casefold()
        digits = _BETWEEN_DIGITS.sub("", plain)
        return any(name in plain for name in self.names) or any(
            national in digits for national in self.nationals
        )

    @property
    def nationals(self) -> tuple[str, ...]:
        """The numbers without the code of their country, as people write them down."""
        return tuple(
            phone.removeprefix("+86") if phone.startswith("+86") else phone[1:] for phone in self.phones
        )

    def without(self, value: Any) -> Any:
        """The same value with every text in it that names the person blanked."""
        if isinstance(value, str):
            return BLANK if self.mentioned_in(value) else value
        if isinstance(value, dict):
            return {name: self.without(inner) for name, inner in value.items()}
        return [self.without(inner) for inner in value] if isinstance(value, list) else value


def blank_own_rows(people: Sequence[Member], traces: Traces) -> None:
    """The member's rows of this package. What is free text goes when it names the person; numbers go always."""
    of_people = Q(member__in=people)
    _blank(Approval.objects.filter(of_people), traces, "note", "decision_note")
    _blank(Coupon.objects.filter(of_people), traces, "reason", "void_reason", "reserved_for")
    _blank(TierOverride.objects.filter(of_people), traces, "reason")
    _blank(FraudCase.objects.filter(of_people), traces, "note", "facts")
    _blank(Hold.objects.filter(card__member__in=people), traces, "reason")
    _blank(Transfer.objects.filter(Q(card__member__in=people) | Q(receiver__in=people)), traces, "note")
    Transfer.objects.filter(Q(card__member__in=people) | Q(receiver__in=people)).exclude(to_number="").update(
        to_number=BLANK
    )
    _blank(Erasure.objects.filter(of_people), traces, "reason")
    Merge.objects.filter(Q(kept__in=people) | Q(merged__in=people)).update(reason=BLANK, kept_before={})
    changes = PhoneChange.objects.filter(of_people)
    changes.update(old_masked=BLANK, new_masked=BLANK)
    changes.exclude(reason="").update(reason=BLANK)
    Sharer.objects.filter(card__member__in=people).update(name=BLANK, phone="")
    _blank_kept_rows(people, traces)


def events_about(traces: Traces) -> QuerySet[MembershipEvent]:
    """The person's own events, and those of others who passed value on to them or got it from them."""
    ids = traces.member_ids
    passed = Transfer.objects.filter(Q(card__member__in=ids) | Q(receiver__in=ids))
    ends = [pk for pair in passed.values_list("sent", "received") for pk in pair if pk]
    return MembershipEvent.objects.filter(Q(member__in=ids) | Q(operation__in=ends))


def _blank(rows: QuerySet[Any], traces: Traces, *fields: str) -> None:
    present = [name for name in fields if name in {field.name for field in rows.model._meta.fields}]
    changed = [row for row in rows.only("pk", *present).iterator() if _cleaned(row, present, traces)]
    if changed and present:
        rows.model._default_manager.bulk_update(changed, present, batch_size=500)


def _cleaned(row: Any, fields: Iterable[str], traces: Traces) -> bool:
    is_changed = False
    for name in fields:
        before = getattr(row, name)
        after = traces.without(before)
        if after != before:
            setattr(row, name, after)
            is_changed = True
    return is_changed


def _blank_kept_rows(people: Sequence[Member], traces: Traces) -> None:
    """Deeds and events are append-only; this is the one door, and only their words go through it.

    A key that another system made of the number goes too: a repeat would find the card closed.
    """
    with pgtrigger.ignore("members.MembershipEvent:event_rows_stay", "members.Operation:operation_rows_stay"):
        _blank(events_about(traces), traces, "payload")
        _blank(Operation.objects.filter(member__in=people), traces, "note", "request")
        for rows in (events_about(traces), Operation.objects.filter(member__in=people)):
            _blank_keys(rows, traces)


def _blank_keys(rows: QuerySet[Any], traces: Traces) -> None:
    naming = [pk for pk, key in rows.values_list("pk", "key") if traces.mentioned_in(key)]
    rows.model._default_manager.filter(pk__in=naming).update(
        key=Concat(Value("erased:"), Cast(F("pk"), CharField()))
    )
