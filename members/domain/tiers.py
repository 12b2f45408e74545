"""Tiers: a pure function of the ledger and the day, kept in `TierStanding` and told when it changes.

A member's figure is what they spent (or visited, recharged, earned in points) in the last months up to a day, the
days being those of their home store. What was given back never counted, at its own time: a full refund restores
the tier. The tier is the highest threshold the figure reaches; below the first there is none. When the figure
falls, the scheme's policy says when the tier does:

* at once, or after its days of grace: the highest figure of the last days counts;
* kept until the end of the period: the highest figure since the period began (grace later) counts;
* one step a period: an earlier period's highest counts one tier less for each period since.

All of it is `tier_judged` in sql/tiers.sql. A tier set by hand decides until its last day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from members.domain import audit, coupon_issuing, events, housebook
from members.domain.bills import Bill
from members.domain.coupon_issuing import Gift
from members.domain.coupon_locks import lock_definitions
from members.domain.events import Fact
from members.domain.housebook import House
from members.domain.ledger import Actor
from members.domain.local_days import day_of
from members.domain.moves import lock_members
from members.event_types import EVENT_TYPES
from members.models import (
    Account,
    AuditVerb,
    CouponDefinition,
    Member,
    MembershipEvent,
    Tier,
    TierEntry,
    TierOverride,
    TierScheme,
    TierStanding,
)
from members.refusals import Refused

SOURCE = "tiers"
TOLD_TOGETHER = 500


class OverrideRefused(Refused):
    """A tier is set by hand with a reason and until a day to come."""

    code = "override_invalid"


@dataclass(frozen=True)
class Privileges:
    """What a member's tier gives. No tier gives nothing."""

    tier: Tier | None = None
    discount_percent: int = 0
    points_percent: int = 100

    def off(self, bill: Bill) -> Bill:
        """The bill with the tier's discount taken off."""
        return bill.less_percent(self.discount_percent, str(self.tier)) if self.discount_percent else bill


NONE = Privileges()


def privileges_of(member: Member, at: datetime, house: House | None = None) -> Privileges:
    """What the tier gives that a member holds at a moment; one read of one row, and none without a scheme."""
    known = house or housebook.house()
    held = privileges_held(member, at, known)
    if held is None:
        _judge_under_locks(member, at)
        held = privileges_held(member, at, known)
    return held or NONE


def privileges_held(member: Member, at: datetime, house: House) -> Privileges | None:
    """The same without judging anybody; None when a tier set by hand has ended, so that the figures decide first."""
    if not house.tiers:
        return NONE
    standing = TierStanding.objects.filter(member=member).values_list("tier_id", "until_on").first()
    tier = house.tiers.get(standing[0]) if standing else None
    if not standing or not tier:
        return NONE
    if standing[1] and standing[1] < day_of(member.home_store, at):
        return None
    return Privileges(tier, tier.discount_percent, tier.points_percent)


@transaction.atomic
def _judge_under_locks(member: Member, at: datetime) -> None:
    """Judge before a deed: the accounts are locked first, as by deeds, which judge last. Neither waits in a ring."""
    accounts = Account.objects.select_for_update(no_key=True).filter(member=member)
    list(accounts.order_by("id").values_list("id"))
    rejudge(member, at=at)


def rejudge(*members: Member, at: datetime) -> bool:
    """Judge them now, under the locks of a deed of theirs or of their rows. Publishes tier_changed for who moved."""
    moves = [move for member in members for move in judge(at, member.pk)]
    _tell_under_locks(list(_moves().filter(id__in=moves).order_by("id")), at)
    return bool(moves)


def fold(*, at: datetime) -> dict[str, int]:
    """Judge everybody in one statement and tell who moved. Safe to run twice, also at once."""
    with transaction.atomic():
        moves = judge(at)
    told = 0
    for start in range(0, len(moves), TOLD_TOGETHER):
        told += tell_moves(at=at, entries=moves[start : start + TOLD_TOGETHER])
    return {"moved": len(moves), "told": told + tell_moves(at=at)}


def tell_moves(*, at: datetime, entries: list[int] | None = None, limit: int = TOLD_TOGETHER) -> int:
    """Publish tier_changed for moves that are not told yet: these, or whichever a lost run left behind.

    Locks the members who get a coupon, in id order, before the definitions.
    """
    key = Concat(Value("tier:"), Cast(OuterRef("pk"), CharField()))
    told_before = MembershipEvent.objects.filter(source=SOURCE, key=key)
    untold = _moves().filter(~Exists(told_before))
    if entries is None:
        latest = TierEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
        untold = untold.filter(id__gt=latest - 10 * limit)
    else:
        untold = untold.filter(id__in=entries)
    with transaction.atomic():
        batch = list(untold.order_by("id")[:limit])
        lock_members(entry.member for entry in batch if _coupon_of(entry))
        return _tell_under_locks(batch, at)


