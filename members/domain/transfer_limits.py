"""What a member passes on alone, without a person of staff: as much as a cashier of that store does alone.

Counted over the same rolling windows, for the member: what they have given in the portal and others took there. Above
it, it is passed on at the till, where a second person can approve it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.domain.transfer_refusals import TransferRefused
from members.enums import Role
from members.models import LimitedDeed, StaffLimit, Transfer, TransferStatus

_MEASURES = {
    LimitedDeed.TRANSFER: "amount_minor",
    LimitedDeed.TRANSFER_SERVICES: "services",
    LimitedDeed.TRANSFER_POINTS: "points",
}


def check_alone(member_id: int, store_id: int, amount_minor: int, services: int, points: int) -> None:
    """Refuse what is above the limits of a cashier at this store. Under the giver's locks no second one slips through.

    Raises TransferRefused.
    """
    asked = {"amount_minor": amount_minor, "services": services, "points": points}
    if any(_is_over(limit, member_id, asked) for limit in _limits(store_id)):
        raise TransferRefused(_("So much is passed on at the till only, with a second person."))


def _limits(store_id: int) -> Iterable[StaffLimit]:
    here = Q(store=None) | Q(store=store_id)
    return StaffLimit.objects.filter(here, role=Role.CASHIER, staff=None, deed__in=_MEASURES)


def _is_over(limit: StaffLimit, member_id: int, asked: dict[str, int]) -> bool:
    measure = _MEASURES[LimitedDeed(limit.deed)]
    if not asked[measure]:
        return False
    given = Transfer.objects.filter(
        card__member=member_id,
        status=TransferStatus.DONE,
        sent__staff=None,
        sent__created_at__gt=Now() - timedelta(hours=limit.window_hours),
        **{f"{measure}__gt": 0},
    )
    if limit.store_id is not None:
        given = given.filter(store=limit.store_id)
    before = given.aggregate(total=Sum(F(measure)), times=Count("pk"))
    is_more = limit.amount_max is not None and (before["total"] or 0) + asked[measure] > limit.amount_max
    return is_more or (limit.count_max is not None and before["times"] >= limit.count_max)
