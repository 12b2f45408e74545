"""The texts a deed causes: foretold before it is confirmed, followed afterwards.

Foretelling does the deed for real and takes it back in the same breath: the split, the balance after and the text
are the ledger's and the rules' own, so what is shown is what will happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from campaigns.domain.triggers import firings_of
from campaigns.enums import Firing
from campaigns.models import RuleFiring, TriggerRule
from members.domain.deeds import Outcome
from members.enums import AccountKind, OperationKind, TenderType
from members.models import Entry, MembershipEvent, Operation, Tender
from messaging.domain.texts import shown_text
from messaging.models import Message
from messaging.states import OPEN, Reason, State

STAYS_UNSENT = frozenset({State.SUPPRESSED, State.EXPIRED, State.CANCELLED})


@dataclass(frozen=True)
class TextLine:
    """One text of an event: its wording and where it stands, or only why there is none."""

    text: str = ""
    state: str = ""
    reason: str | Promise = ""
    note: str | Promise = ""
    message: Message | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still move by itself."""
        return self.state in OPEN

    @property
    def is_unsent(self) -> bool:
        """Whether it never left, and will not."""
        return self.state in STAYS_UNSENT


@dataclass(frozen=True)
class Sums:
    """What a deed moves, from the member's side: money in minor units by account kind, points, tenders."""

    moved: Mapping[str, int] = field(default_factory=dict)
    tenders: Sequence[tuple[str | Promise, int]] = ()

    @property
    def principal(self) -> int:
        return self.moved.get(AccountKind.PRINCIPAL, 0)

    @property
    def bonus(self) -> int:
        return self.moved.get(AccountKind.BONUS, 0)

    @property
    def stored(self) -> int:
        return self.principal + self.bonus

    @property
    def points(self) -> int:
        return self.moved.get(AccountKind.POINTS, 0)

    @property
    def points_money(self) -> int:
        """What the points of a bill paid, or what of it came back as points."""
        return abs(self.moved.get(AccountKind.POINTS_TENDER, 0))


@dataclass(frozen=True)
class Foretold:
    """What would happen: the amount, the sums, the balances after, the texts."""

    operation: Operation | None
    sums: Sums
    event: MembershipEvent | None
    texts: Sequence[TextLine]

    @property
    def payload(self) -> Mapping[str, Any]:
        return self.event.payload if self.event else {}


def foretell(deed: Callable[[str], Outcome]) -> Foretold:
    """Do `deed` under a key of its own and roll it back. Raises what the deed refuses."""
    with transaction.atomic():
        outcome = deed(f"rehearsal:{uuid4()}")
        texts = texts_of(outcome.event)
        if outcome.operation.kind == OperationKind.OPEN_CARD:
            texts = _without_number(texts, outcome.event)
        told = Foretold(outcome.operation, sums_of(outcome.operation), outcome.event, texts)
        transaction.set_rollback(True)
    return told


def _without_number(texts: Sequence[TextLine], event: MembershipEvent | None) -> list[TextLine]:
    """A rehearsed card has another number than the real one will have: its digits are hidden."""
    number = event.payload["card"] if event else ""
    return [replace(line, text=line.text.replace(number, "…••••")) for line in texts]


def foretell_event(deed: Callable[[str], MembershipEvent | None]) -> Sequence[TextLine]:
    """The texts of a deed that moves no money, such as an enrolment."""
    with transaction.atomic():
        told = texts_of(deed(f"rehearsal:{uuid4()}"))
        transaction.set_rollback(True)
    return told


def sums_of(operation: Operation) -> Sums:
    """What an operation moved; two queries."""
    moved: dict[str, int] = {}
    told = Q(account__member_id=operation.member_id) | Q(account_kind=AccountKind.POINTS_TENDER)
    entries = Entry.objects.filter(told, operation=operation)
    for kind, amount in entries.values_list("account_kind", "amount"):
        moved[kind] = moved.get(kind, 0) + amount
    labels = dict(TenderType.choices)
    paid = Tender.objects.filter(operation=operation).order_by("id").values_list("type", "amount_minor")
    return Sums(moved, [(labels.get(kind, kind), amount) for kind, amount in paid])


def texts_of(event: MembershipEvent | None) -> list[TextLine]:
    """Every text of an event and every rule that did not send, with the reason; what is silent says why."""
    if event is None:
        return [TextLine(note=_("No text goes out."))]
    return texts_by_event([event])[event.pk]


def texts_by_event(events: Sequence[MembershipEvent]) -> dict[int, list[TextLine]]:
    """The same for several events, in three queries."""
    lines: dict[int, list[TextLine]] = {event.pk: [] for event in events}
    messages = Message.objects.filter(event__in=events).select_related("template_version__template")
    for message in messages.order_by("id"):
        if message.event_id is not None:
            lines[message.event_id].append(line_of(message))
    firings = firings_of(events)
    silent = _silent_types(events)
    for event in events:
        sent = {line.message.cause_id for line in lines[event.pk] if line.message}
        lines[event.pk] += _unsent(firings.get(event.pk, []), sent)
        lines[event.pk] = lines[event.pk] or [TextLine(note=_silence(event, silent))]
    return lines


def line_of(message: Message) -> TextLine:
    """A message as a line: wording, state, and the reason behind it."""
    reason = Reason(message.reason).label if message.reason else ""
    return TextLine(text=shown_text(message), state=message.state, reason=reason, message=message)


def _unsent(firings: Sequence[RuleFiring], with_message: set[int]) -> list[TextLine]:
    said = _("“%(rule)s” sends nothing: %(reason)s.")
    return [
        TextLine(note=said % {"rule": firing.rule, "reason": why(firing.reason)})
        for firing in firings
        if firing.pk not in with_message and firing.outcome != Firing.SENT
    ]


def why(reason: str) -> str | Promise:
    """A reason in words, without its capital."""
    label = str(Reason(reason).label) if reason else _("no reason was recorded")
    return label[:1].lower() + label[1:]


def _silent_types(events: Sequence[MembershipEvent]) -> set[tuple[str, int | None]]:
    """(event, store) of the rules there are, switched off ones too; no store stands for every store."""
    rules = TriggerRule.objects.filter(event_type__in={event.type for event in events})
    return set(rules.values_list("event_type", "store_id"))


def _silence(event: MembershipEvent, rules: set[tuple[str, int | None]]) -> str:
    if (event.type, None) in rules or (event.type, event.store_id) in rules:
        return _("The rule for this is switched off: no text goes out.")
    return _("No rule answers this: no text goes out.")


def has_money(operation: Operation) -> bool:
    """Whether the deed is told in money rather than in points."""
    return operation.kind in (OperationKind.RECHARGE, OperationKind.SPEND, OperationKind.REFUND)
