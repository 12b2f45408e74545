"""Bringing a person in, and writing down what they agree to."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from members.domain import events
from members.domain.ledger import Actor
from members.enums import ConsentSource, Purpose
from members.models import ConsentEntry, Member, MemberFacts, Store
from members.phones import InvalidPhone, keyed_hash, normalize
from members.refusals import Refused


class PhoneTaken(Refused):
    """The number belongs to a member already."""

    code = "phone_taken"
    field = "phone"


class PhoneUnusable(Refused):
    """The number cannot be a member's mobile."""

    code = "phone_invalid"
    field = "phone"


@dataclass(frozen=True)
class Consents:
    """What the person agreed to, separately, under which wording."""

    service: bool
    marketing: bool
    wording_version: str
    source: ConsentSource


def phone_hash(phone: str) -> bytes:
    """The keyed hash of an E.164 number that suppressions and limits are matched by."""
    return keyed_hash(phone, settings.REGULARS_PHONE_KEY.encode())


def read_phone(raw: str) -> str:
    """E.164 of what was typed. Raises PhoneUnusable in plain words."""
    try:
        return normalize(raw, settings.REGULARS_REGION)
    except InvalidPhone as problem:
        raise PhoneUnusable(problem.message) from problem


def new_member_no() -> str:
    """A member number that says nothing of how many members there are."""
    return f"R{secrets.randbelow(10**9):09d}"


@transaction.atomic
def enrol_member(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    phone: str,
    consents: Consents,
    name: str = "",
    language: str = "",
    birthday: date | None = None,
    gender: str = "",
    tags: Sequence[str] = (),
    member_no: str = "",
) -> Member:
    """Enrol a person by phone with two separate consents. Publishes member_enrolled.

    The same key again gives the same member. Raises PhoneUnusable, PhoneTaken.
    """
    number = read_phone(phone)
    earlier = Member.objects.filter(
        phone=number, events__source=actor.scope, events__key=f"enrol:{key}"
    ).first()
    if earlier:
        return earlier
    member = Member(
        member_no=member_no or new_member_no(),
        phone=number,
        phone_hash=phone_hash(number),
        name=name.strip(),
        language=language or store.language,
        birthday=birthday,
        gender=gender,
        home_store=store,
        tags=list(tags),
        source=consents.source,
        enrolled_at=at,
    )
    try:
        with transaction.atomic():
            member.save(force_insert=True)
    except IntegrityError as taken:
        raise PhoneTaken(_("This number already belongs to a member.")) from taken
    MemberFacts.objects.create(member=member)
    for purpose, given in ((Purpose.SERVICE, consents.service), (Purpose.MARKETING, consents.marketing)):
        record_consent(
            member=member,
            purpose=purpose,
            is_given=given,
            source=consents.source,
            wording_version=consents.wording_version,
            at=at,
            store=store,
            staff_id=actor.staff_id,
        )
    events.publish(
        "member_enrolled",
        member=member,
        store=store,
        source=actor.scope,
        key=f"enrol:{key}",
        at=at,
    )
    return member


@transaction.atomic
def record_consent(
    *,
    member: Member,
    purpose: Purpose,
    is_given: bool,
    source: ConsentSource,
    wording_version: str,
    at: datetime,
    store: Store | None = None,
    staff_id: int | None = None,
) -> None:
    """Write one word given or taken back, and fold it into the member's flag in the same transaction."""
    ConsentEntry.objects.create(
        member=member,
        purpose=purpose,
        is_given=is_given,
        wording_version=wording_version,
        source=source,
        store=store,
        staff_id=staff_id,
        at=at,
    )
    flag = f"has_{purpose}_consent"
    Member.objects.filter(pk=member.pk).update(**{flag: is_given})
    setattr(member, flag, is_given)
