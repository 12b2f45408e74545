"""A text as its reader would see it, with the sample values its event declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from members.event_types import Placeholder
from members.models import Store
from messaging.domain import texts
from messaging.domain.texts import Composed
from messaging.enums import VersionStatus
from messaging.linter import Finding
from messaging.models import Template, TemplateVersion

SAMPLE_PHONE = {"CN": "+8613800138000"}


@dataclass(frozen=True)
class Sample:
    """One language of a template, filled in."""

    language: str
    version: TemplateVersion
    composed: Composed


def samples_of(template: Template) -> list[Sample]:
    """The wording that is sent in each language, or the newest while none is approved; two queries."""
    best: dict[str, TemplateVersion] = {}
    for version in template.versions.order_by("language", "-number"):
        if version.language not in best or version.status == VersionStatus.APPROVED:
            best[version.language] = version
    store = template.store or Store.objects.order_by("pk").first()
    return [
        Sample(language, version, _filled(version, template, store)) for language, version in best.items()
    ]


def _filled(version: TemplateVersion, template: Template, store: Store | None) -> Composed:
    version.template = template
    placeholders = texts.placeholders_of(template)
    zone = store.timezone if store else "UTC"
    values = texts.formatted(samples(placeholders), placeholders, language=version.language, timezone=zone)
    phone = SAMPLE_PHONE.get(settings.REGULARS_REGION, "+12025550100")
    return texts.compose(version, values, signature=store.sms_signature if store else "", phone=phone)


def samples(placeholders: Mapping[str, Placeholder]) -> dict[str, Any]:
    """A payload made of the declared samples."""
    return {name: placeholder.sample for name, placeholder in placeholders.items()}


def preview_html(template: Template) -> SafeString:
    """Every language's sample text with its parts, for a change page."""
    return render_to_string("admin/texts/_samples.html", {"samples": samples_of(template)})


def placeholders_html(template: Template) -> SafeString:
    """What a text of this template may say, each with what it would read."""
    placeholders = texts.placeholders_of(template)
    values = samples(placeholders)
    shown = texts.formatted(values, placeholders, language=get_language() or "en", timezone="Asia/Shanghai")
    rows = [(name, declared.label, shown.get(name, "")) for name, declared in placeholders.items()]
    return render_to_string("admin/texts/_placeholders.html", {"rows": rows})


def finding_words(finding: Finding) -> str:
    """A linter's finding beside the field: the word, and what to do about it."""
    return f"“{finding.word}”: {finding.suggestion}"
