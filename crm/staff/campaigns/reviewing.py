"""Where a draft stands on its way to a launch: written, handed over, approved; and what is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from campaigns.domain import drafting, launching
from campaigns.models import Campaign
from crm.staff.campaigns.scope import PLANNERS
from members.models import Staff
from members.refusals import Refused
from messaging.domain.texts import approved_version
from messaging.models import TemplateVersion

NAMED = 4  # colleagues who are named as possible approvers


class Stage(StrEnum):
    EMPTY = "empty"
    WRITING = "writing"
    WAITING = "waiting"
    APPROVED = "approved"


@dataclass(frozen=True)
class Standing:
    """The stage of the wording, the versions it is about, whether the reader wrote one, and who may approve."""

    stage: Stage
    versions: Sequence[TemplateVersion] = ()
    is_own: bool = False
    approvers: Sequence[Staff] = ()

    @property
    def version_ids(self) -> str:
        """What an approval must name: exactly the wordings that were read."""
        return " ".join(str(version.pk) for version in self.versions)


def standing(campaign: Campaign, reader: Staff) -> Standing:
    """How far the kept wording is, for this reader."""
    if not drafting.wording_of(campaign):
        return Standing(Stage.EMPTY)
    if not drafting.has_own_text(campaign) or drafting.is_approved(campaign):
        return Standing(Stage.APPROVED, _approved(campaign))
    waiting = drafting.waiting(campaign)
    settled = [drafting.latest_version(campaign, language) for language in campaign.wording]
    if not all(version and version.text == campaign.wording[version.language] for version in settled):
        return Standing(Stage.WRITING)
    is_own = any(version.written_by_id == reader.pk for version in waiting)
    authors = {version.written_by_id for version in waiting}
    return Standing(Stage.WAITING, waiting, is_own, approvers_besides(campaign, authors))


def approvers_besides(campaign: Campaign, authors: set[int | None]) -> list[Staff]:
    """Colleagues in the campaign's store who may approve what these wrote."""
    people = Staff.objects.filter(is_active=True, roles__store_id=campaign.store_id, roles__role__in=PLANNERS)
    return list(
        people.exclude(pk__in=[pk for pk in authors if pk]).distinct().order_by("display_name")[:NAMED]
    )


def refusal_to_launch(campaign: Campaign, by: Staff, at: datetime) -> Refused | None:
    """Why a launch would be refused now: it is tried and taken back."""
    try:
        with transaction.atomic():
            launching.launch(campaign=campaign, by=by, at=at)
            transaction.set_rollback(True)
    except Refused as refusal:
        return refusal
    return None


def slot_of(refusal: Refused) -> str:
    """The place on the composer where a refusal is said: beside its field, or at the review."""
    return "review" if refusal.field in ("", "template", "text", "audience", "budget") else refusal.field


def _approved(campaign: Campaign) -> list[TemplateVersion]:
    found = {
        version.pk: version
        for language in drafting.wording_of(campaign)
        if (version := approved_version(campaign.template_id or 0, language))
    }
    return list(found.values())
