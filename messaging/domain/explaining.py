"""Would this member get this text now, and why not: each gate's verdict, from the policy itself.

The text is enqueued as any other and taken back: what is shown is what the statement in the database said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from constance import config
from django.db import connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import Member, Store
from messaging.domain import budgets, outbox, previews, rules, texts
from messaging.domain.outbox import Draft
from messaging.domain.texts import Composed
from messaging.enums import Cause, MessageClass
from messaging.models import Gateway, Message, Template, TemplateVersion
from messaging.states import GATES, Reason, State, gates_of


class Says(StrEnum):
    YES = "yes"
    NO = "no"
    WAITS = "waits"


@dataclass(frozen=True)
class Gate:
    """One gate's verdict and what it went by."""

    key: str
    label: str | Promise
    says: Says
    why: str | Promise = ""
    detail: str = ""


@dataclass(frozen=True)
class Explanation:
    """What would become of one text to one member at one moment. `leaves_at` None: it would not leave."""

    message_class: MessageClass
    template: Template | None
    gates: tuple[Gate, ...]
    state: State
    reason: Reason
    leaves_at: datetime | None
    zones: str
    text: str

    @property
    def would_leave(self) -> bool:
        return self.leaves_at is not None

    @property
    def noes(self) -> list[Gate]:
        return [gate for gate in self.gates if gate.says == Says.NO]


def explain(
    *,
    member: Member,
    store: Store,
    at: datetime,
    template: Template | None = None,
    message_class: MessageClass = MessageClass.MARKETING,
) -> Explanation:
    """Ask every gate about a text of this template, or about any text of this class. Leaves nothing behind."""
    if template is not None:
        message_class = MessageClass(template.message_class)
    version = texts.approved_version(template.pk, member.language) if template else None
    composed = _composed(version, member, store, message_class, has_template=template is not None)
    is_of_rule = message_class != MessageClass.MARKETING or bool(template and template.event_type)
    cause = Cause.RULE if is_of_rule else Cause.RUN
    draft = _draft(member, store, message_class, version, composed, cause)
    message = _judged(draft, at)
    said = (
        *_before(template, version, store, composed),
        *_policy(message, draft, at),
        *_reports(message, version),
    )
    is_stopped = any(gate.says == Says.NO for gate in said)
    return Explanation(
        message_class=message_class,
        template=template,
        gates=said,
        state=State(message.state),
        reason=Reason(message.reason),
        leaves_at=None if is_stopped else message.due_at,
        zones=draft.timezone,
        text=composed.text if version else "",
    )


def _composed(
    version: TemplateVersion | None,
    member: Member,
    store: Store,
    message_class: MessageClass,
    *,
    has_template: bool,
) -> Composed:
    """The text with sample values, or a stand-in when a class alone is asked about."""
    if version is None:
        refusal = Reason.NOT_APPROVED if has_template else Reason.NONE
        return texts.finished(
            "…", message_class, member.language, signature=store.sms_signature, phone=member.phone
        )._replace(refusal=refusal)
    payload = previews.samples(texts.placeholders_of(version.template)) | {
        "name": member.name,
        "store": store.name,
    }
    return texts.wording_of(version).compose(
        payload, signature=store.sms_signature, phone=member.phone, timezone=store.timezone
    )


def _draft(
    member: Member,
    store: Store,
    message_class: MessageClass,
    version: TemplateVersion | None,
    composed: Composed,
    cause: Cause,
) -> Draft:
    return Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        message_class=message_class,
        text=composed.text,
        encoding=composed.encoding,
        parts=composed.parts,
        cause=cause,
        cause_id=-member.pk,
        timezone=outbox.recipient_zone(member, member.phone, store),
        member_id=member.pk,
        store_id=store.pk,
        language=version.language if version else member.language,
        version_id=version.pk if version else None,
        refusal=composed.refusal,
    )


def _judged(draft: Draft, at: datetime) -> Message:
    """What the policy makes of it, read before the whole is taken back."""
    with transaction.atomic():
        [enqueued] = outbox.enqueue([draft], at=at)
        message = Message.objects.get(pk=enqueued.message_id)
        transaction.set_rollback(True)
    return message


