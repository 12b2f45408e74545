"""Issuing coupons: to one member by hand or by a deed, or to many, each once by its key.

Locked in this order: the members in id order (or, by a deed, the accounts it has locked), then as coupon_locks.py says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from members.domain import events
from members.domain.coupon_codes import new_code
from members.domain.events import Fact
from members.domain.ledger import Actor, NotCurrent, OwnAccount
from members.domain.moves import lock_members
from members.models import (
    Coupon,
    CouponDefinition,
    CouponHandout,
    CouponKind,
    CouponState,
    Member,
    Operation,
    Staff,
    Store,
)
from members.refusals import Refused

BATCH = 500


class CouponNotIssued(Refused):
    """The definition does not give another coupon, or not to this member; the message says why."""

    code = "coupon_not_issued"
    field = "definition"


@dataclass(frozen=True)
class Term:
    """When a coupon may be used: from its first moment on, and before its end. None is no limit."""

    active_from: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Gift:
    """A coupon for one of many: at whose store, by which key, and why."""

    member: Member
    store: Store
    key: str
    reason: str


@dataclass(frozen=True)
class Issued:
    """What an issue to many did: how many coupons are new, how many members had theirs or may have no more."""

    issued: int
    skipped: int


def key_of_gift(recharge: Operation) -> str:
    """The key under which a recharge gives the coupon of its plan, once; the way back finds it by that."""
    return f"recharge:{recharge.public_id}"


def issue(
    *,
    definition: CouponDefinition,
    member: Member,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    reason: str = "",
    is_by_hand: bool = False,
    is_in_deed: bool = False,
) -> Coupon:
    """Give one member one coupon. Publishes coupon_issued. The same key again gives the same coupon.

    `is_in_deed` says that a merge waits already, for the accounts of a deed of the member or for the member's row.
    `is_by_hand` is a person's own gift: never to their own account, and no more a day than the definition says.
    Raises CouponNotIssued, ledger.NotCurrent, ledger.OwnAccount.
    """
    with transaction.atomic():
        if not is_in_deed:
            lock_members([member])
        locked = _lock(definition)
        earlier = (
            Coupon.objects.filter(scope=actor.scope, key=key).select_related("definition", "member").first()
        )
        if earlier:
            return earlier
        if not Member.objects.current().filter(pk=member.pk).exists():
            raise NotCurrent(_("This member was merged into another, or erased."))
        if is_by_hand:
            _check_gift(locked, member, actor, at, store, reason)
        if _room(locked) == 0:
            raise CouponNotIssued(_("All of these coupons have been given out."))
        if not _left_for(locked, [member])[member.pk]:
            raise CouponNotIssued(_("This member has had as many of these coupons as one may have."))
        term = term_of(locked, at, store.zone)
        coupon = _coupon(locked, Gift(member, store, key, reason), term, actor, at)
        coupon.save(force_insert=True)
        events.publish_many([_fact(coupon, actor)], at=at)
    return coupon


def issue_to(
    *,
    definition: CouponDefinition,
    members: Iterable[Member],
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    reason: str = "",
    handout: CouponHandout | None = None,
) -> Issued:
    """Give each of these members one coupon, in batches that commit by themselves. Publishes coupon_issued for each.

    Safe to repeat with the same key: who has theirs is skipped, as is who may have no more or is a member no more, the
    person's own account, and everybody after the last one of the quota. Raises CouponNotIssued when the definition gives none at all.
    """
    issued = skipped = 0
    own = _own_member_ids(actor)
    for batch in _batches(members):
        new = _issue_batch(
            definition, [one for one in batch if one.pk not in own], actor, key, at, store, reason, handout
        )
        issued, skipped = issued + new, skipped + len(batch) - new
    return Issued(issued, skipped)


def _batches(members: Iterable[Member]) -> Iterator[list[Member]]:
    rest = iter(members)
    while batch := list(islice(rest, BATCH)):
        yield batch


@transaction.atomic
def _issue_batch(
    definition: CouponDefinition,
    batch: Sequence[Member],
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    reason: str,
    handout: CouponHandout | None,
) -> int:
    lock_members(batch)
    term_of(_lock(definition), at, store.zone)
    gifts = [Gift(member, store, f"{key}:{member.pk}", reason) for member in batch]
    return issue_each(definition=definition, gifts=gifts, actor=actor, at=at, handout=handout)


@transaction.atomic
def issue_each(
    *,
    definition: CouponDefinition,
    gifts: Sequence[Gift],
    actor: Actor,
    at: datetime,
    handout: CouponHandout | None = None,
) -> int:
    """These gifts, in their order, under the locks of their members or of a deed; how many are new now.

    Left out is who has theirs, may have no more or is a member no more, whoever comes after the last one of the
    quota, and where the days are over. Publishes coupon_issued. Raises CouponNotIssued when none is given at all.
    """
    locked = _lock(definition)
    wanted = _wanted(locked, gifts, actor)
    coupons: list[Coupon] = []
    for gift in wanted[: _room(locked)]:
        with suppress(CouponNotIssued):
            term = term_of(locked, at, gift.store.zone)
            coupons.append(_coupon(locked, gift, term, actor, at, handout))
    Coupon.objects.bulk_create(coupons)
    events.publish_many([_fact(coupon, actor) for coupon in coupons], at=at)
    return len(coupons)


def _wanted(definition: CouponDefinition, gifts: Sequence[Gift], actor: Actor) -> list[Gift]:
    keys, people = [gift.key for gift in gifts], [gift.member for gift in gifts]
    done = set(Coupon.objects.filter(scope=actor.scope, key__in=keys).values_list("key", flat=True))
    current = Member.objects.current().filter(pk__in=[member.pk for member in people])
    left = _left_for(definition, people)
    still = {pk: left[pk] for pk in current.values_list("pk", flat=True)}
    wanted = []
    for gift in gifts:
        if gift.key not in done and still.get(gift.member.pk):
            wanted.append(gift)
            done.add(gift.key)
            still[gift.member.pk] -= 1
    return wanted


def term_of(definition: CouponDefinition, at: datetime, zone: ZoneInfo) -> Term:
    """The days of a coupon issued now; days begin and end at the store's midnight. Raises CouponNotIssued."""
    today = at.astimezone(zone).date()
    first = max(definition.valid_from or today, today)
    ends = [definition.valid_to] if definition.valid_to else []
    if definition.valid_days:
        ends.append(first + timedelta(days=definition.valid_days))
    last = min(ends, default=None)
    if last is not None and last < first:
        raise CouponNotIssued(_("The last day of these coupons is over."))
    return Term(
        _midnight(first, zone) if first > today else None,
        _midnight(last + timedelta(days=1), zone) if last else None,
    )


