"""Two members who are one person become one: what is worth something moves by the ledger, the rest is handed over.

The cards' value leaves the merged member's accounts and arrives, lot by lot with origin, terms and end kept, on a
new card of the same product; no entry ever changes its account (L20). The merged member stays as a name for the past:
it holds its deeds and events, cannot log in and is found nowhere but here. An undo gives everything back, within
seven days and only while the moved value is untouched: value that was spent, or a card that was used, cannot be told
apart from the kept member's own any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members import signals
from members.domain import audit, merge_values, tiers
from members.domain.ledger import Actor, NotCurrent, OwnAccount, check_same
from members.domain.merge_persons import hand_back, hand_over
from members.enums import CardStatus, HoldStatus, Role
from members.models import (
    Card,
    CardPause,
    Hold,
    Member,
    MemberStatus,
    Merge,
    PhoneChange,
    PhoneChangeStatus,
    Staff,
    Store,
    TierStanding,
    Transfer,
    TransferStatus,
)
from members.refusals import Refused

UNDO_FOR = timedelta(days=7)


class MergeForbidden(Refused):
    """A manager or owner merges, and says why."""

    code = "merge_forbidden"
    field = "reason"


class SameMember(Refused):
    """A member is not merged into itself."""

    code = "merge_same_member"


class MergeBlocked(Refused):
    """Something of them is under way. `facts["what"]` lists it in words."""

    code = "merge_blocked"


class MergeOver(Refused):
    """It was undone already, or its seven days are over."""

    code = "merge_over"


@dataclass(frozen=True)
class Preview:
    """Both side by side: what would move, and what has to be ended first."""

    kept: Member
    merged: Member
    value: merge_values.Value
    cards: Sequence[Card]
    coupons: int
    purchases: int
    blocked_by: Sequence[str]


def preview(*, kept: Member, merged: Member, at: datetime) -> Preview:
    """What a merge would move, read without locks."""
    return Preview(
        kept,
        merged,
        merge_values.value_of(merged, at),
        merge_values.cards_of(merged),
        merged.coupons.count(),
        merged.purchases.count(),
        _under_way(kept, merged),
    )


def merge(
    *, actor: Actor, key: str, at: datetime, store: Store, kept: Member, merged: Member, reason: str
) -> Merge:
    """Take one member into the other. Audited. The same key gives the same merge.

    Locks both members, then the accounts of both, each in id order: a spend or a hold that came first is counted, one
    that comes later finds its card replaced. Above a limit of the person's one yes covers all cards, bound to both members
    and to all that moves. Raises MergeForbidden, SameMember, NotCurrent, MergeBlocked,
    ledger.OwnAccount, ledger.ApprovalRequired, ledger.ApprovalInvalid, ledger.AccountFrozen, ledger.IdempotencyConflict.
    """
    with transaction.atomic():
        both = _locked(kept, merged)
        if known := Merge.objects.filter(scope=actor.scope, key=key).first():
            check_same(
                {"kept": known.kept_id, "merged": known.merged_id}, {"kept": kept.pk, "merged": merged.pk}
            )
            return known
        _check_word(actor, store, reason)
        kept, merged = both[kept.pk], both[merged.pk]
        merge_values.lock(actor, kept, merged)
        _check(actor, kept, merged)  # what was under way at a till is seen now, or comes after
        done = Merge(
            kept=kept,
            merged=merged,
            store=store,
            staff_id=actor.staff_id,
            reason=reason.strip(),
            scope=actor.scope,
            key=key,
            at=at,
        )
        hand_over(done, at)
        done.save(force_insert=True)
        merge_values.move_over(done, actor)
        _cool_as_either(kept, merged)
        merged.status, merged.merged_into = MemberStatus.MERGED, kept
        merged.save(update_fields=["status", "merged_into"])
        signals.members_merged.send(Member, kept=kept, merged=merged, at=at)
        TierStanding.objects.filter(member=merged).delete()  # not told: they are nobody to be texted any more
        if tiers.is_scheme_in_use():
            tiers.rejudge(kept, at=at)
        _audit("member_merged", done, actor, at)
        return done


def undo(*, actor: Actor, at: datetime, store: Store, done: Merge) -> Merge:
    """Make two of them again. Audited. Undone again it stays as it was.

    What came to the kept member since stays there. Raises MergeForbidden, MergeOver, NotCurrent, MergeUsed.
    """
    with transaction.atomic():
        both = _locked(done.kept, done.merged)
        held = Merge.objects.select_for_update().get(pk=done.pk)
        if held.undone_at:
            return held
        _check_word(actor, store, held.reason)
        held.kept, held.merged = both[held.kept_id], both[held.merged_id]
        if at >= held.at + UNDO_FOR:
            raise MergeOver(_("A merge can be undone for seven days only."))
        if not held.kept.is_current:
            raise NotCurrent(_("This member was merged into another, or erased."))
        merge_values.lock(actor, held.kept, held.merged)
        held.merged.status, held.merged.merged_into = MemberStatus.ACTIVE, None
        held.merged.save(update_fields=["status", "merged_into"])
        merge_values.move_back(held, actor, at)
        hand_back(held, at)
        held.undone_at, held.undone_by_id = at, actor.staff_id
        held.save(update_fields=["undone_at", "undone_by"])
        if tiers.is_scheme_in_use():
            tiers.rejudge(held.kept, held.merged, at=at)
        _audit("merge_undone", held, actor, at)
        return held


def _cool_as_either(kept: Member, merged: Member) -> None:
    """Where the number of either was just changed, the days of small spends go with the value: a merge ends none."""
    ends = [until for until in (kept.cooling_until, merged.cooling_until) if until]
    if ends and max(ends) != kept.cooling_until:
        kept.cooling_until = max(ends)
        kept.save(update_fields=["cooling_until"])


def standing_merges(kept: Member) -> list[Merge]:
    """The merges into this member that still hold, newest first."""
    return list(
        Merge.objects.filter(kept=kept, undone_at=None).select_related("merged", "staff").order_by("-id")
    )


def _locked(one: Member, other: Member) -> dict[int, Member]:
    """Both, in id order: no new card, no phone change, no other merge meanwhile.

    Not against a deed's foreign key (`no_key`): that is checked when the deed commits, with its accounts locked.
    """
    if one.pk == other.pk:
        raise SameMember(_("This is the same member."))
    members = Member.objects.select_for_update(of=("self",), no_key=True).select_related(
        "home_store", "facts"
    )
    return {member.pk: member for member in members.filter(pk__in=[one.pk, other.pk]).order_by("pk")}


def _check_word(actor: Actor, store: Store, reason: str) -> None:
    staff = Staff.objects.filter(pk=actor.staff_id).first() if actor.staff_id else None
    if staff is None or not staff.may(store.pk, Role.MANAGER, Role.OWNER):
        raise MergeForbidden(_("Only a manager or owner merges members."))
    if not reason.strip():
        raise MergeForbidden(_("Say why."))


def _check(actor: Actor, kept: Member, merged: Member) -> None:
    if not (kept.is_current and merged.is_current):
        raise NotCurrent(_("This member was merged into another, or erased."))
    staff = Staff.objects.filter(pk=actor.staff_id).first() if actor.staff_id else None
    own = bytes(staff.phone_hash or b"") if staff else b""
    if staff and any(staff.member_id == one.pk or own == bytes(one.phone_hash) for one in (kept, merged)):
        raise OwnAccount(_("You cannot do this on your own account. Ask a colleague."))
    if what := _under_way(kept, merged):
        raise MergeBlocked(
            _("End this first: %(what)s.") % {"what": ", ".join(str(one) for one in what)}, what=what
        )


def _under_way(kept: Member, merged: Member) -> list[str]:
    """What would be torn apart, in words."""
    both = (kept, merged)
    found = {
        _("a hold"): Hold.objects.filter(card__member=merged, status=HoldStatus.OPEN),
        _("a transfer"): Transfer.objects.filter(status=TransferStatus.PROPOSED, card__member__in=both)
        | Transfer.objects.filter(status=TransferStatus.PROPOSED, receiver__in=both),
        _("a phone change"): PhoneChange.objects.filter(member__in=both, status=PhoneChangeStatus.PENDING),
        _("a paused card"): CardPause.objects.filter(card__member=merged, ended_at=None),
        _("a frozen card"): Card.objects.filter(member=merged, status=CardStatus.FROZEN),
    }
    return [str(words) for words, rows in found.items() if rows.exists()]


def _audit(verb: str, done: Merge, actor: Actor, at: datetime) -> None:
    after = {"member": done.kept.member_no, "merged": done.merged.member_no}
    audit.write(actor=actor, verb=verb, subject=done.kept, store=done.store, after=after, at=at)
