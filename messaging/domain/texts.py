"""Templates: written, checked, approved, and turned into the finished text of one recipient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.events import UnknownEventType, event_type
from members.event_types import AUDIENCE_FIELDS, Placeholder
from members.models import Staff
from members.refusals import Refused
from messaging.contacts import contacts_in
from messaging.domain.formatting import formatted
from messaging.domain.rules import pack_for
from messaging.encoding import UnsendableText, clean, measure
from messaging.enums import MessageClass, VersionStatus
from messaging.linter import Verdict, lint, smuggles
from messaging.models import Message, Template, TemplateVersion
from messaging.models.template import content_hash
from messaging.rendering import (
    CAPS,
    DEFAULT_CAP,
    Compiled,
    PlaceholderSpec,
    RenderError,
    TemplateError,
    compile_template,
    finish,
)
from messaging.states import Reason
from messaging.system_texts import SYSTEM_TEXTS, in_language

T = TypeVar("T")
PARTS_MAX = 10
# Free words that the house itself wrote into its books: what they say was read when they were set up.
HOUSE_WORDS = frozenset(
    {"store", "store_phone", "coupon", "reward", "service", "tier", "tier_before", "card", "new_card"}
    | {"old_phone", "new_phone"}
)
CONTACT_PLACEHOLDERS = ("store_phone",)


class TextRefused(Refused):
    """The wording cannot be saved. `facts["verdict"]` holds the linter's findings, if they are why."""

    code = "text_refused"
    field = "text"


class SelfApproval(Refused):
    """A marketing text is approved by somebody other than its author."""

    code = "self_approval"


class NotWaiting(Refused):
    """A version that was sent back or has been replaced is not approved any more."""

    code = "not_waiting"


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
    def _watched(self) -> dict[str, bool]:
        """The placeholders through which promotion could come into a service text; whether it is a person's name."""
        if self.message_class == MessageClass.MARKETING:
            return {}
        kinds = {name: declared.kind for name, declared in self._said.items() if name not in HOUSE_WORDS}
        return {name: kind == "name" for name, kind in kinds.items() if kind in ("text", "name")}

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
        """The same of values already formatted: rendered, signed, with the opt-out text if it is marketing, measured.

        A value that brings promotion into a service text is refused; a name that does is left out, so that nobody
        escapes a debit notice by what they are called.
        """
        said, is_promotional = self._without_smuggled(values)
        try:
            body = self._compiled.render(said, self._specs)
        except RenderError:
            return Composed(self.text, "UCS-2", 1, Reason.UNSENDABLE)
        composed = finished(body, self.message_class, self.language, signature=signature, phone=phone)
        return composed._replace(refusal=Reason.PROMOTIONAL) if is_promotional else composed

    def _without_smuggled(self, values: Mapping[str, str]) -> tuple[Mapping[str, str], bool]:
        found = {
            name: is_name
            for name, is_name in self._watched.items()
            if name in values and smuggles(values[name], settings.REGULARS_REGION, is_name=is_name)
        }
        if not found:
            return values, False
        calm = {name: "" if name in found and found[name] else value for name, value in values.items()}
        return calm, not all(found.values())


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
    return {
        name: PlaceholderSpec(name, p.kind, str(p.sample), CAPS.get(p.kind, DEFAULT_CAP))
        for name, p in placeholders.items()
    }


def typed_placeholders(template: Template, text: str) -> list[dict[str, object]]:
    """What a wording leaves open: each placeholder with kind, cap and fallback, as its approval is bound to them."""
    compiled, allowed = compile_template(text), specs(placeholders_of(template))
    return [
        {
            "name": name,
            "kind": allowed[name].kind,
            "cap": allowed[name].cap,
            "fallback": compiled.fallbacks.get(name),
        }
        for name in compiled.placeholders
    ]


