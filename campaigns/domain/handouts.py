"""Coupons for an audience: one for each member, in the background, and taken back as far as unused.

A step is one transaction: locked are the hand-out's row, the next members after the last one, the definition; they get
theirs, the row says how far it is. A killed worker loses nothing and repeats nothing: a coupon's key names the hand-out and the member.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain.audiences import Audience
from members.domain import audit, coupon_issuing, coupons
from members.domain.coupon_issuing import CouponNotIssued, budget_room
from members.domain.ledger import Actor
from members.domain.moves import lock_members
from members.models import (
    AuditVerb,
    Coupon,
    CouponDefinition,
    CouponHandout,
    CouponState,
    HandoutState,
    Member,
    Store,
)
from members.refusals import Refused

BATCH = 500
STEPS = 20  # a job's share, then it makes room for others


class HandoutRefused(Refused):
    """Nobody meets the criteria, no reason was given, or it is over."""

    code = "handout_refused"


class AudienceChanged(HandoutRefused):
    """Not as many meet the criteria as were agreed to."""

    code = "audience_changed"
    field = ""


@transaction.atomic
def begin(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    definition: CouponDefinition,
    audience: Audience,
    reason: str,
    expected: int | None = None,
) -> CouponHandout:
    """Write down that these members of a store shall have a coupon. The same key is the same hand-out. Audited.

    `expected` is how many of them the person has agreed to. Raises HandoutRefused, AudienceChanged, CouponNotIssued
    when the definition gives none at all.
    """
    if known := CouponHandout.objects.filter(key=f"{actor.scope}:{key}").first():
        if (known.definition_id, known.audience) != (definition.pk, audience.as_json()):
            raise HandoutRefused(_("This form has handed out coupons already. Open it again for others."))
        return known
    if actor.staff_id is None:
        raise ValueError("coupons are handed out by people of staff")
    if not reason.strip():
        raise HandoutRefused(_("Say why."), field="reason")
    if not definition.is_active:
        raise CouponNotIssued(_("These coupons are not given out any more."))
    coupon_issuing.term_of(definition, at, store.zone)
    matching = audience.members(store, at=at).count()
    if not matching:
        raise HandoutRefused(_("Nobody meets these criteria."), field="")
    if expected not in (None, matching):
        raise AudienceChanged(_("There are other members now than a moment ago. Look at the numbers again."))
    facts = {
        "definition": definition,
        "store": store,
        "staff_id": actor.staff_id,
        "audience": audience.as_json(),
        "reason": reason.strip()[:200],
        "matching": matching,
        "asked_at": at,
    }
    handout, is_new = CouponHandout.objects.get_or_create(key=f"{actor.scope}:{key}", defaults=facts)
    if not is_new:
        return handout  # begun by the same click a moment ago
    _audit(AuditVerb.COUPONS_HANDED_OUT, handout, actor, at, {"matching": matching, "reason": reason.strip()})
    return handout


@transaction.atomic
def undo(*, actor: Actor, at: datetime, handout: CouponHandout) -> CouponHandout:
    """Stop it if it runs, and make void what is unused of it. What was used stays used. Audited. Again is no error."""
    held = CouponHandout.objects.select_for_update(no_key=True).get(pk=handout.pk)
    if held.state in (HandoutState.UNDOING, HandoutState.UNDONE):
        return held
    held.state, held.ended_at = HandoutState.UNDOING, None
    held.save(update_fields=["state", "ended_at"])
    _audit(AuditVerb.COUPONS_TAKEN_BACK, held, actor, at, {"issued": held.issued})
    return held


def work(*, handout_id: int, at: datetime) -> bool:
    """Up to `STEPS` steps of one hand-out; whether there is more to do."""
    return all(_step(handout_id, at) for _turn in range(STEPS))


def under_way() -> list[int]:
    """The hand-outs that are not at their end."""
    waiting = CouponHandout.objects.filter(state__in=(HandoutState.RUNNING, HandoutState.UNDOING))
    return list(waiting.order_by("id").values_list("id", flat=True))


@transaction.atomic
def _step(handout_id: int, at: datetime) -> bool:
    """One batch, unless another worker is at it; whether there is more to do."""
    rows = CouponHandout.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    held = rows.select_related("definition", "store").filter(pk=handout_id).first()
    if held is None or not held.is_under_way:
        return False
    return _take_back(held, at) if held.state == HandoutState.UNDOING else _hand_out(held, at)


def _hand_out(held: CouponHandout, at: datetime) -> bool:
    batch = _next(held)
    lock_members(batch)
    definition = CouponDefinition.objects.select_for_update(no_key=True).get(pk=held.definition_id)
    room = budget_room(definition)
    paid_for = batch if room is None else batch[:room]
    if not batch:
        return _end(held, HandoutState.DONE, at)
    if not paid_for:
        return _end(held, HandoutState.STOPPED, at, str(_("The budget pays for no more of these coupons.")))
    try:
        done = coupon_issuing.issue_to(
            definition=definition,
            members=paid_for,
            actor=Actor(f"handout:{held.pk}", held.staff_id),
            key=f"handout:{held.public_id}",
            at=at,
            store=held.store,
            reason=held.reason,
            handout=held,
        )
    except CouponNotIssued as over:
        return _end(held, HandoutState.STOPPED, at, str(over.message))
    held.issued, held.skipped = held.issued + done.issued, held.skipped + done.skipped
    held.last_member_id = paid_for[-1].pk
    held.save(update_fields=["issued", "skipped", "last_member_id"])
    return True


def _next(held: CouponHandout) -> list[Member]:
    audience = Audience.from_json(held.audience).members(held.store, at=held.asked_at)
    rest = audience.filter(pk__gt=held.last_member_id).select_related("home_store")
    return list(rest.order_by("pk")[:BATCH])


def _take_back(held: CouponHandout, at: datetime) -> bool:
    still_open = (CouponState.ISSUED, CouponState.RESERVED)
    batch = list(
        Coupon.objects.filter(handout=held, state__in=still_open)
        .select_related("store", "definition")
        .order_by("id")[:BATCH]
    )
    if not batch:
        return _end(held, HandoutState.UNDONE, at)
    held.voided += coupons.void_unused(batch, staff_id=held.staff_id, reason=held.reason, at=at)
    held.save(update_fields=["voided"])
    return True


def _end(held: CouponHandout, state: HandoutState, at: datetime, why: str = "") -> bool:
    held.state, held.ended_at = state, at
    held.stopped_by = why or held.stopped_by
    held.save(update_fields=["state", "ended_at", "stopped_by"])
    return False


def _audit(verb: str, handout: CouponHandout, actor: Actor, at: datetime, after: dict[str, object]) -> None:
    audit.write(
        actor=actor,
        verb=verb,
        subject=handout.definition,
        store=handout.store,
        after={"handout": str(handout.public_id), "audience": handout.audience, **after},
        at=at,
    )
