"""What is handed over in a merge besides value: purchases, coupons, tags, consents, what was seen of the person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, Min
from django.utils.translation import gettext_lazy as _

from members.domain.coupon_locks import lock_coupons
from members.domain.enrolment import record_consent
from members.domain.merge_values import MergeUsed
from members.enums import ConsentSource, Purpose
from members.models import ConsentEntry, Coupon, CouponState, Member, MemberFacts, Merge, Purchase

_FILLED = ("name", "birthday", "gender", "notes")
_BLANK: dict[str, Any] = {"name": "", "birthday": None, "gender": "", "notes": ""}


def hand_over(done: Merge, at: datetime) -> None:
    """Everything of the merged member that is not value, and in `done` what an undo needs of it."""
    kept, merged = done.kept, done.merged
    purchases = list(Purchase.objects.filter(member=merged).values_list("pk", flat=True))
    open_coupons = Coupon.objects.filter(member=merged, state__in=(CouponState.ISSUED, CouponState.RESERVED))
    coupons = [coupon.pk for coupon in lock_coupons(open_coupons)]
    absorbed = list(Member.objects.filter(merged_into=merged).values_list("pk", flat=True))
    new_tags = [tag for tag in merged.tags if tag not in kept.tags]
    filled = [name for name in _FILLED if not getattr(kept, name) and getattr(merged, name)]
    withdrawn = _stricter(done, at)
    done.kept_before = {"filled": filled, "added_tags": new_tags, "withdrawn": withdrawn}
    done.moved = {"purchases": purchases, "coupons": coupons, "absorbed": absorbed}
    Purchase.objects.filter(pk__in=purchases).update(member=kept)
    Coupon.objects.filter(pk__in=coupons).update(member=kept)
    Member.objects.filter(pk__in=absorbed).update(merged_into=kept)
    for name in filled:
        setattr(kept, name, getattr(merged, name))
    kept.tags = [*kept.tags, *new_tags]
    kept.save(update_fields=[*filled, "tags"])
    _count(kept, _facts(merged), 1)


def hand_back(done: Merge, at: datetime) -> None:
    """What was handed over goes back; what the kept member has said or got since stays. Raises MergeUsed."""
    kept, merged, moved = done.kept, done.merged, done.moved
    coupons = Coupon.objects.filter(pk__in=moved["coupons"], member=kept)
    unused = [coupon for coupon in lock_coupons(coupons) if coupon.state != CouponState.REDEEMED]
    if len(unused) != len(moved["coupons"]):  # what ran out or was made void meanwhile goes back as that
        raise MergeUsed(_("A coupon that came with the merge was used since: it can no longer be undone."))
    coupons.update(member=merged)
    Purchase.objects.filter(pk__in=moved["purchases"], member=kept).update(member=merged)
    Member.objects.filter(pk__in=moved["absorbed"], merged_into=kept).update(merged_into=merged)
    filled = [name for name in done.kept_before["filled"] if getattr(kept, name) == getattr(merged, name)]
    for name in filled:
        setattr(kept, name, _BLANK[name])
    kept.tags = [tag for tag in kept.tags if tag not in done.kept_before["added_tags"]]
    kept.save(update_fields=[*filled, "tags"])
    _give_consent_back(done, at)
    _count(kept, _facts(merged), -1)


def _stricter(done: Merge, at: datetime) -> list[str]:
    """A no of either is the no of the person."""
    withdrawn = []
    for purpose in Purpose:
        flag = f"has_{purpose}_consent"
        if getattr(done.kept, flag) and not getattr(done.merged, flag):
            _say(done, purpose, at, is_given=False)
            withdrawn.append(str(purpose))
    return withdrawn


def _give_consent_back(done: Merge, at: datetime) -> None:
    """A yes that only the merge took back; not one about which the person has spoken since."""
    for purpose in map(Purpose, done.kept_before["withdrawn"]):
        last = ConsentEntry.objects.filter(member=done.kept, purpose=purpose).order_by("-id").first()
        if last and not last.is_given and last.at == done.at:
            _say(done, purpose, at, is_given=True)


def _say(done: Merge, purpose: Purpose, at: datetime, *, is_given: bool) -> None:
    words = ConsentEntry.objects.filter(member=done.kept, purpose=purpose).order_by("-id").first()
    record_consent(
        member=done.kept,
        purpose=purpose,
        is_given=is_given,
        source=ConsentSource.TILL,
        wording_version=words.wording_version if words else "",
        at=at,
        store=done.store,
        staff_id=done.staff_id,
    )


def _facts(member: Member) -> MemberFacts:
    return MemberFacts.objects.filter(member=member).first() or MemberFacts(member=member)


def _count(kept: Member, of_merged: MemberFacts, sign: int) -> None:
    """Visits and money added (or taken off again); first and last visit from the purchases that stand now."""
    facts = _facts(kept)
    seen = Purchase.objects.filter(member=kept).aggregate(first=Min("at"), last=Max("at"))
    facts.visits = max(facts.visits + sign * of_merged.visits, 0)
    facts.spend_minor += sign * of_merged.spend_minor
    facts.first_visit_at = seen["first"] or (facts.first_visit_at if sign > 0 else None)
    facts.last_visit_at = seen["last"] or (facts.last_visit_at if sign > 0 else None)
    facts.save()
