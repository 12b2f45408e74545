"""What a member may be texted for, said by the member in the portal. Acts at once, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from constance.utils import get_values_for_keys
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.enrolment import record_consent
from members.domain.ledger import Actor
from members.enums import ConsentSource, Purpose
from members.models import ConsentEntry, Member
from members.refusals import Refused
from messaging.domain.suppressions import lock_phone
from messaging.enums import Cause, MessageClass, SuppressionScope
from messaging.models import Message, Suppression
from messaging.states import Reason, State, sources_of

_CLASSES = {
    Purpose.MARKETING: (MessageClass.MARKETING,),
    Purpose.SERVICE: (MessageClass.NOTIFICATION, MessageClass.TRIGGER),
}


class WordingChanged(Refused):
    """The wording the member read is not the one in force; it has to be read again before it is agreed to."""

    code = "wording_changed"


class TakenOffAllTexts(Refused):
    """The number is on the list of those never to be texted; only the shop can take it off."""

    code = "suppressed"


@dataclass(frozen=True)
class Choice:
    """One switch: whether texts of this purpose reach the member now, and who said so last."""

    purpose: Purpose
    is_on: bool
    last: ConsentEntry | None


@dataclass(frozen=True)
class Choices:
    service: Choice
    marketing: Choice
    is_off_all: bool
    wording: str

    def is_on(self, purpose: Purpose) -> bool:
        return (self.marketing if purpose == Purpose.MARKETING else self.service).is_on


@dataclass(frozen=True)
class Chosen:
    """What a choice changed: nothing, or the consent and so many texts that waited."""

    is_changed: bool
    taken_back: int = 0


def choices_of(member: Member) -> Choices:
    """How things stand, opt-outs by text included: a switch is on only if texts do go out."""
    open_scopes = set(_suppressions(member).values_list("scope", flat=True))
    is_off_all = SuppressionScope.ALL in open_scopes
    is_marketing_on = member.has_marketing_consent and not open_scopes
    last = _last_words(member)
    return Choices(
        service=Choice(Purpose.SERVICE, member.has_service_consent and not is_off_all, last.get("service")),
        marketing=Choice(Purpose.MARKETING, is_marketing_on, last.get("marketing")),
        is_off_all=is_off_all,
        wording=get_values_for_keys(["CONSENT_WORDING"])["CONSENT_WORDING"],
    )


@transaction.atomic
def choose(member: Member, purpose: Purpose, *, is_on: bool, wording: str, at: datetime) -> Chosen:
    """Turn the texts of a purpose on or off. Holds the phone's lock, so no text slips out meanwhile.

    Off: the consent is taken back and what still waits for this member is not sent. On: the consent is given under
    the wording that was read, and an opt-out from marketing is lifted. Saying what stands already writes nothing.
    Raises WordingChanged and TakenOffAllTexts, both only when turning on.
    """
    lock_phone(bytes(member.phone_hash))
    member.refresh_from_db(fields=["has_service_consent", "has_marketing_consent"])
    now = choices_of(member)
    if is_on == now.is_on(purpose):
        return Chosen(is_changed=False)
    if is_on and now.is_off_all:
        raise TakenOffAllTexts(
            _("Your number is on the list of those we never text. Please ask at the shop.")
        )
    if is_on and wording != now.wording:
        raise WordingChanged(_("The wording has changed. Please read it again, then switch on."))
    record_consent(
        member=member,
        purpose=purpose,
        is_given=is_on,
        source=ConsentSource.PORTAL,
        wording_version=now.wording,
        at=at,
    )
    if is_on and purpose == Purpose.MARKETING:
        lifted = _suppressions(member).filter(scope=SuppressionScope.MARKETING).update(lifted_at=at)
        if lifted:
            audit.write(actor=Actor("portal"), verb="suppression_lifted", subject=member, at=at)
    return Chosen(is_changed=True, taken_back=0 if is_on else _take_back(member, purpose, at))


def consent_history(member: Member) -> list[ConsentEntry]:
    """Every word the member has given or taken back, newest first."""
    return list(ConsentEntry.objects.filter(member=member).select_related("store").order_by("-id"))


def _suppressions(member: Member) -> QuerySet[Suppression]:
    return Suppression.objects.filter(phone_hash=bytes(member.phone_hash), lifted_at=None)


def _last_words(member: Member) -> Mapping[str, ConsentEntry]:
    newest = ConsentEntry.objects.filter(member=member).order_by("purpose", "-id").distinct("purpose")
    return {entry.purpose: entry for entry in newest}


def _take_back(member: Member, purpose: Purpose, at: datetime) -> int:
    """Stop what waits. Codes and answers to the member's own texts are not a matter of consent."""
    waiting = Message.objects.filter(
        member=member, message_class__in=_CLASSES[purpose], state__in=sources_of(State.SUPPRESSED)
    )
    if purpose == Purpose.SERVICE:
        waiting = waiting.filter(cause__in=[Cause.RULE, Cause.API])
    return waiting.update(state=State.SUPPRESSED, reason=Reason.NO_CONSENT, final_at=at)
