"""Who was texted how often, by the carrier's journal and not by our own word for it (F1, F3, F13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from messaging.enums import MessageClass
from messaging.models import Attempt, Message, Waiting
from messaging.states import State


@dataclass(frozen=True)
class Figures:
    """What came of a run. A copy is a submit the carrier said yes to.

    `doubts` are tries whose answer was lost, resolved since or not; `undecided` of them are still waited for though no
    receipt can come any more. `receipts_missing` are texts the carrier has
    reported on and we know nothing of it; `sent_without_lease` were claimed when the gateway was another's already;
    `stray` are queued where nobody looks.
    """

    texts: int
    on_the_air: int
    lost_unseen: int
    marketing_twice: int
    notifications_twice: int
    notifications_twice_max: int
    code_copies_max: int
    doubts: int
    doubts_max: int
    doubts_left: int
    undecided: int
    receipts_missing: int
    sent_without_lease: int
    flagged_seconds: float
    stray: int
    seconds: float

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        kept = {
            "lost_unseen": not self.lost_unseen,
            "marketing_twice": not self.marketing_twice,
            "notifications_twice": self.notifications_twice <= self.notifications_twice_max,
            "code_copies_max": self.code_copies_max <= 2,
            "doubts": self.doubts <= self.doubts_max,
            "undecided": not self.undecided,
            "receipts_missing": not self.receipts_missing,
            "sent_without_lease": not self.sent_without_lease,
            "flagged_seconds": self.flagged_seconds <= 45,
            "stray": not self.stray,
        }
        return [name for name, is_kept in kept.items() if not is_kept]


def judge(
    classes: Mapping[str, MessageClass],
    copies: Mapping[tuple[str, int], int],
    *,
    doubts_max: int,
    has_receipts: bool,
    flagged_seconds: float,
    seconds: float,
) -> Figures:
    """`classes` by phone, of one text each; `copies` by phone and part, the carrier's."""
    times = Counter({phone: count for (phone, _part), count in copies.items()})
    twice = Counter(classes[phone] for phone, count in times.items() if count > 1)
    states: dict[str, set[str]] = {}
    for phone, state in Message.objects.values_list("phone", "state"):
        states.setdefault(phone, set()).add(state)
    in_doubt = {phone for phone, found in states.items() if found & {State.UNCERTAIN, State.UNKNOWN}}
    accepted = {phone for phone, found in states.items() if State.ACCEPTED in found}
    undecided = sum(State.UNCERTAIN in found for found in states.values())
    doubts = _doubts()
    codes = [count for phone, count in times.items() if classes[phone] == MessageClass.VERIFICATION]
    return Figures(
        texts=len(classes),
        on_the_air=len(times),
        lost_unseen=len(classes.keys() - times.keys() - in_doubt),
        marketing_twice=twice[MessageClass.MARKETING],
        notifications_twice=twice[MessageClass.NOTIFICATION],
        notifications_twice_max=0 if has_receipts else doubts,
        code_copies_max=max(codes, default=0),
        doubts=doubts,
        doubts_max=doubts_max,
        doubts_left=len(in_doubt),
        undecided=0 if has_receipts else undecided,
        receipts_missing=len(accepted & times.keys()) if has_receipts else 0,
        sent_without_lease=len(_claimed_without_lease() & times.keys()),
        flagged_seconds=round(flagged_seconds, 1),
        stray=_stray(),
        seconds=round(seconds, 1),
    )


def _doubts() -> int:
    return (
        Attempt.objects.filter(outcome="uncertain").count()
        + Attempt.objects.filter(outcome="accepted", raw_status="process lost").count()
    )


def _claimed_without_lease() -> set[str]:
    """Phones of texts that were claimed after another had claimed under a newer lease."""
    newer = Attempt.objects.filter(
        gateway=OuterRef("gateway"), epoch__gt=OuterRef("epoch"), started_at__lt=OuterRef("started_at")
    )
    return set(Attempt.objects.filter(Exists(newer)).values_list("message__phone", flat=True))


def _stray() -> int:
    chunks = Waiting.objects.filter(state="queued").values_list("ids", flat=True)
    in_chunks = {pk for ids in chunks for pk in ids}
    queued = Message.objects.filter(state=State.QUEUED).values_list("pk", flat=True)
    return len(set(queued) - in_chunks)
