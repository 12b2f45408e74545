"""Points for a reward, and the reward put back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.domain.allocation import take_in_order
from members.domain.deeds import NotOffered, Outcome, begin, conclude, legs_by_kind, replayed
from members.domain.ledger import Actor, Leg
from members.domain.local_days import day_of
from members.domain.tiers import privileges_of
from members.enums import AccountKind, OperationKind
from members.models import Card, Member, Operation, Reward, RewardTaking, Store
from members.refusals import Refused


class InsufficientPoints(Refused):
    """The member does not have that many points."""

    code = "insufficient_points"
    field = "reward"


class OutOfStock(Refused):
    """The last one was handed out."""

    code = "out_of_stock"
    field = "reward"


class RewardLimitReached(Refused):
    """The member has taken as many as one member may."""

    code = "reward_limit_reached"
    field = "reward"


def redeem_points(
    *, actor: Actor, key: str, at: datetime, store: Store, card: Card, reward: Reward
) -> Outcome:
    """Points for a reward, soonest to expire first, and one less in stock. Publishes points_redeemed.

    The member's accounts are locked first, then a reward that is counted: the last one is handed out once.
    Raises NotOffered, InsufficientPoints, OutOfStock, RewardLimitReached.
    """
    with transaction.atomic():
        deed = begin(
            OperationKind.REDEEM,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request={"card": card.pk, "reward": reward.pk},
            lots_of=(AccountKind.POINTS,),
            note=reward.name,
        )
        if deed.is_replay:
            return replayed(deed)
        _check_offered(reward, card.member, store, at)
        lots = deed.lots_of(AccountKind.POINTS)
        if sum(lot.remaining for lot in lots) < reward.points:
            raise InsufficientPoints(_("There are not enough points for this reward."))
        _hand_out(reward, deed.operation)
        uses = take_in_order(lots, reward.points)
        legs = [*legs_by_kind(deed, uses), Leg(reward.points, store=store.pk, kind=AccountKind.REWARDS)]
        facts = {"reward": reward.name, "points": reward.points}
        return conclude(deed, legs, event="points_redeemed", facts=facts, card=card, store=store)


def put_back(operation: Operation, at: datetime) -> bool:
    """The reward of a redemption that is taken back, in stock again; once. Inside the refund's transaction."""
    taking = RewardTaking.objects.filter(operation=operation, returned_at=None)
    if not taking.update(returned_at=at):
        return False
    Reward.objects.filter(takings__operation=operation, stock__isnull=False).update(stock=F("stock") + 1)
    return True


def _check_offered(reward: Reward, member: Member, store: Store, at: datetime) -> None:
    today = day_of(store, at)
    if not reward.is_active or reward.store_id not in (None, store.pk):
        raise NotOffered(_("This reward is not offered at this store."), field="reward")
    if (reward.starts_on and today < reward.starts_on) or (reward.ends_on and reward.ends_on < today):
        raise NotOffered(_("This reward is not offered today."), field="reward")
    if reward.tier:
        held = privileges_of(member, at).tier
        if held is None or held.threshold < reward.tier.threshold:
            needed = _("This reward is for %(tier)s members.") % {"tier": reward.tier.name}
            raise NotOffered(needed, field="reward")


def _hand_out(reward: Reward, operation: Operation) -> None:
    """One less in stock, one more of this member's. The member's accounts are locked, so the count stands.

    What was taken by whoever was merged into them counts too.
    """
    if reward.per_member_max is not None:
        people = Member.objects.filter(Q(pk=operation.member_id) | Q(merged_into=operation.member_id))
        taken = RewardTaking.objects.filter(reward=reward, member__in=people, returned_at=None).count()
        if taken >= reward.per_member_max:
            raise RewardLimitReached(_("This member has taken this reward as often as allowed."))
    counted = Reward.objects.filter(pk=reward.pk, stock__isnull=False)
    if reward.stock is not None and not counted.filter(stock__gt=0).update(stock=F("stock") - 1):
        raise OutOfStock(_("This reward is out of stock."))
    RewardTaking.objects.create(operation=operation, reward=reward, member_id=operation.member_id)
