"""Before anything is sent: from the audience through every exclusion to texts and their parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import BooleanField, Case, Count, Exists, OuterRef, QuerySet, Value, When

from campaigns.domain import runs
from campaigns.domain.drafting import unsaved_version
from campaigns.domain.wakeup import choose
from campaigns.enums import CampaignKind
from campaigns.models import Campaign, Run
from members.models import Member
from messaging.domain.outbox import permitted_hours
from messaging.enums import MessageClass
from messaging.models import Conversation, Message, Suppression
from messaging.rendering import TemplateError
from messaging.states import Reason, State

if TYPE_CHECKING:
    from campaigns.domain.scoring import Assessment

SAMPLE_SIZE = 200
_NOT_COUNTED = (State.SUPPRESSED, State.EXPIRED, State.CANCELLED, State.REJECTED)


@dataclass(frozen=True)
class Preflight:
    """What a launch would do now. `left_out` adds up with `texts` to `audience`.

    Parts are measured on a sample of at most 200 recipients, rendered one by one.
    """

    audience: int
    left_out: dict[str, int]
    texts: int
    parts_median: int = 0
    parts_p95: int = 0
    parts_max: int = 0
    parts_total: int = 0
    is_sampled: bool = False


def preflight(
    campaign: Campaign, members: QuerySet[Member], *, at: datetime, assessment: Assessment | None = None
) -> Preflight:
    """Count each exclusion in the order of the policy, and measure the texts of those who remain.

    An `assessment` of the store made lately spares a programme's own.
    """
    if campaign.kind == CampaignKind.WAKEUP:
        due = choose(Run(campaign=campaign, as_of=at), members, assessment)
        members = Member.objects.filter(pk__in=[member for member, _ in due])
    judged = members.annotate(reason=_reason(campaign, at))
    counts = dict(judged.order_by().values_list("reason").annotate(total=Count("id", distinct=True)))
    texts = counts.pop("", 0)
    sizes = _sizes(campaign, judged.filter(reason=""), at)
    if not sizes:
        return Preflight(sum(counts.values()) + texts, counts, texts)
    ordered = sorted(sizes)
    return Preflight(
        audience=sum(counts.values()) + texts,
        left_out=counts,
        texts=texts,
        parts_median=ordered[len(ordered) // 2],
        parts_p95=ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)],
        parts_max=ordered[-1],
        parts_total=sum(ordered) * texts // len(ordered),
        is_sampled=texts > len(ordered),
    )


def _reason(campaign: Campaign, at: datetime) -> Case:
    hours = permitted_hours()
    monthly = hours.monthly(is_personal=campaign.kind == CampaignKind.WAKEUP)
    stopped = Suppression.objects.filter(phone_hash=OuterRef("phone_hash"), lifted_at=None)
    unread = Conversation.objects.filter(phone=OuterRef("phone"), **Conversation.UNREAD)
    return Case(
        When(has_marketing_consent=False, then=Value(Reason.NO_CONSENT.value)),
        When(Exists(stopped), then=Value(Reason.OPTED_OUT.value)),
        When(Exists(unread), then=Value(Reason.UNREAD.value)),
        When(_texted(at, timedelta(hours=24), hours.per_day), then=Value(Reason.FREQUENCY.value)),
        When(_texted(at, timedelta(days=30), monthly), then=Value(Reason.FREQUENCY.value)),
        default=Value(""),
    )


def _texted(at: datetime, window: timedelta, limit: int) -> Exists | Value:
    """Whether a phone had `limit` marketing texts in the window; asked from the few who had any."""
    if limit <= 0:
        return Value(True, output_field=BooleanField())
    heard = (
        Message.objects.filter(
            phone_hash=OuterRef("phone_hash"),
            message_class=MessageClass.MARKETING,
            created_at__gt=at - window,
        )
        .exclude(state__in=_NOT_COUNTED)
        .order_by()
        .values("phone_hash")
        .annotate(total=Count("id"))
        .filter(total__gte=limit)
    )
    return Exists(heard)


def _sizes(campaign: Campaign, members: QuerySet[Member], at: datetime) -> list[int]:
    sample = list(members.select_related("facts").order_by("id")[:SAMPLE_SIZE])
    versions = {
        language: unsaved_version(campaign, language) for language in {member.language for member in sample}
    }
    held = runs.holdings(sample)
    try:
        return [
            runs.compose(campaign, member, version, held[member.pk], at).parts
            for member in sample
            if (version := versions[member.language])
        ]
    except TemplateError:
        return []