def _before(
    template: Template | None, version: TemplateVersion | None, store: Store, composed: Composed
) -> list[Gate]:
    """What is asked of the text itself before the policy looks at it."""
    found = []
    if template is not None:
        is_there = version is not None
        found.append(
            Gate(
                "template",
                _("Approved wording"),
                Says.YES if is_there else Says.NO,
                "" if is_there else Reason.NOT_APPROVED.label,
                str(version) if version else "",
            )
        )
    has_name = bool(store.sms_signature.strip())
    found.append(
        Gate("signature", _("Sender’s name"), Says.YES if has_name else Says.NO, detail=store.sms_signature)
    )
    if version is not None and composed.refusal:
        found.append(Gate("text", _("The text itself"), Says.NO, composed.refusal.label))
    return found


_LABELS: Mapping[Reason, Promise] = {
    Reason.NO_CONSENT: _("Consent"),
    Reason.OPTED_OUT: _("Not opted out"),
    Reason.UNREAD: _("Nothing unread from them"),
    Reason.TOO_LATE: _("In time"),
    Reason.FREQUENCY: _("Not too often"),
    Reason.DUPLICATE: _("Not the same again"),
    Reason.QUIET_HOURS: _("Permitted hours"),
    Reason.BUDGET: _("Within the budget"),
}
_OF_MARKETING = (Reason.UNREAD, Reason.FREQUENCY, Reason.QUIET_HOURS)
_NOT_ASKED: Mapping[MessageClass, tuple[Reason, ...]] = {
    MessageClass.VERIFICATION: (*_OF_MARKETING, Reason.DUPLICATE),
    MessageClass.NOTIFICATION: _OF_MARKETING,
    MessageClass.TRIGGER: _OF_MARKETING,
}


def _policy(message: Message, draft: Draft, at: datetime) -> list[Gate]:
    """The gates of the policy as the statement answered them; it asks the budgets only about what may go otherwise."""
    noes = set(gates_of(message.gates))
    if _is_over_budget(draft, at):
        noes.add(Reason.BUDGET)
    hours = outbox.hours_for(draft.message_class)
    is_marketing = draft.message_class == MessageClass.MARKETING
    monthly = hours.monthly(is_personal=draft.cause == Cause.RULE)
    details = {
        Reason.QUIET_HOURS: _hours(draft, hours) if is_marketing else "",
        Reason.FREQUENCY: f"{hours.per_day} / 24 h, {monthly} / 30 d" if is_marketing else "",
        Reason.DUPLICATE: f"{config.SAME_TEXT_MINUTES} min",
    }
    return [
        Gate(
            reason.value,
            _LABELS[reason],
            _says(reason, noes),
            reason.label if reason in noes else "",
            details.get(reason, ""),
        )
        for reason in GATES
        if reason not in _NOT_ASKED.get(draft.message_class, ())
    ]


def _is_over_budget(draft: Draft, at: datetime) -> bool:
    return budgets.refuses(
        store_id=draft.store_id,
        message_class=draft.message_class.value,
        cause=draft.cause.value,
        cause_id=draft.cause_id,
        phone=draft.phone,
        parts=draft.parts,
        at=at,
    )


def _says(reason: Reason, noes: set[Reason]) -> Says:
    if reason not in noes:
        return Says.YES
    return Says.WAITS if reason == Reason.QUIET_HOURS else Says.NO


def _hours(draft: Draft, hours: outbox.PermittedHours) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT opens, closes FROM sms_window(%s, %s::time, %s::time)",
            [draft.phone, hours.opens.isoformat(), hours.closes.isoformat()],
        )
        found = cursor.fetchone()
    if not found:
        return ""
    opens, closes = found
    return f"{opens:%H:%M}–{closes:%H:%M} {draft.timezone.replace(',', ', ')} ({rules.pack_for(draft.phone).code})"


def _reports(message: Message, version: TemplateVersion | None) -> list[Gate]:
    """Gateways that refuse what is not reported; the same question the gate before the wire asks."""
    if not message.phone.startswith("+86"):
        return []
    found = []
    for gateway in Gateway.objects.filter(is_active=True, needs_reports=True):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sms_is_reported(%s, %s, %s)",
                [version.pk if version else None, message.store_id, gateway.pk],
            )
            is_reported = cursor.fetchone()[0]
        why = "" if is_reported else Reason.UNREGISTERED.label
        label = _("Reported to the carriers")
        found.append(Gate("reports", label, Says.YES if is_reported else Says.NO, why, str(gateway)))
    return found
