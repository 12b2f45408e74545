"""A text as its reader would see it, with the sample values its event declares."""

from __future__ import annotations

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from members.models import Store
from messaging.domain import texts
from messaging.domain.formatting import formatted
from messaging.domain.previews import sample_text, samples
from messaging.domain.texts import Composed
from messaging.enums import VersionStatus
from messaging.linter import Finding
from messaging.models import Template, TemplateVersion


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
    for version in best.values():
        version.template = template
    return [Sample(language, version, sample_text(version, store)) for language, version in best.items()]


def preview_html(template: Template) -> SafeString:
    """Every language's sample text with its parts, for a change page."""
    return render_to_string("admin/texts/_samples.html", {"samples": samples_of(template)})


def placeholders_html(template: Template) -> SafeString:
    """What a text of this template may say, each with what it would read."""
    placeholders = texts.placeholders_of(template)
    values = samples(placeholders)
    shown = formatted(values, placeholders, language=get_language() or "en", timezone="Asia/Shanghai")
    rows = [(name, declared.label, shown.get(name, "")) for name, declared in placeholders.items()]
    return render_to_string("admin/texts/_placeholders.html", {"rows": rows})


def finding_words(finding: Finding) -> str:
    """A linter's finding beside the field: the word, and what to do about it."""
    return f"“{finding.word}”: {finding.suggestion}"