def contact_list(text: str) -> list[str]:
    """Links and numbers a wording carries, `{store_phone}` where a placeholder will bring one; each once."""
    used = compile_template(text).placeholders
    through = [f"{{{name}}}" for name in CONTACT_PLACEHOLDERS if name in used]
    return list(dict.fromkeys([*(found.value for found in contacts_in(text)), *through]))


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
    """Write a new version. An industry text that the linter finds clean is approved at once; marketing waits.

    So does a text for no event: nothing but its words says what it answers to, and words alone hide an offer.
    """
    verdict = check_text(template, text)
    placeholders, contacts = typed_placeholders(template, text), contact_list(text)
    Template.objects.select_for_update().get(pk=template.pk)
    last = template.versions.filter(language=language).aggregate(last=Max("number"))["last"] or 0
    version = TemplateVersion.objects.create(
        template=template,
        language=language,
        number=last + 1,
        text=text,
        placeholders=placeholders,
        contacts=contacts,
        content_hash=content_hash(template.message_class, language, text, placeholders, contacts),
        written_by=by,
    )
    if is_audit_free(template, verdict):
        _approve(version, None, at)
    return version


def is_audit_free(template: Template, verdict: Verdict) -> bool:
    """Whether a wording needs nobody's approval: a service text for an event in which the linter finds nothing."""
    is_service = template.message_class != MessageClass.MARKETING
    return is_service and bool(template.event_type) and not verdict.needs_review


@transaction.atomic
def approve(*, version: TemplateVersion, by: Staff, at: datetime) -> TemplateVersion:
    """Let a version be sent; the one before it retires.

    Raises SelfApproval for one's own marketing text, unless its cooling-off (reviewing.start_cooling) is over, and
    NotWaiting for a version that was sent back or retired.
    """
    if version.status not in (VersionStatus.DRAFT, VersionStatus.APPROVED):
        raise NotWaiting(_("This wording is not waiting any more. Write it anew."))
    is_own = version.template.message_class == MessageClass.MARKETING and version.written_by_id == by.pk
    if is_own and (version.cooling_until is None or version.cooling_until > at):
        raise SelfApproval(_("Somebody else has to approve a marketing text you wrote."))
    _approve(version, by, at)
    audit.write(
        actor=by,
        verb="text_approved_alone" if is_own else "text_approved",
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
    version.content_hash = version.approved_hash = hash_of(version)
    version.save(
        update_fields=["status", "approved_by", "approved_at", "content_hash", "approved_hash"],
    )


def hash_of(version: TemplateVersion) -> str:
    """The hash of what a version says now, in its template's class."""
    return content_hash(
        version.template.message_class,
        version.language,
        version.text,
        version.placeholders,
        version.contacts,
    )


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
    """A finished text with its encoding and parts, counted and capped as the recipient's country does."""
    text, pack = clean(text), pack_for(phone)
    try:
        size = measure(text, "cn" if pack.counting == "cn" else "3gpp")
    except UnsendableText:
        return Composed(text, "UCS-2", 1, Reason.UNSENDABLE)
    is_too_long = size.parts > PARTS_MAX or len(text) > pack.longest_text
    refusal = Reason.TOO_LONG if is_too_long else Reason.NONE
    return Composed(text, size.encoding, min(size.parts, 255), refusal)


def finished(
    body: str, message_class: MessageClass, language: str, *, signature: str, phone: str
) -> Composed:
    """A body as it leaves the house: signed and, if marketing, with the opt-out text, as the country has them."""
    pack = pack_for(phone)
    ending = pack.opt_out_text(language) if message_class == MessageClass.MARKETING else ""
    return measured(finish(body, signature=signature, opt_out_text=ending, form=pack.signature.form), phone)


def system_text(
    key: str, *, language: str, values: Mapping[str, str], signature: str, phone: str
) -> tuple[MessageClass, Composed]:
    """One of the engine's own texts, finished."""
    message_class, texts = SYSTEM_TEXTS[key]
    body = compile_template(in_language(texts, language)).render(values)
    return message_class, finished(body, message_class, language, signature=signature, phone=phone)


def reads_promotional(text: str) -> bool:
    """Whether a finished text reads as promotion: values and wording together."""
    return lint(text, settings.REGULARS_REGION).is_promotional


def shown_text(message: Message) -> str:
    """The text as a page may show it: of a verification text, that carries a code, with its digits hidden."""
    if message.message_class != MessageClass.VERIFICATION:
        return message.text
    return "".join("•" if char.isdigit() else char for char in message.text)
