"""The text as its readers will see it: finished for a real member of the audience, counted, read by the linter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Length
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from campaigns.domain import runs
from campaigns.domain.drafting import unsaved_version
from campaigns.models import Campaign
from crm.staff.campaigns.costs import Cost, cost_of, marked
from crm.staff.campaigns.plan_form import TEXT_FIELDS
from members.enums import STORED_VALUE
from members.event_types import AUDIENCE_FIELDS
from members.models import Account, Member
from messaging.domain.reviewing import pack_findings
from messaging.domain.rules import provider_packs
from messaging.domain.texts import TextRefused, check_text
from messaging.encoding import gsm_friendly
from messaging.linter import Finding
from messaging.models import TemplateVersion
from messaging.pack_check import PackFinding
from messaging.rendering import TemplateError
from messaging.rules import ProviderPack
from messaging.states import Reason

LOOKED_AT = 2000  # members among whom the edge cases are sought
MADE_UP_PHONE = {"CN": "+8613800138000", "US": "+12025550123", "GB": "+447700900123", "SG": "+6591234567"}
SLOTS = {language: name for name, language in TEXT_FIELDS.items()}
FALLBACKS = {
    "en": {"name": "there", "last_visit": "your last visit", "days_away": "some"},
    "zh-hans": {"name": "您好", "last_visit": "上次", "days_away": "许多"},
}


@dataclass(frozen=True)
class Sample:
    """A reader to look at the text with. `member` is made up when the audience has nobody of the kind."""

    key: str
    label: str | Promise
    member: Member | None


@dataclass(frozen=True)
class Preview:
    """A finished text in a reader's hand, or the reason there is none."""

    member: Member
    language: str
    text: str = ""
    shown: SafeString | str = ""
    cost: Cost | None = None
    problem: str | Promise = ""
    fix: str = ""

    @property
    def slot(self) -> str:
        """The form field the text was typed in."""
        return SLOTS.get(self.language, "")


@dataclass(frozen=True)
class Review:
    """What the linter and the rule packs say of one wording."""

    language: str
    shown: SafeString | str
    findings: Sequence[Finding] = field(default_factory=tuple)
    is_promotional: bool = False
    packs: Sequence[PackFinding] = field(default_factory=tuple)


def samples_of(campaign: Campaign, members: QuerySet[Member]) -> list[Sample]:
    """The readers a text should be looked at with: somebody, the longest name, an empty card, the other language."""
    readers = members.filter(has_marketing_consent=True).order_by("-id")
    few = Member.objects.filter(pk__in=readers.values("id")[:LOOKED_AT])
    few = few.select_related("facts").order_by("-id")
    has_money = Account.objects.filter(member=OuterRef("pk"), kind__in=STORED_VALUE, balance__gt=0)
    same = few.filter(language=campaign.store.language)
    return [
        Sample("usual", _("Somebody"), same.exclude(name="").first() or few.first()),
        Sample("longest", _("Longest name"), few.order_by(Length("name").desc(), "-id").first()),
        Sample("empty", _("Nothing on the card"), few.filter(~Exists(has_money)).first()),
        Sample("other", _("The other language"), few.exclude(language=campaign.store.language).first()),
    ]


def made_up(campaign: Campaign) -> Member:
    """A reader for an audience that has none."""
    phone = MADE_UP_PHONE.get(settings.REGULARS_REGION, MADE_UP_PHONE["CN"])
    name = str(AUDIENCE_FIELDS["name"].sample)
    return Member(name=name, language=campaign.store.language, phone=phone)


def preview(campaign: Campaign, member: Member, at: datetime) -> Preview:
    """The plan's text as this member would read it, costed."""
    version = unsaved_version(campaign, member.language)
    if version is None:
        return Preview(member, member.language)
    held = runs.holdings([member])[member.pk] if member.pk else _made_up_holdings()
    try:
        composed = runs.compose(campaign, member, version, held, at)
    except TemplateError as broken:
        return Preview(member, version.language, version.text, version.text, problem=broken.message)
    if composed.refusal == Reason.UNSENDABLE:
        return Preview(member, version.language, version.text, version.text, problem=_unfilled(version))
    cost = cost_of(composed.text, member.phone)
    shown = marked(composed.text, cost.costly if cost else (), "costly")
    problem = composed.refusal.label if composed.refusal else ""
    fix = gsm_friendly(version.text) if cost and cost.saves else ""
    return Preview(member, version.language, composed.text, shown, cost, problem, fix)


def reviews_of(campaign: Campaign) -> list[Review]:
    """The linter's reading of each wording that can be read, and what the packs in force ask of it."""
    providers = provider_packs()
    return [
        reviewed
        for language, text in campaign.wording.items()
        if (reviewed := _reviewed(campaign, language, text, providers))
    ]


def text_problems(campaign: Campaign) -> dict[str, str | Promise]:
    """Why a wording could not be sent, by language."""
    found: dict[str, str | Promise] = {}
    for language, text in campaign.wording.items():
        try:
            check_text(_template(campaign), text)
        except TextRefused as refusal:
            found[language] = refusal.message
    return found


def chips_for(language: str) -> list[dict[str, Any]]:
    """The placeholders a campaign's text may use; those that may be unknown of somebody come with other words."""
    other = FALLBACKS[language]
    return [
        {
            "label": f"{str(declared.label)[:1].upper()}{str(declared.label)[1:]}",
            "insert": f"{{{name}|{other[name]}}}" if name in other else f"{{{name}}}",
            "sample": str(declared.sample),
        }
        for name, declared in AUDIENCE_FIELDS.items()
    ]


def _reviewed(
    campaign: Campaign, language: str, text: str, providers: Sequence[ProviderPack]
) -> Review | None:
    try:
        verdict = check_text(_template(campaign), text)
    except TextRefused:
        return None
    packs = pack_findings(text, _template(campaign).message_class, get_language() or "en", providers)
    spans = [(one.start, one.end) for one in verdict.findings] + [(one.start, one.end) for one in packs]
    return Review(language, marked(text, spans), verdict.findings, verdict.is_promotional, packs)


def _template(campaign: Campaign) -> Any:
    assert campaign.template is not None
    return campaign.template


def _unfilled(version: TemplateVersion) -> str:
    return _(
        "Something is not known of this member, so the text cannot be made. Give the placeholder other words, "
        "such as {name|there}."
    )


def _made_up_holdings() -> dict[str, int]:
    return {
        "balance": int(AUDIENCE_FIELDS["balance"].sample),
        "points": int(AUDIENCE_FIELDS["points_balance"].sample),
    }
