"""Templates: written, checked, approved, and turned into the finished text of one recipient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from members.amounts import format_minor
from members.domain.events import UnknownEventType, event_type
from members.event_types import AUDIENCE_FIELDS, CUSTOM_PREFIX, Placeholder
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

_BABEL = {"en": "en", "zh-hans": "zh_Hans_CN"}
PARTS_MAX = 10


class TextRefused(Refused):
    """The wording cannot be saved. `facts["verdict"]` holds the linter's findings, if they are why."""

    code = "text_refused"
    field = "text"


class SelfApproval(Refused):
    """A marketing text is approved by somebody other than its author."""

    code = "self_approval"


@dataclass(frozen=True)
class Composed:
    """One recipient's finished text with its cost, or the reason it cannot be sent."""

    text: str
    encoding: str
    parts: int
    refusal: Reason = Reason.NONE


def placeholders_of(template: Template) -> Mapping[str, Placeholder]:
    """What a template may say: its event's placeholders, or the facts of an audience."""
    if not template.event_type:
        return AUDIENCE_FIELDS
    try:
        return event_type(template.event_type).placeholders
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
    found = {
        version.language: version
        for version in TemplateVersion.objects.filter(
            template_id=template_id, status=VersionStatus.APPROVED
        ).select_related("template")
    }
    return found.get(language) or found.get("en") or next(iter(found.values()), None)


def compose(version: TemplateVersion, values: Mapping[str, str], *, signature: str, phone: str) -> Composed:
    """The finished text for one recipient: rendered, signed, with the opt-out text if it is marketing, measured."""
    allowed = _specs_of(version.template)
    is_marketing = version.template.message_class == MessageClass.MARKETING
    opt_out = in_language(OPT_OUT_TEXT, version.language) if is_marketing else ""
    try:
        body = _compiled(version.text).render(values, allowed)
    except RenderError:
        return Composed(version.text, "UCS-2", 1, Reason.UNSENDABLE)
    return measured(finish(body, signature=signature, opt_out_text=opt_out), phone)


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


def said_by(version: TemplateVersion, placeholders: Mapping[str, Placeholder]) -> dict[str, Placeholder]:
    """Of the placeholders there are, those this wording uses: only they need to be formatted."""
    return {name: placeholders[name] for name in _compiled(version.text).placeholders if name in placeholders}


@lru_cache(maxsize=2048)
def _compiled(text: str) -> Compiled:
    return compile_template(text)


def _specs_of(template: Template) -> dict[str, PlaceholderSpec]:
    if template.event_type.startswith(CUSTOM_PREFIX):
        return specs(placeholders_of(template))
    return _declared_specs(template.event_type)


@lru_cache(maxsize=64)
def _declared_specs(event: str) -> dict[str, PlaceholderSpec]:
    return specs(placeholders_of(Template(event_type=event)))


def shown_text(message: Message) -> str:
    """The text as a page may show it: of a verification text, that carries a code, only dots."""
    return "••••" if message.message_class == MessageClass.VERIFICATION else message.text
