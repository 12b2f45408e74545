"""What a wording looks like to whoever writes or reviews it: marked words, what the packs say, readers at the edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from crm.staff.campaigns.costs import Cost, cost_of, marked
from members.models import Store
from messaging.domain import previews, reviewing, texts
from messaging.domain.previews import EdgeCase
from messaging.encoding import gsm_friendly
from messaging.linter import Finding, lint
from messaging.models import Template
from messaging.pack_check import PackFinding
from messaging.splitting import Split, split


@dataclass(frozen=True)
class Reader:
    """An edge case in a handset, with what it costs."""

    case: EdgeCase
    cost: Cost | None


@dataclass(frozen=True)
class Reading:
    """One wording judged. `problem`: why it cannot be saved as it is."""

    language: str
    text: str
    shown: SafeString
    findings: Sequence[Finding] = ()
    packs: Sequence[PackFinding] = ()
    readers: Sequence[Reader] = ()
    problem: str | Promise = ""
    is_promotional: bool = False
    is_audit_free: bool = False
    proposed: Split | None = None
    plain: str = ""

    @property
    def is_service(self) -> bool:
        """Whether marketing words are out of place here and something can be done about it."""
        return bool(self.problem) and self.is_promotional


def read(template: Template, language: str, text: str, store: Store | None) -> Reading:
    """Judge a wording as it would be judged when saved."""
    verdict, problem = lint(text, settings.REGULARS_REGION), ""
    try:
        texts.check_text(template, text)
    except texts.TextRefused as refusal:
        problem = str(refusal.message)
    packs = reviewing.pack_findings(text, template.message_class, get_language() or "en")
    spans = [(one.start, one.end) for one in verdict.findings] + [(one.start, one.end) for one in packs]
    is_out_of_place = verdict.is_promotional and template.message_class != "marketing"
    plain = gsm_friendly(text)
    return Reading(
        language,
        text,
        marked(text, spans),
        verdict.findings,
        packs,
        _readers(template, language, text, store),
        problem,
        verdict.is_promotional,
        not problem and texts.is_audit_free(template, verdict),
        split(text, settings.REGULARS_REGION) if is_out_of_place else None,
        plain if plain != text else "",
    )


def _readers(template: Template, language: str, text: str, store: Store | None) -> list[Reader]:
    return [
        Reader(case, cost_of(case.composed.text, previews.sample_phone()) if case.composed.parts else None)
        for case in previews.edge_cases(template, language, text, store)
    ]
