"""One text's whole story: what caused it, what each rule said, what it was agreed to, what the carrier reported, what
it cost and who has looked at it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from campaigns.models import RuleFiring, Run
from members.domain import audit
from members.enums import Purpose
from members.models import AuditEntry, AuditVerb, ConsentEntry, Staff
from messaging.enums import Cause, MessageClass
from messaging.models import InboundText, Message, Receipt, SubmittedPart, Suppression, VerificationCode
from messaging.states import Reason

_CONTENT = re.compile(r"\s*\btext:.*", re.IGNORECASE | re.DOTALL)  # a receipt repeats the start of the text
READERS_SHOWN = 50
READ_ONCE_IN = timedelta(hours=1)
_PRICES = (
    "SELECT coalesce(sum(sms_part_price(g, %s, t)), 0) FROM unnest(%s::bigint[], %s::timestamptz[]) x (g, t)"
)


@dataclass(frozen=True)
class Gate:
    """One rule that was asked: what it is, what it said (pass, wait, stop or not asked), and why."""

    label: str | Promise
    says: str
    note: str | Promise = ""


@dataclass(frozen=True)
class Told:
    """A delivery report as it came, without the text it repeats. `is_late`: after the text counted as settled."""

    receipt: Receipt
    raw: str
    is_late: bool


def cause_of(message: Message) -> Any:
    """The firing of a rule, the run, the text answered or the code behind a text; None for the rest."""
    if message.cause == Cause.RULE:
        return RuleFiring.objects.filter(pk=message.cause_id).select_related("rule").first()
    if message.cause == Cause.RUN:
        return Run.objects.filter(pk=message.cause_id).select_related("campaign").first()
    if message.cause == Cause.REPLY:
        return InboundText.objects.filter(pk=message.cause_id).first()
    if message.cause == Cause.CODE:
        return VerificationCode.objects.filter(pk=message.cause_id).only("purpose", "created_at").first()
    return None


def told_by(message: Message, parts: Sequence[SubmittedPart]) -> list[Told]:
    """The delivery reports of these parts, as they came; one query."""
    if not parts:
        return []
    wanted = Q()
    for part in parts:
        wanted |= Q(gateway_id=part.gateway_id, provider_id=part.provider_id)
    settled = message.final_at
    return [
        Told(
            row, _CONTENT.sub("", row.raw), bool(settled and row.received_at > settled + timedelta(seconds=1))
        )
        for row in Receipt.objects.filter(wanted).order_by("pk")
    ]


def cost_of(message: Message, parts: Sequence[SubmittedPart]) -> dict[str, int]:
    """Parts accepted and their price then, in minor units, rounded up; what is still put aside for it."""
    moment = message.submitted_at or message.created_at
    with connection.cursor() as cursor:
        cursor.execute(_PRICES, [message.phone, [p.gateway_id for p in parts], [moment for _part in parts]])
        milli = int(cursor.fetchone()[0])
    return {
        "parts": len(parts),
        "minor": -(-milli // 1000),
        "aside_minor": -(-message.reserved_milli // 1000),
    }


def consents_then(message: Message) -> list[ConsentEntry]:
    """The last word of the member on these texts before this one was written: the proof of consent."""
    if message.member_id is None:
        return []
    purpose = Purpose.MARKETING if message.message_class == MessageClass.MARKETING else Purpose.SERVICE
    rows = ConsentEntry.objects.filter(member=message.member_id, purpose=purpose, at__lte=message.created_at)
    return list(rows.select_related("staff", "store").order_by("-pk")[:1])


def gates_of(message: Message) -> list[Gate]:
    """Each rule in the order it was asked, as it stood when this text was written."""
    is_marketing = message.message_class == MessageClass.MARKETING
    return [
        _review(message),
        _consent(message),
        _opt_out(message),
        _hours(message),
        _of_reason(
            _("Frequency"),
            message,
            Reason.FREQUENCY,
            is_asked=is_marketing,
        ),
        _of_reason(
            _("Same text"),
            message,
            Reason.DUPLICATE,
            is_asked=message.message_class != MessageClass.VERIFICATION and message.cause != Cause.REPLY,
        ),
        _of_reason(_("Nothing unread from them"), message, Reason.UNREAD, is_asked=is_marketing),
        _of_reason(_("Budget"), message, Reason.BUDGET, is_asked=True),
        _of_reason(_("In time"), message, Reason.TOO_LATE, is_asked=True),
    ]


def _review(message: Message) -> Gate:
    version = message.template_version
    if version is None:
        return Gate(_("Review"), "pass", _("a text of the house itself"))
    is_bound = bool(version.approved_hash) and version.approved_hash == version.content_hash
    return Gate(_("Review"), "pass" if is_bound else "stop", _("approved as it was sent") if is_bound else "")


def _consent(message: Message) -> Gate:
    needs = message.message_class == MessageClass.MARKETING or (
        message.cause in (Cause.RULE, Cause.API) and message.message_class != MessageClass.VERIFICATION
    )
    if message.reason == Reason.NO_CONSENT:
        return Gate(_("Consent"), "stop", Reason.NO_CONSENT.label)
    found = consents_then(message)
    if not needs or not found:
        return Gate(_("Consent"), "pass" if needs and found else "none", _("not needed for this text"))
    word = found[0]
    return Gate(_("Consent"), "pass" if word.is_given else "stop", word.get_source_display())


def _opt_out(message: Message) -> Gate:
    if message.message_class == MessageClass.VERIFICATION or message.cause == Cause.REPLY:
        return Gate(_("Opt-out"), "none", _("not needed for this text"))
    out = Suppression.objects.filter(phone_hash=message.phone_hash, at__lte=message.created_at).filter(
        Q(lifted_at=None) | Q(lifted_at__gt=message.created_at)
    )
    return Gate(_("Opt-out"), "stop" if message.reason == Reason.OPTED_OUT or out.exists() else "pass")


def _hours(message: Message) -> Gate:
    if message.message_class != MessageClass.MARKETING:
        return Gate(_("Permitted hours"), "none", _("not needed for this text"))
    has_waited = message.due_at > message.created_at
    return Gate(_("Permitted hours"), "wait" if has_waited else "pass", message.timezone)


def _of_reason(label: str, message: Message, reason: Reason, *, is_asked: bool) -> Gate:
    if not is_asked:
        return Gate(label, "none", _("not needed for this text"))
    if message.reason != reason:
        return Gate(label, "pass")
    return Gate(label, "stop" if message.final_at else "wait", reason.label)


def readers_of(message: Message) -> list[AuditEntry]:
    """Who has opened this page, the newest first."""
    rows = AuditEntry.objects.filter(
        verb=AuditVerb.MESSAGE_READ, subject_type="message", subject_id=str(message.pk)
    )
    return list(rows.select_related("staff").order_by("-seq")[:READERS_SHOWN])


def write_reader(message: Message, staff: Staff, at: datetime) -> None:
    """Write down that this person has read it; once an hour is enough."""
    seen = AuditEntry.objects.filter(
        subject_type="message", subject_id=str(message.pk), staff=staff, at__gt=at - READ_ONCE_IN
    )
    if not seen.exists():
        audit.write(actor=staff, verb=AuditVerb.MESSAGE_READ, subject=message, store=message.store, at=at)
