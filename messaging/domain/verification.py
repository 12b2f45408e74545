"""Codes that prove who holds a phone: asked for, checked and forgotten here, and only here.

A number is treated alike whether it is a member's or not: the same rows, the same work, the same answer. What is
counted is counted in the database under locks (verification_limits), so that nothing done at the same time slips
through, and a limiter that is down refuses. Which numbers and networks may ask how often, and what stops a crowd:
docs/verification.md.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import Member, Store
from members.phones import region_of
from messaging.domain import (
    outbox,
    texts,
    verification_breakers,
    verification_limits,
    verification_locks,
    verification_proofs,
)
from messaging.domain.outbox import Draft, Enqueued
from messaging.domain.texts import Composed
from messaging.domain.verification_asker import Asker, asker_of
from messaging.domain.verification_limits import Rules
from messaging.domain.verification_refusals import (
    CodesOverBudget,
    CodesUnavailable,
    CountryNotServed,
    ProofNeeded,
    TooManyChecks,
    TooManyCodes,
    TryLater,
)
from messaging.enums import Cause, CodePurpose, MessageClass
from messaging.models import FailedCheck, Message, Settling, SpentProof, VerificationCode
from messaging.sql import statement
from messaging.states import HOLDS_MONEY, Reason

__all__ = [
    "Checked",
    "CodesOverBudget",
    "CodesUnavailable",
    "CountryNotServed",
    "ProofNeeded",
    "TooManyChecks",
    "TooManyCodes",
    "TryLater",
    "ask_code",
    "check_code",
    "forget_codes",
    "live_code_of",
]

log = structlog.get_logger(__name__)

CODE_DIGITS = (6, 8)  # eight while the breaker of wrong codes is on
LIFETIME = timedelta(minutes=5)
CHECKS_MAX = 5
KEPT_FOR = timedelta(days=7)
BLANK = "…"
FORGOTTEN_MAX = 5_000
FOR_STRANGERS = frozenset({CodePurpose.REGISTER})  # whoever has no card yet may ask for these
# offered only to who is logged in or stands at the till: no proof of work on top
OF_THE_KNOWN = frozenset({CodePurpose.PAY, CodePurpose.PASS_ON, CodePurpose.CHANGE_PHONE, CodePurpose.REDEEM})
WITHOUT_WEBOTP = frozenset({"CN"})  # carriers that refuse "#" and addresses in a code's text
_FORGET = statement("forget_codes")


@dataclass(frozen=True)
class Checked:
    """What a check said. With no checks left the code is over and a new one has to be asked for."""

    is_right: bool
    checks_left: int


@dataclass(frozen=True)
class LiveCode:
    """A code in force, for whoever must know it when they see it. Never shown, never logged."""

    code: str = field(repr=False)
    asked_at: datetime


def ask_code(
    *,
    phone: str,
    purpose: CodePurpose,
    language: str,
    store: Store | None,
    at: datetime,
    ip: str | None,
    device: str = "",
    proof: str = "",
    source: str = "",
) -> None:
    """Make a code for an E.164 number and, if it is a member's (or it is to register), text it.

    While a code is valid a repeat sends the same one again, and it stays valid no longer than before. `store` signs
    the text and pays for it, or else the member's home store. Without an `ip` it is staff who ask for the member
    before them: only the number's own limits and the cost hold. `device` is the browser's lasting secret: each device
    gets a code of its own, which is right only there. `proof` answers an earlier ProofNeeded. `source` names the API
    key that asks: the text counts under its budgets too.

    Raises TooManyCodes (number 1 a minute, 5 an hour, 10 a day; address 5 numbers an hour; device 5 codes an hour; 30
    neighbours in 10 minutes; a locked span; the house's parts used up), TooManyChecks while the number is locked,
    CountryNotServed, ProofNeeded while a breaker is on, CodesUnavailable when the limits cannot be counted. All of
    them for members and strangers alike. Without an `ip` also CodesOverBudget; from outside nobody hears of it.
    """
    asker = asker_of(phone, ip, device)
    words = _("Codes cannot be sent at the moment.")
    with _refusing_when_down(words, at + timedelta(seconds=30), at, field="phone"), transaction.atomic():
        _ask(asker, phone, CodePurpose(purpose), language, store, at, proof, source)


def check_code(
    *, phone: str, purpose: CodePurpose, code: str, at: datetime, ip: str | None, device: str = ""
) -> Checked:
    """Whether this is the code of the number, now. A right one is used up: of any number of checks at once one wins.

    Every check is written down and committed before the code is looked at, so this must not stand inside a
    transaction (RuntimeError). Raises TooManyChecks (15 failures in a row lock the number for an hour; 20 failures
    an hour for a network), CodesUnavailable when it cannot be counted.
    """
    words = _("Codes cannot be checked at the moment.")
    with _refusing_when_down(words, at + timedelta(seconds=5), at, field="code"):
        return _check(asker_of(phone, ip, device), purpose, code, at)


def live_code_of(phone: str, at: datetime) -> LiveCode | None:
    """The newest code this number was sent and could use now, whatever for; None without one."""
    number = asker_of(phone, None).number
    sent = VerificationCode.objects.filter(phone_hash=number, expires_at__gt=at, is_sent=True)
    found = sent.select_related("same_as").order_by("-id").first()
    if found is None or not _is_live(found.same_as or found, at):
        return None
    return LiveCode(_code(found.purpose, number, bytes(found.salt), found.digits), found.created_at)


def forget_codes(*, at: datetime) -> dict[str, int]:
    """Blank the texts whose code is settled or over, and delete rows no limit needs. Safe to run twice."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FORGET, {"at": at, "limit": FORGOTTEN_MAX, "blank": BLANK})
        blanked = int(cursor.rowcount)
    old = VerificationCode.objects.filter(_owes_nothing(), created_at__lt=at - KEPT_FOR, is_text_kept=False)
    codes, _by_model = old.exclude(repeats__is_text_kept=True).delete()
    checks, _by_model = FailedCheck.objects.filter(at__lt=at - KEPT_FOR).delete()
    SpentProof.objects.filter(at__lt=at - timedelta(hours=1)).delete()
    return {"texts": blanked, "codes": codes, "checks": checks}


def _owes_nothing() -> Q:
    """Of codes: no key's budget holds money aside for their text, which would have to be settled under that key."""
    held = Q(state__in=HOLDS_MONEY) | Q(pk__in=Settling.objects.values("message_id"))
    texts = Message.objects.filter(held, cause=Cause.CODE, cause_id=OuterRef("pk"), reserved_milli__gt=0)
    return Q(source="") | Q(~Exists(texts))


@contextmanager
def _refusing_when_down(words: Promise, until: datetime, at: datetime, *, field: str) -> Iterator[None]:
    """A limiter that is down refuses: CodesUnavailable."""
    try:
        yield
    except OperationalError as down:
        log.error("codes_unavailable", error=type(down).__name__)
        raise CodesUnavailable(words, until, at, field=field) from down


def _check(asker: Asker, purpose: CodePurpose, code: str, at: datetime) -> Checked:
    with transaction.atomic(durable=True):
        verification_limits.take_turns(asker)
        verification_locks.refuse_locked_number(asker.number, at, field="code")
        verification_limits.refuse_more_failures(asker.network, at)
        held = _claim(asker, purpose, at)
        doubt = FailedCheck.objects.create(
            phone_hash=asker.number if held else None, network_hash=asker.network, at=at
        )
    if held is None:
        return Checked(is_right=False, checks_left=0)
    if not _is_right(held, code):
        with transaction.atomic(durable=True):
            verification_limits.take_turns(asker)
            verification_locks.lock_number_if_guessed(asker.number, at)
        return Checked(is_right=False, checks_left=CHECKS_MAX - held.checks)
    with transaction.atomic(durable=True):
        is_first = VerificationCode.objects.filter(pk=held.pk, used_at=None).update(used_at=at) == 1
        if is_first:
            doubt.delete()
    return Checked(is_right=is_first, checks_left=0)


def _ask(
    asker: Asker,
    phone: str,
    purpose: CodePurpose,
    language: str,
    store: Store | None,
    at: datetime,
    proof: str,
    source: str,
) -> None:
    """Every refusal first, the cheap ones before the dear; the house's turn is held for as short as can be."""
    rules = verification_limits.rules_in_force()
    verification_limits.take_turns(asker)
    digits, serves_strangers = _admitted(asker, phone, purpose, rules, at, proof)
    row, code = _made(asker, purpose, digits, at)
    row.source = source
    member = Member.objects.current().select_related("home_store").filter(phone=phone).first()
    place = store or (member.home_store if member else None)
    composed = _composed(row, code, phone, language, place, rules)
    is_served = member is not None or (purpose in FOR_STRANGERS and serves_strangers)
    verification_limits.take_house_turn()
    has_room = _has_room(asker, rules, place, composed.parts, at, is_member=member is not None)
    row.store, row.is_member, row.is_sent = place, member is not None, is_served and has_room
    row.parts = composed.parts if row.is_sent else 0
    row.save()
    if asker.is_outside:
        verification_locks.lock_span_if_pumped(asker, phone, at)
    if _text(row, phone, composed, language, member, place, at).reason == Reason.BUDGET:
        _take_back(row, asker)


def _admitted(
    asker: Asker, phone: str, purpose: CodePurpose, rules: Rules, at: datetime, proof: str
) -> tuple[int, bool]:
    """How many digits the code gets, and whether strangers are served. Raises everything that refuses."""
    if asker.is_outside:
        verification_limits.refuse_country(phone, rules)
    verification_locks.refuse_locked_number(asker.number, at, field="phone")
    verification_limits.refuse_more_codes(asker, at)
    breakers = verification_breakers.judge(at)
    if asker.is_outside:
        verification_locks.refuse_locked_span(asker, at)
        verification_limits.refuse_more_neighbours(asker, at)
        if breakers.needs_proof and purpose not in OF_THE_KNOWN:
            verification_proofs.demand(proof, number=asker.number, at=at)
    return breakers.digits, breakers.serves_strangers


def _made(asker: Asker, purpose: CodePurpose, digits: int, at: datetime) -> tuple[VerificationCode, str]:
    """A row for this asking, not yet saved, and its code: that of the live one, or a new one."""
    newest = _newest(asker, purpose)
    same = newest if newest and _is_live(newest, at) else None
    salt = bytes(same.salt) if same else secrets.token_bytes(16)
    digits = same.digits if same else digits
    code = _code(purpose, asker.number, salt, digits)
    row = VerificationCode(
        phone_hash=asker.number,
        ip_hash=asker.address,
        device_hash=asker.device,
        prefix_hash=asker.prefix,
        span_hash=asker.span,
        shifted_span_hash=asker.shifted_span,
        purpose=purpose,
        same_as=same,
        salt=salt,
        code_hash=bytes(same.code_hash) if same else _hashed(code, purpose, asker.number, salt),
        digits=digits,
        created_at=at,
        expires_at=same.expires_at if same else at + LIFETIME,
    )
    return row, code


def _has_room(
    asker: Asker, rules: Rules, place: Store | None, parts: int, at: datetime, *, is_member: bool
) -> bool:
    """Whether the cost allows it. Of a full house everybody may know; of a full share or store only staff."""
    spent = verification_limits.spent(place.pk if place else None, at)
    has_room = spent.has_room(rules, parts, is_member=is_member)
    if spent.is_house_full(rules) or not (has_room or asker.is_outside):
        until = at + timedelta(hours=1)
        raise TooManyCodes(_("We cannot send more codes at the moment."), until, at, field="phone")
    if not has_room:
        log.warning("codes_over_budget", store=place.pk if place else None, is_member=is_member)
    return has_room


def _composed(
    row: VerificationCode, code: str, phone: str, language: str, place: Store | None, rules: Rules
) -> Composed:
    left = (row.expires_at - row.created_at).total_seconds()
    _class, composed = texts.system_text(
        f"{row.purpose}_code",
        language=language,
        values={"code": code, "minutes": str(ceil(left / 60))},
        signature=place.sms_signature if place else "",
        phone=phone,
    )
    if not rules.webotp_domain or region_of(phone) in WITHOUT_WEBOTP:
        return composed
    return texts.measured(f"{composed.text}\n@{rules.webotp_domain} #{code}", phone)


def _text(
    row: VerificationCode,
    phone: str,
    composed: Composed,
    language: str,
    member: Member | None,
    place: Store | None,
    at: datetime,
) -> Enqueued:
    """Enqueue for everybody; what is not to be sent is taken back, so that the work is the same."""
    draft = Draft(
        phone=phone,
        phone_hash=bytes(row.phone_hash),
        member_id=member.pk if member else None,
        store_id=place.pk if place else None,
        message_class=MessageClass.VERIFICATION,
        text=composed.text,
        encoding=composed.encoding,
        parts=composed.parts,
        refusal=composed.refusal,
        cause=Cause.CODE,
        cause_id=row.pk,
        language=language,
        timezone=outbox.recipient_zone(member, phone, place),
        expires_at=row.expires_at,
    )
    before = transaction.savepoint()
    (enqueued,) = outbox.enqueue([draft], at=at)
    (transaction.savepoint_commit if row.is_sent else transaction.savepoint_rollback)(before)
    return enqueued


def _take_back(row: VerificationCode, asker: Asker) -> None:
    """No budget had room for the text: it is not counted as sent, and whoever has the member before them hears of it."""
    if not asker.is_outside:
        raise CodesOverBudget(_("The budget for texts is used up. No code was sent."))
    row.is_sent, row.parts = False, 0
    row.save(update_fields=["is_sent", "parts"])


def _newest(asker: Asker, purpose: CodePurpose) -> VerificationCode | None:
    """The newest code of a number for a purpose on this device: the row that counts its checks."""
    codes = VerificationCode.objects.filter(
        phone_hash=asker.number, purpose=purpose, device_hash=asker.device, same_as=None
    )
    return codes.order_by("-id").first()


def _is_live(code: VerificationCode, at: datetime) -> bool:
    return code.used_at is None and code.checks < CHECKS_MAX and code.expires_at > at


def _claim(asker: Asker, purpose: CodePurpose, at: datetime) -> VerificationCode | None:
    """Take one of the checks of the newest code, under the number's turn; None when there is no live code."""
    newest = _newest(asker, purpose)
    if newest is None or not _is_live(newest, at):
        return None
    newest.checks += 1
    newest.save(update_fields=["checks"])
    return newest


def _is_right(held: VerificationCode, code: str) -> bool:
    same = _hashed(code, held.purpose, bytes(held.phone_hash), bytes(held.salt))
    return constant_time_compare(same, bytes(held.code_hash))


def _code(purpose: str, number: bytes, salt: bytes, digits: int) -> str:
    """The digits of a random salt, which nobody can tell without the secret key: a repeat needs nothing kept."""
    said = b":".join((purpose.encode(), number, salt))
    drawn = salted_hmac("messaging.verification.code", said, algorithm="sha256").digest()
    return f"{int.from_bytes(drawn) % 10**digits:0{digits}d}"


def _hashed(code: str, purpose: str, number: bytes, salt: bytes) -> bytes:
    """Slow on purpose (some 25 ms and 4 MB), bound to number and purpose, and worthless without the secret key."""
    keyed = salted_hmac("messaging.verification", f"{purpose}:{code}", algorithm="sha256").digest()
    return hashlib.scrypt(keyed, salt=number + salt, n=settings.REGULARS_CODE_HASH_COST, r=8, p=1, dklen=32)
