"""A wording as its readers would see it: with the samples its event declares, and at the edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.event_types import CUSTOM_PREFIX, EVENT_TYPES, Placeholder
from members.models import CustomEventType, Store
from messaging.domain import texts
from messaging.domain.texts import Composed
from messaging.enums import VersionStatus
from messaging.models import Template, TemplateVersion
from messaging.rendering import CAPS, DEFAULT_CAP, TemplateError

SAMPLE_PHONE = {"CN": "+8613800138000", "GB": "+447700900123", "SG": "+6591234567", "FR": "+33612345678"}
LONGEST = {"name": "Maximiliane-Theodora von Hohenberg", "text": "Wolfgang Amadeus Allee 2200, 4th floor"}
MOST = 999_999_999  # minor units, and any count


@dataclass(frozen=True)
class EdgeCase:
    """One reader to look at a wording with. `findings`: what the linter reads in the finished text."""

    key: str
    label: Promise | str
    language: str
    composed: Composed
    is_promotional: bool = False
    problem: str = ""


def event_choices() -> list[tuple[str, Any]]:
    """Every event there is, the shop's own included."""
    own = [(CUSTOM_PREFIX + declared.name, declared.label) for declared in CustomEventType.objects.all()]
    return [("", "—"), *[(name, declared.label) for name, declared in EVENT_TYPES.items()], *own]


def sample_phone() -> str:
    """A made-up number of the house's country."""
    return SAMPLE_PHONE.get(settings.REGULARS_REGION, "+12025550100")


def samples(placeholders: Mapping[str, Placeholder]) -> dict[str, Any]:
    """A payload made of the declared samples."""
    return {name: placeholder.sample for name, placeholder in placeholders.items()}


def longest(placeholders: Mapping[str, Placeholder]) -> dict[str, Any]:
    """The samples with the longest names and the largest sums there may be."""
    return {name: _longest(placeholder) for name, placeholder in placeholders.items()}


def _longest(placeholder: Placeholder) -> Any:
    if placeholder.kind in ("money", "number"):
        return MOST
    if placeholder.kind in LONGEST:
        return LONGEST[placeholder.kind][: CAPS.get(placeholder.kind, DEFAULT_CAP)]
    return placeholder.sample


def emptiest(placeholders: Mapping[str, Placeholder]) -> dict[str, Any]:
    """The samples with nothing on the card and no name."""
    return {
        name: 0 if p.kind in ("money", "number") else "" if p.kind == "name" else p.sample
        for name, p in placeholders.items()
    }


def edge_cases(template: Template, language: str, text: str, store: Store | None) -> list[EdgeCase]:
    """A wording with the usual values, the longest, none, and in the other language it has."""
    version = TemplateVersion(template=template, language=language, number=0, text=text)
    placeholders = texts.placeholders_of(template)
    cases = [
        ("usual", _("Somebody"), version, samples(placeholders)),
        ("longest", _("Longest values"), version, longest(placeholders)),
        ("empty", _("Nothing on the card, no name"), version, emptiest(placeholders)),
    ]
    if other := _other(template, language):
        cases.append(("other", _("The other language"), other, samples(placeholders)))
    return [_case(key, label, of, payload, store) for key, label, of, payload in cases]


def _other(template: Template, language: str) -> TemplateVersion | None:
    if template.pk is None:
        return None
    others = template.versions.exclude(language=language).exclude(status=VersionStatus.RETURNED)
    return others.order_by("-number").first()


def _case(
    key: str, label: Any, version: TemplateVersion, payload: Mapping[str, Any], store: Store | None
) -> EdgeCase:
    template = version.template
    try:
        composed = texts.wording_of(version).compose(
            payload,
            signature=store.sms_signature if store else "",
            phone=sample_phone(),
            timezone=store.timezone if store else "UTC",
        )
    except TemplateError as broken:
        return EdgeCase(key, label, version.language, Composed(version.text, "", 0), problem=broken.message)
    is_promotional = template.message_class != "marketing" and texts.reads_promotional(composed.text)
    problem = str(composed.refusal.label) if composed.refusal else ""
    return EdgeCase(key, label, version.language, composed, is_promotional, problem)


def sample_text(version: TemplateVersion, store: Store | None) -> Composed:
    """One wording with the declared samples."""
    return _case("usual", "", version, samples(texts.placeholders_of(version.template)), store).composed