def told(coupon: Coupon) -> dict[str, str]:
    """The placeholders of the coupon's events."""
    last = coupon.last_on
    named = {"coupon": coupon.definition.name, "code": str(coupon)}
    return named | ({"expires_on": last.isoformat()} if last else {})


def _lock(definition: CouponDefinition) -> CouponDefinition:
    locked = CouponDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    if not locked.is_active:
        raise CouponNotIssued(_("These coupons are not given out any more."))
    return locked


def _room(definition: CouponDefinition) -> int | None:
    """How many more there may be."""
    return None if definition.quota is None else max(definition.quota - definition.issued, 0)


def most_off(definition: CouponDefinition) -> int | None:
    """The most one coupon takes off; None when only the bill bounds it."""
    return definition.off_max_minor if definition.kind == CouponKind.PERCENT else definition.off_minor


def budget_room(definition: CouponDefinition) -> int | None:
    """How many more coupons the rest of the budget pays for, each at its most; None when nothing bounds them.

    What is out and unused has its part of the budget already.
    """
    most = most_off(definition)
    if definition.budget_minor is None or not most:
        return None
    still_open = (CouponState.ISSUED, CouponState.RESERVED)
    out = Coupon.objects.filter(definition=definition, state__in=still_open).count()
    return max((definition.budget_minor - definition.taken_minor) // most - out, 0)


def _left_for(definition: CouponDefinition, members: Sequence[Member]) -> dict[int, int]:
    """How many more each may have, by id. What was given to whoever was merged into them counts too."""
    everybody = {member.pk for member in members}
    if definition.member_limit is None:
        return dict.fromkeys(everybody, len(members))
    absorbed = Member.objects.filter(merged_into__in=everybody).values_list("pk", "merged_into")
    person_of = {pk: pk for pk in everybody} | dict(absorbed)
    counted = Coupon.objects.filter(definition=definition, member_id__in=person_of).filter(
        ~Q(state=CouponState.VOID) | Q(round__gt=0)
    )
    held = Counter(person_of[member] for member in counted.values_list("member", flat=True))
    return {one: max(definition.member_limit - held[one], 0) for one in everybody}


def _check_gift(
    definition: CouponDefinition, member: Member, actor: Actor, at: datetime, store: Store, reason: str
) -> None:
    if not reason.strip():
        raise CouponNotIssued(_("Say why."), field="reason")
    if member.pk in _own_member_ids(actor):
        raise OwnAccount(_("You cannot do this on your own account. Ask a colleague."))
    if definition.staff_daily_limit is None:
        return
    assert actor.staff_id is not None, "a gift by hand has a hand"
    since = _midnight(at.astimezone(store.zone).date(), store.zone)
    today = Coupon.objects.filter(definition=definition, staff_id=actor.staff_id, issued_at__gte=since)
    if today.exclude(reason="").count() >= definition.staff_daily_limit:
        raise CouponNotIssued(_("You have given out as many of these coupons as one person may in a day."))


def _own_member_ids(actor: Actor) -> set[int]:
    """The accounts that are the person's own: by link or by phone."""
    if actor.staff_id is None:
        return set()
    staff = Staff.objects.get(pk=actor.staff_id)
    own = (
        Q(pk=staff.member_id) | Q(phone_hash=staff.phone_hash) if staff.phone_hash else Q(pk=staff.member_id)
    )
    return set(Member.objects.filter(own).values_list("pk", flat=True))


def _coupon(
    definition: CouponDefinition,
    gift: Gift,
    term: Term,
    actor: Actor,
    at: datetime,
    handout: CouponHandout | None = None,
) -> Coupon:
    return Coupon(
        code=new_code(),
        definition=definition,
        member=gift.member,
        store=gift.store,
        staff_id=actor.staff_id,
        scope=actor.scope,
        key=gift.key,
        handout=handout,
        reason=gift.reason.strip()[:200],
        issued_at=at,
        active_from=term.active_from,
        expires_at=term.expires_at,
    )


def _fact(coupon: Coupon, actor: Actor) -> Fact:
    return Fact(
        name="coupon_issued",
        member=coupon.member,
        store=coupon.store,
        source=actor.scope,
        key=f"coupon:{coupon.public_id}",
        payload=told(coupon),
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
