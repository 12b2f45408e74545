"""Templates: written, checked, approved, and turned into the finished text of one recipient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from members.amounts import format_minor
from members.domain import audit
from members.domain.events import UnknownEventType, event_type
from members.event_types import AUDIENCE_FIELDS, Placeholder
from members.models import Staff
from members.phones import region_of
from members.refusals import Refused
from messaging.encoding import UnsendableText, clean, measure
from messaging.enums import MessageClass, VersionStatus
from messaging.linter import Verdict, lint
from messaging.models import Message, Template, TemplateVersion
from messaging.models.template import content_hash
from messaging.rendering import (
    Compiled,
    PlaceholderSpec,
    RenderError,
    TemplateError,
    compile_template,
    finish,
)
from messaging.states import Reason
from messaging.system_texts import OPT_OUT_TEXT, SYSTEM_TEXTS, in_language

T = TypeVar("T")
_BABEL = {"en": "en", "zh-hans": "zh_Hans_CN"}
PARTS_MAX = 10


class TextRefused(Refused):
    """The wording cannot be saved. `facts["verdict"]` holds the linter's findings, if they are why."""

    code = "text_refused"
    field = "text"


class SelfApproval(Refused):
    """A marketing text is approved by somebody other than its author."""

    code = "self_approval"


class Composed(NamedTuple):
    """One recipient's finished text with its cost, or the reason it cannot be sent."""

    text: str
    encoding: str
    parts: int
    refusal: Reason = Reason.NONE


@dataclass(frozen=True)
class Wording:
    """A version as it is sent, apart from its rows: taken apart once, then made into any number of texts."""

    version_id: int
    language: str
    text: str
    message_class: MessageClass
    placeholders: Mapping[str, Placeholder]

    @cached_property
    def _compiled(self) -> Compiled:
        return compile_template(self.text)

    @cached_property
    def _specs(self) -> dict[str, PlaceholderSpec]:
        return specs(self._said)

    @cached_property
    def _said(self) -> dict[str, Placeholder]:
        """Of the placeholders there are, those this wording uses: only they need to be formatted."""
        used = self._compiled.placeholders
        return {name: self.placeholders[name] for name in used if name in self.placeholders}

    @cached_property
    def _opt_out(self) -> str:
        return (
            in_language(OPT_OUT_TEXT, self.language) if self.message_class == MessageClass.MARKETING else ""
        )

    def says(self, *names: str) -> bool:
        """Whether any of these placeholders is in it."""
        return any(name in self._compiled.placeholders for name in names)

    @property
    def holes(self) -> tuple[str, ...]:
        """The placeholders in the order of the text, as often as they stand in it."""
        return self._compiled.holes

    def compose(
        self,
        payload: Mapping[str, object],
        *,
        signature: str,
        phone: str,
        timezone: str,
        written: Mapping[str, str] | None = None,
    ) -> Composed:
        """The finished text for one recipient, of facts as they are stored; those in `written` are formatted already."""
        values = formatted(payload, self._said, language=self.language, timezone=timezone) | dict(
            written or {}
        )
        return self.fill(values, signature=signature, phone=phone)

    def fill(self, values: Mapping[str, str], *, signature: str, phone: str) -> Composed:
        """The same of values already formatted: rendered, signed, with the opt-out text if it is marketing, measured."""
        try:
            body = self._compiled.render(values, self._specs)
        except RenderError:
            return Composed(self.text, "UCS-2", 1, Reason.UNSENDABLE)
        return measured(finish(body, signature=signature, opt_out_text=self._opt_out), phone)


def placeholders_of(template: Template) -> Mapping[str, Placeholder]:
    """What a template may say: its event's placeholders, or the facts of an audience."""
    return _placeholders(template.event_type)


def _placeholders(event: str) -> Mapping[str, Placeholder]:
    if not event:
        return AUDIENCE_FIELDS
    try:
        return event_type(event).placeholders
    except UnknownEventType:
        return {}


def specs(placeholders: Mapping[str, Placeholder]) -> dict[str, PlaceholderSpec]:
    """The renderer's view of declared placeholders."""
    return {name: PlaceholderSpec(name, p.kind, str(p.sample)) for name, p in placeholders.items()}


def check_text(template: Template, text: str) -> Verdict:
    """Judge a wording before it is saved. Raises TextRefused in the author's words.

    Marketing wording in an industry template is refused: the class is a property of the text, not a switch.
    """
    try:
        compiled = compile_template(text)
        compiled.check(specs(placeholders_of(template)))
    except TemplateError as problem:
        raise TextRefused(problem.message) from problem
    verdict = lint(text, settings.REGULARS_REGION)
    if verdict.is_promotional and template.message_class != MessageClass.MARKETING:
        raise TextRefused(
            _("This reads like marketing. Send it as a marketing text, or leave out the marked words."),
            verdict=verdict,
        )
    return verdict


@transaction.atomic
def save_draft(*, template: Template, language: str, text: str, by: Staff, at: datetime) -> TemplateVersion:
    """Write a new version. An industry text that the linter finds clean is approved at once; marketing waits."""
    verdict = check_text(template, text)
    Template.objects.select_for_update().get(pk=template.pk)
    last = template.versions.filter(language=language).aggregate(last=Max("number"))["last"] or 0
    version = TemplateVersion.objects.create(
        template=template,
        language=language,
        number=last + 1,
        text=text,
        content_hash=content_hash(template.message_class, language, text),
        written_by=by,
    )
    if template.message_class != MessageClass.MARKETING and not verdict.needs_review:
        _approve(version, None, at)
    return version


