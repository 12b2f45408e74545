"""Opt-outs: who is not to be texted, and the only ways out of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from members.domain import audit
from members.domain.enrolment import record_consent
from members.domain.ledger import Actor
from members.enums import ConsentSource, Purpose
from members.models import ConsentEntry, Member
from messaging.enums import MessageClass, SuppressionScope
from messaging.models import Message, Suppression
from messaging.states import Reason, State, sources_of


class Suppressed(NamedTuple):
    """Whether the phone was reachable before, and how many texts on their way out were stopped."""

    is_new: bool
    stopped: int


@transaction.atomic
def suppress(phone_hash: bytes, source: ConsentSource, *, at: datetime) -> Suppressed:
    """No more marketing to this phone: the suppression, a known member's consent taken back, what waits
    stopped.

    One transaction. Holds the phone's lock alone, so that no claim commits for it meanwhile; after this
    commit none can. What the gateway has taken already cannot be called back. Safe to repeat.
    """
    lock_phone(phone_hash)
    _, is_new = Suppression.objects.get_or_create(
        phone_hash=phone_hash,
        scope=SuppressionScope.MARKETING,
        lifted_at=None,
        defaults={"source": source.value, "at": at},
    )
    member = Member.objects.filter(phone_hash=phone_hash).first()
    if member and member.has_marketing_consent:
        _record(member, source, at, is_given=False)
    stopped = Message.objects.filter(
        phone_hash=phone_hash,
        message_class=MessageClass.MARKETING,
        state__in=sources_of(State.SUPPRESSED),
    ).update(state=State.SUPPRESSED, reason=Reason.OPTED_OUT, final_at=at)
    return Suppressed(is_new, stopped)


@transaction.atomic
def lift_by_text(member: Member, *, at: datetime) -> bool:
    """START undoes exactly what a STOP by text undid, and nothing else. False: it changed nothing.

    Lifted only if the member is suppressed, the suppression came by text, and the last word on marketing was
    that withdrawal by text after a consent. Then the consent that stood before is given again, under the
    wording it had. A member who never agreed, or withdrew at the till or in the portal, is not brought in by
    a text: a person decides.
    """
    phone_hash = bytes(member.phone_hash)
    lock_phone(phone_hash)
    words = list(ConsentEntry.objects.filter(member=member, purpose=Purpose.MARKETING).order_by("-id")[:2])
    if len(words) < 2 or words[0].is_given or words[0].source != ConsentSource.TEXT or not words[1].is_given:
        return False
    lifted = Suppression.objects.filter(
        phone_hash=phone_hash, scope=SuppressionScope.MARKETING, source=ConsentSource.TEXT, lifted_at=None
    ).update(lifted_at=at)
    if not lifted:
        return False
    _record(member, ConsentSource.TEXT, at, is_given=True, wording_version=words[1].wording_version)
    audit.write(actor=Actor("text"), verb="suppression_lifted", subject=member, at=at)
    return True


@transaction.atomic
def copy(from_hash: bytes, to_hash: bytes, *, at: datetime) -> int:
    """What one phone refuses the other refuses too; the first keeps refusing it. Safe to repeat."""
    lock_phone(to_hash)
    standing = Suppression.objects.filter(phone_hash=from_hash, lifted_at=None)
    known = set(
        Suppression.objects.filter(phone_hash=to_hash, lifted_at=None).values_list("scope", flat=True)
    )
    copies = [
        Suppression(phone_hash=to_hash, scope=one.scope, source=one.source, at=at)
        for one in standing
        if one.scope not in known
    ]
    return len(Suppression.objects.bulk_create(copies))


def lock_phone(phone_hash: bytes) -> None:
    """Until the end of the transaction no claim takes marketing for this phone (claim_take.sql)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(sms_phone_key(%s))", [phone_hash])


def _record(
    member: Member, source: ConsentSource, at: datetime, *, is_given: bool, wording_version: str = ""
) -> None:
    record_consent(
        member=member,
        purpose=Purpose.MARKETING,
        is_given=is_given,
        source=source,
        wording_version=wording_version,
        at=at,
    )
