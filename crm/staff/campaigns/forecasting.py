"""Before anything is sent: who would get a text, who not and why, at what cost, in how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from campaigns.domain import wakeup
from campaigns.domain.audiences import Audience
from campaigns.domain.drafting import wording_of
from campaigns.domain.launching import budget_subject
from campaigns.domain.preflight import Preflight, preflight
from campaigns.enums import CampaignKind
from campaigns.models import Campaign, Run
from members.models import Member, Purchase, Store
from messaging.domain import budgets
from messaging.domain.budgets import MILLI
from messaging.domain.outbox import permitted_hours
from messaging.models import Gateway
from messaging.states import Reason

if TYPE_CHECKING:
    from campaigns.domain.scoring import Assessment

DUE_SHOWN = 10


@dataclass(frozen=True)
class Due:
    """One member a programme would wake now: how often they usually come, how long they have been away."""

    member: Member
    usual_days: int
    away_days: int


@dataclass(frozen=True)
class Forecast:
    """A launch now, in numbers. `cost_minor` is at most that; `seconds` is None without a rate to go by;
    `budget_left_minor`, what the tightest budget leaves for it, is None without a budget.
    """

    result: Preflight
    matching: int
    cost_minor: int
    seconds: int | None
    due: tuple[Due, ...] = ()
    budget_left_minor: int | None = None

    @property
    def is_over_budget(self) -> bool:
        """Whether a launch now would be refused for its price."""
        return self.budget_left_minor is not None and self.cost_minor > max(0, self.budget_left_minor)

    @property
    def start(self) -> dict[str, Any]:
        return {"label": _("Meet the criteria"), "value": self.matching}

    @property
    def cuts(self) -> list[dict[str, Any]]:
        """Everybody left out, in the order in which the rules ask."""
        in_order = [reason for reason in Reason if reason.value in self.result.left_out]
        left_out = [
            {"label": reason.label, "value": self.result.left_out[reason.value]} for reason in in_order
        ]
        return self._not_due() + left_out

    def _not_due(self) -> list[dict[str, Any]]:
        early = self.matching - self.result.audience
        if not early:
            return []
        note = _("Not late for them, or texted lately")
        return [{"label": _("Not due now"), "value": early, "note": note}]

    @property
    def end(self) -> dict[str, Any]:
        return {"label": _("Would get a text"), "value": self.result.texts}

    @property
    def left_out(self) -> int:
        return self.matching - self.result.texts


def forecast(campaign: Campaign, *, at: datetime) -> Forecast:
    """What launching this plan now would do."""
    campaign.wording = wording_of(campaign)
    members = Audience.from_json(campaign.audience).members(campaign.store, at=at)
    is_wakeup = campaign.kind == CampaignKind.WAKEUP
    assessment = lately_assessed(campaign.store, at) if is_wakeup else None
    result = preflight(campaign, members, at=at, assessment=assessment)
    matching = members.count() if is_wakeup else result.audience
    due = _due(campaign, members, assessment, at) if assessment else ()
    price, rate = price_and_rate(campaign.store, at)
    seconds = -(-result.parts_total // rate) if rate else None
    cost = -(-result.parts_total * price // MILLI)
    return Forecast(result, matching, cost, seconds, due, _budget_left(campaign, at))


def _budget_left(campaign: Campaign, at: datetime) -> int | None:
    found = budgets.standings(budgets.budgets_for(campaign.store, budget_subject(campaign)), at=at)
    return min((standing.other_left_milli // MILLI for standing in found), default=None)


def price_and_rate(store: Store, at: datetime) -> tuple[int, int]:
    """The dearest active gateway's price of a part in thousandths of a minor unit, for numbers like the store's
    members', and the parts a second all gateways together may send.
    """
    gateways = list(Gateway.objects.filter(is_active=True))
    rate = sum(gateway.rate for gateway in gateways) if all(gateway.rate for gateway in gateways) else 0
    phone = Member.objects.filter(home_store=store).order_by("-pk").values_list("phone", flat=True).first()
    return budgets.part_price_milli(phone or "", at=at), rate


def waits_until_hours(store: Store, at: datetime) -> bool:
    """Whether a marketing text of this moment waits for the store's next permitted hour."""
    hours = permitted_hours()
    local = at.astimezone(store.zone)
    last = datetime.combine(local.date(), hours.closes, store.zone) - timedelta(minutes=15)
    return not (hours.opens <= local.time() and local < last)


def lately_assessed(store: Store, at: datetime) -> Assessment | None:
    """The store's due members as of this hour. Fitting takes seconds, so a process does it once an hour and purchase."""
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    last = Purchase.objects.filter(store=store).order_by("-id").values_list("id", flat=True).first()
    return _assessed(store.pk, last or 0, hour)


@lru_cache(maxsize=16)
def _assessed(store_id: int, last_purchase: int, hour: datetime) -> Assessment | None:
    found = wakeup.assess_store(Store.objects.get(pk=store_id), as_of=hour) if last_purchase else None
    return found.of_the_due() if found else None


def _due(campaign: Campaign, members: Any, assessment: Assessment, at: datetime) -> tuple[Due, ...]:
    chosen = wakeup.choose(Run(campaign=campaign, as_of=at), members, assessment)[:DUE_SHOWN]
    rows = {int(pk): row for row, pk in enumerate(assessment.member_ids)}
    people = Member.objects.in_bulk([pk for pk, _priority in chosen])
    wake = assessment.wake
    return tuple(
        Due(
            member=people[pk],
            usual_days=round(float(wake.usual_gap_days[rows[pk]])),
            away_days=round(float(wake.since_days[rows[pk]])),
        )
        for pk, _priority in chosen
    )