def _moves() -> QuerySet[TierEntry]:
    return TierEntry.objects.select_related("member__home_store", "tier__coupon", "tier_before")


def _tell_under_locks(entries: Collection[TierEntry], at: datetime) -> int:
    lock_definitions(given.pk for entry in entries if (given := _coupon_of(entry)))
    told = events.publish_many([_fact(entry) for entry in entries], at=at)
    _give_coupons(entries, at)
    return len(told)


def _fact(entry: TierEntry) -> Fact:
    return Fact(
        name=EVENT_TYPES["tier_changed"].name,
        member=entry.member,
        store=entry.member.home_store,
        source=SOURCE,
        key=f"tier:{entry.pk}",
        payload={
            "tier": entry.tier.name if entry.tier else "",
            "tier_before": entry.tier_before.name if entry.tier_before else "",
        },
    )


def _coupon_of(entry: TierEntry) -> CouponDefinition | None:
    """What the tier gives to who rises to it."""
    tier, before = entry.tier, entry.tier_before
    rises = tier is not None and (before is None or before.threshold < tier.threshold)
    return tier.coupon if tier and rises else None


def _give_coupons(entries: Iterable[TierEntry], at: datetime) -> None:
    """The coupons of tiers, once a member and tier. A definition that gives no more, or a member no more, get none."""
    gifts: dict[CouponDefinition, list[Gift]] = defaultdict(list)
    for entry in entries:
        tier, definition = entry.tier, _coupon_of(entry)
        if tier and definition:
            key = f"tier:{tier.pk}:{entry.member_id}"
            gifts[definition].append(Gift(entry.member, entry.member.home_store, key, tier.name))
    for definition, wanted in gifts.items():
        with suppress(coupon_issuing.CouponNotIssued):
            coupon_issuing.issue_each(definition=definition, gifts=wanted, actor=Actor(SOURCE), at=at)


def judge(at: datetime, member_id: int | None = None) -> list[int]:
    """Judge one member or all and keep what changed; the ids of the moves, which are not told yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry_id FROM tier_fold(%s, %s)", [at, member_id])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def set_by_hand(
    *, actor: Actor, at: datetime, member: Member, tier: Tier, until_on: date, reason: str
) -> TierOverride:
    """Give a member a tier until a day, whatever the figures say. Publishes tier_changed. Raises OverrideRefused.

    An earlier override of the member ends.
    """
    today = day_of(member.home_store, at)
    if not reason.strip():
        raise OverrideRefused(_("Say why."), field="reason")
    if until_on < today:
        raise OverrideRefused(_("Choose a day to come."), field="until_on")
    if not tier.scheme.is_active:
        raise OverrideRefused(_("This tier is not of the scheme in use."), field="tier")
    Member.objects.select_for_update(no_key=True).only("id").get(pk=member.pk)
    TierOverride.objects.filter(member=member, ended_at=None).update(ended_at=at)
    override = TierOverride.objects.create(
        member=member, tier=tier, until_on=until_on, reason=reason.strip(), staff_id=actor.staff_id, at=at
    )
    rejudge(member, at=at)
    after = {"tier": tier.name, "until": until_on, "reason": override.reason}
    audit.write(
        actor=actor,
        verb=AuditVerb.TIER_OVERRIDDEN,
        subject=member,
        store=member.home_store,
        after=after,
        at=at,
    )
    return override


@transaction.atomic
def let_figures_decide(*, actor: Actor, at: datetime, member: Member) -> bool:
    """End the override of a member. Publishes tier_changed when they moved."""
    Member.objects.select_for_update(no_key=True).only("id").get(pk=member.pk)
    ended = TierOverride.objects.filter(member=member, ended_at=None).update(ended_at=at)
    if not ended:
        return False
    rejudge(member, at=at)
    audit.write(
        actor=actor,
        verb=AuditVerb.TIER_OVERRIDDEN,
        subject=member,
        store=member.home_store,
        before={"by_hand": True},
        at=at,
    )
    return True


def is_scheme_in_use() -> bool:
    """Whether there is anything to judge by."""
    return bool(housebook.house().tiers)


def active_scheme() -> TierScheme | None:
    """The scheme in use, with its tiers, lowest first."""
    return TierScheme.objects.prefetch_related("tiers").filter(is_active=True).first()
