"""Planning a campaign: a draft that saves itself, its own text in each language, and who may approve it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind, CampaignStatus, Timing
from campaigns.models import Campaign
from members.models import Staff, Store
from members.refusals import Refused
from messaging.domain import texts
from messaging.enums import MessageClass, VersionStatus
from messaging.models import Template, TemplateVersion

EDITABLE = ("name", "timing", "start_on", "end_on", "at_time")


class NotADraft(Refused):
    """A campaign that was launched keeps what it was launched with."""

    code = "not_a_draft"


class NoWording(Refused):
    """There is no text to approve."""

    code = "no_wording"
    field = "text"


@transaction.atomic
def create_draft(*, kind: CampaignKind, store: Store, name: str, by: Staff) -> Campaign:
    """A new draft with a text of its own, still empty. A wake-up programme comes with its usual morning."""
    morning = {"timing": Timing.DAILY, "at_time": time(10)} if kind == CampaignKind.WAKEUP else {}
    campaign = Campaign(kind=kind, name=name, store=store, created_by=by, **morning)
    campaign.template = _own_template(campaign)
    campaign.save()
    return campaign


@transaction.atomic
def save_plan(
    *, campaign: Campaign, audience: Audience, wording: Mapping[str, str], changes: Mapping[str, Any]
) -> Campaign:
    """Keep the plan of a draft: its name, audience, wording as typed, and times. Raises NotADraft."""
    campaign = locked_draft(campaign)
    for name in EDITABLE:
        if name in changes:
            setattr(campaign, name, changes[name])
    campaign.audience = audience.as_json()
    written = {language: text.strip() for language, text in wording.items() if text.strip()}
    if written != wording_of(campaign):
        campaign.wording = written
        if not has_own_text(campaign):
            campaign.template = _own_template(campaign)
    campaign.save()
    Template.objects.filter(key=_own_key(campaign)).update(name=campaign.name)
    return campaign


def wording_of(campaign: Campaign) -> dict[str, str]:
    """The plan's text by language: its own, or the approved one of a template that it shares."""
    if campaign.wording or has_own_text(campaign):
        return dict(campaign.wording)
    approved = TemplateVersion.objects.filter(
        template_id=campaign.template_id or 0, status=VersionStatus.APPROVED
    )
    return dict(approved.values_list("language", "text"))


def has_own_text(campaign: Campaign) -> bool:
    """Whether nobody else's texts change with this campaign's."""
    return campaign.template is not None and campaign.template.key == _own_key(campaign)


def _own_key(campaign: Campaign) -> str:
    return f"campaign-{campaign.public_id.hex}"


def _own_template(campaign: Campaign) -> Template:
    return Template.objects.create(
        key=_own_key(campaign),
        name=campaign.name,
        message_class=MessageClass.MARKETING,
        store=campaign.store,
    )


@transaction.atomic
def submit(*, campaign: Campaign, by: Staff, at: datetime) -> list[TemplateVersion]:
    """Hand the wording over for approval by somebody else: one new version per language that changed.

    Raises NotADraft, NoWording, texts.TextRefused.
    """
    campaign = locked_draft(campaign)
    if not campaign.wording:
        raise NoWording(_("Write the text first."))
    assert campaign.template is not None
    return [
        texts.save_draft(template=campaign.template, language=language, text=text, by=by, at=at)
        for language, text in campaign.wording.items()
        if (latest := latest_version(campaign, language)) is None or latest.text != text
    ]


@transaction.atomic
def approve(*, campaign: Campaign, by: Staff, at: datetime) -> None:
    """Approve the wording that waits, in every language. Raises texts.SelfApproval for one's own."""
    for version in waiting(campaign):
        texts.approve(version=version, by=by, at=at)


def waiting(campaign: Campaign) -> list[TemplateVersion]:
    """The newest wordings that say what the plan says and still need somebody's approval."""
    newest = [latest_version(campaign, language) for language in campaign.wording]
    return [
        version
        for version in newest
        if version
        and version.status == VersionStatus.DRAFT
        and version.text == campaign.wording[version.language]
    ]


def is_approved(campaign: Campaign) -> bool:
    """Whether every wording of the plan is approved as it stands."""
    newest = {language: latest_version(campaign, language) for language in campaign.wording}
    return bool(newest) and all(
        version is not None
        and version.status == VersionStatus.APPROVED
        and version.text == campaign.wording[language]
        for language, version in newest.items()
    )


def unsaved_version(campaign: Campaign, language: str) -> TemplateVersion | None:
    """The plan's wording for a reader of this language, as a version that is not kept: for previews."""
    for choice in (language, "en", *campaign.wording):
        if campaign.wording.get(choice):
            return TemplateVersion(
                template=campaign.template, language=choice, number=0, text=campaign.wording[choice]
            )
    return None


def latest_version(campaign: Campaign, language: str) -> TemplateVersion | None:
    """The newest wording in a language, approved or not."""
    found = TemplateVersion.objects.filter(template_id=campaign.template_id or 0, language=language)
    return found.select_related("template", "written_by", "approved_by").order_by("-number").first()


def locked_draft(campaign: Campaign) -> Campaign:
    """The campaign's row, locked. Raises NotADraft once it was launched."""
    found = (
        Campaign.objects.select_for_update(of=("self",))
        .select_related("store", "template")
        .get(pk=campaign.pk)
    )
    if found.status != CampaignStatus.DRAFT:
        raise NotADraft(_("This campaign has been launched; copy it to change it."))
    return found