@transaction.atomic
def approve(*, version: TemplateVersion, by: Staff, at: datetime) -> TemplateVersion:
    """Let a version be sent; the one before it retires. Raises SelfApproval for one's own marketing text."""
    if version.template.message_class == MessageClass.MARKETING and version.written_by_id == by.pk:
        raise SelfApproval(_("Somebody else has to approve a marketing text you wrote."))
    _approve(version, by, at)
    audit.write(
        actor=by,
        verb="text_approved",
        subject=version,
        store=version.template.store,
        after={"language": version.language, "text": version.text},
        at=at,
    )
    return version


def _approve(version: TemplateVersion, by: Staff | None, at: datetime) -> None:
    same = TemplateVersion.objects.filter(template=version.template, language=version.language)
    same.filter(status=VersionStatus.APPROVED).exclude(pk=version.pk).update(status=VersionStatus.RETIRED)
    version.status = VersionStatus.APPROVED
    version.approved_by = by
    version.approved_at = at
    version.approved_hash = content_hash(version.template.message_class, version.language, version.text)
    version.save()


def approved_version(template_id: int, language: str) -> TemplateVersion | None:
    """The version that is sent in this language, or the one there is in another; None if none is approved."""
    approved = TemplateVersion.objects.filter(template_id=template_id, status=VersionStatus.APPROVED)
    return preferred({version.language: version for version in approved.select_related("template")}, language)


def preferred(by_language: Mapping[str, T], language: str) -> T | None:
    """What there is in this language, else in English, else in any."""
    return by_language.get(language) or by_language.get("en") or next(iter(by_language.values()), None)


def approved_wordings(template_ids: Iterable[int]) -> dict[int, dict[str, Wording]]:
    """The approved wordings of these templates, by template and language; one query."""
    found: dict[int, dict[str, Wording]] = {}
    approved = TemplateVersion.objects.filter(
        template_id__in=list(template_ids), status=VersionStatus.APPROVED
    )
    for version in approved.select_related("template").order_by("id"):
        found.setdefault(version.template_id, {})[version.language] = wording_of(version)
    return found


def wording_of(version: TemplateVersion) -> Wording:
    """A version, approved or not, ready to be made into texts."""
    template = version.template
    return Wording(
        version.pk,
        version.language,
        version.text,
        MessageClass(template.message_class),
        placeholders_of(template),
    )


def compose(version: TemplateVersion, values: Mapping[str, str], *, signature: str, phone: str) -> Composed:
    """One finished text of a version, of values already formatted."""
    return wording_of(version).fill(values, signature=signature, phone=phone)


def measured(text: str, phone: str) -> Composed:
    """A finished text with its encoding and parts: Chinese numbers by the Chinese rule, others by 3GPP."""
    text = clean(text)
    try:
        size = measure(text, "cn" if region_of(phone) == "CN" else "3gpp")
    except UnsendableText:
        return Composed(text, "UCS-2", 1, Reason.UNSENDABLE)
    refusal = Reason.TOO_LONG if size.parts > PARTS_MAX else Reason.NONE
    return Composed(text, size.encoding, min(size.parts, 255), refusal)


def system_text(
    key: str, *, language: str, values: Mapping[str, str], signature: str, phone: str
) -> tuple[MessageClass, Composed]:
    """One of the engine's own texts, finished."""
    message_class, texts = SYSTEM_TEXTS[key]
    body = compile_template(in_language(texts, language)).render(values)
    return message_class, measured(finish(body, signature=signature, opt_out_text=""), phone)


def formatted(
    payload: Mapping[str, object],
    placeholders: Mapping[str, Placeholder],
    *,
    language: str,
    timezone: str,
) -> dict[str, str]:
    """A payload's values as a reader of this language in this zone writes them."""
    return {
        name: _shown(payload[name], placeholders[name].kind, language, timezone)
        for name in placeholders
        if payload.get(name) not in (None, "")
    }


def _shown(value: object, kind: str, language: str, timezone: str) -> str:
    locale = _BABEL.get(language, "en")
    if kind == "money":
        return format_minor(int(str(value)), settings.REGULARS_CURRENCY, locale)
    if kind == "datetime":
        moment = value if isinstance(value, datetime) else parse_datetime(str(value))
        return (
            format_datetime(moment.astimezone(ZoneInfo(timezone)), _datetime_pattern(language), locale=locale)
            if moment
            else str(value)
        )
    if kind == "date":
        day = parse_date(str(value)[:10])
        return format_date(day, "medium", locale=locale) if day else str(value)
    return str(value)


def _datetime_pattern(language: str) -> str:
    return "M月d日 HH:mm" if language == "zh-hans" else "d MMM HH:mm"


def shown_text(message: Message) -> str:
    """The text as a page may show it: of a verification text, that carries a code, only dots."""
    return "••••" if message.message_class == MessageClass.VERIFICATION else message.text
