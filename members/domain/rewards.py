"""Points for a reward."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain.allocation import take_in_order
from members.domain.deeds import NotOffered, Outcome, begin, conclude, legs_by_kind, replayed
from members.domain.ledger import Actor, Leg
from members.enums import AccountKind, OperationKind
from members.models import Card, Reward, Store
from members.refusals import Refused


class InsufficientPoints(Refused):
    """The member does not have that many points."""

    code = "insufficient_points"
    field = "reward"


def redeem_points(
    *, actor: Actor, key: str, at: datetime, store: Store, card: Card, reward: Reward
) -> Outcome:
    """Points for a reward, soonest to expire first. Publishes points_redeemed. Raises InsufficientPoints."""
    if not reward.is_active or reward.store_id not in (None, store.pk):
        raise NotOffered(_("This reward is not offered at this store."), field="reward")
    with transaction.atomic():
        request = {"card": card.pk, "reward": reward.pk}
        deed = begin(
            OperationKind.REDEEM,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request=request,
            lots_of=(AccountKind.POINTS,),
            note=reward.name,
        )
        if deed.is_replay:
            return replayed(deed)
        lots = deed.lots_of(AccountKind.POINTS)
        if sum(lot.remaining for lot in lots) < reward.points:
            raise InsufficientPoints(_("There are not enough points for this reward."))
        uses = take_in_order(lots, reward.points)
        legs = [*legs_by_kind(deed, uses), Leg(reward.points, store=store.pk, kind=AccountKind.REWARDS)]
        facts = {"reward": reward.name, "points": reward.points}
        return conclude(deed, legs, event="points_redeemed", facts=facts, card=card, store=store)
