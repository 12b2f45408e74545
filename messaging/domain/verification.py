"""Codes that prove who holds a phone: asked for, checked and forgotten here, and only here.

A number is treated alike whether it is a member's or not: the same rows, the same work, the same answer. Only a
member is texted. All limits count database rows under the locks of the address and the number, so that nothing
done at the same time slips through, and a limiter that is down refuses.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from members.domain.enrolment import phone_hash
from members.models import Member, Store
from members.phones import keyed_hash
from members.refusals import Refused
from messaging.domain import outbox, texts
from messaging.domain.outbox import Draft
from messaging.enums import Cause, CodePurpose
from messaging.models import FailedCheck, VerificationCode
from messaging.sql import statement

CODE_DIGITS = 6
LIFETIME = timedelta(minutes=5)
CHECKS_MAX = 5
CODES_PER_NUMBER = ((1, timedelta(minutes=1)), (5, timedelta(hours=1)), (10, timedelta(days=1)))
NUMBERS_PER_ADDRESS = (5, timedelta(hours=1))
FAILURES_PER_ADDRESS = (20, timedelta(hours=1))
FAILURES_IN_A_ROW = 15
LOCKED_FOR = timedelta(hours=1)
KEPT_FOR = timedelta(days=7)
BLANK = "…"
FORGOTTEN_MAX = 5_000

_ADDRESS_LOCK, _NUMBER_LOCK = 4101, 4102  # taken in this order by everybody
_FORGET = statement("forget_codes")
_TEXTS = {
    CodePurpose.LOGIN: "login_code",
    CodePurpose.PAY: "pay_code",
    CodePurpose.PASS_ON: "pass_on_code",
    CodePurpose.CHANGE_PHONE: "change_phone_code",
}


class TryLater(Refused):
    """A limit is reached and nothing was done. `facts["wait_seconds"]` says when to come back."""

    code = "try_later"

    def __init__(self, message: Promise, until: datetime, at: datetime, *, field: str) -> None:
        wait = max(1, ceil((until - at).total_seconds()))
        super().__init__(f"{message} {_when(wait)}", field=field, wait_seconds=wait)

    @property
    def wait_seconds(self) -> int:
        return int(self.facts["wait_seconds"])


class TooManyCodes(TryLater):
    """This number, or this address, has asked for as many codes as it may."""

    code = "too_many_codes"


class TooManyChecks(TryLater):
    """Too many wrong codes: for this number, or from this address."""

    code = "too_many_checks"


@dataclass(frozen=True)
class Checked:
    """What a check said. With no checks left the code is over and a new one has to be asked for."""

    is_right: bool
    checks_left: int


@transaction.atomic
def ask_code(
    *, phone: str, purpose: CodePurpose, language: str, store: Store | None, at: datetime, ip: str | None
) -> None:
    """Make a code for an E.164 number and, if it is a member's, text it. An earlier code for the purpose is void.

    The code is kept only as a salted keyed hash, so a repeat is always a new code. `store` signs the text, or else
    the member's home store. Without an `ip` it is staff who ask for the member before them: only the limits of the
    number hold. Raises TooManyCodes (1 a minute, 5 an hour, 10 a day for a number; 5 numbers an hour
    for an address) and TooManyChecks while the number is locked, for members and strangers alike.
    """
    number = phone_hash(phone)
    address = _address_hash(ip) if ip is not None else number
    _take_turns(address, number)
    _refuse_locked(number, at, field="phone")
    _refuse_more_codes(number, address, at)
    code, salt = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}", secrets.token_bytes(16)
    row = VerificationCode.objects.create(
        phone_hash=number,
        ip_hash=address,
        purpose=purpose,
        salt=salt,
        code_hash=_hashed(code, purpose, number, salt),
        created_at=at,
        expires_at=at + LIFETIME,
    )
    _text(row, phone, code, language, store, at)


def check_code(*, phone: str, purpose: CodePurpose, code: str, at: datetime, ip: str | None) -> Checked:
    """Whether this is the code of the number, now. A right one is used up: of any number of checks at once one wins.

    Every check is written down and committed before the code is looked at, so this must not stand inside a
    transaction (RuntimeError). Raises TooManyChecks (15 failures in a row lock the number for an hour; 20 failures
    an hour for an address).
    """
    number = phone_hash(phone)
    address = _address_hash(ip) if ip is not None else number
    with transaction.atomic(durable=True):
        _take_turns(address, number)
        _refuse_locked(number, at, field="code")
        _refuse_more_failures(address, at)
        held = _claim(number, purpose, at)
        doubt = FailedCheck.objects.create(phone_hash=number if held else None, ip_hash=address, at=at)
    if held is None:
        return Checked(is_right=False, checks_left=0)
    if not constant_time_compare(_hashed(code, purpose, number, bytes(held.salt)), bytes(held.code_hash)):
        return Checked(is_right=False, checks_left=CHECKS_MAX - held.checks)
    with transaction.atomic(durable=True):
        is_first = VerificationCode.objects.filter(pk=held.pk, used_at=None).update(used_at=at) == 1
        if is_first:
            doubt.delete()
    return Checked(is_right=is_first, checks_left=0)


def forget_codes(*, at: datetime) -> dict[str, int]:
    """Blank the texts whose code is settled or over, and delete rows no limit needs. Safe to run twice."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FORGET, {"at": at, "limit": FORGOTTEN_MAX, "blank": BLANK})
        blanked = int(cursor.rowcount)
    codes, _by_model = VerificationCode.objects.filter(
        created_at__lt=at - KEPT_FOR, is_text_kept=False
    ).delete()
    checks, _by_model = FailedCheck.objects.filter(at__lt=at - KEPT_FOR).delete()
    return {"texts": blanked, "codes": codes, "checks": checks}


def _text(
    row: VerificationCode, phone: str, code: str, language: str, store: Store | None, at: datetime
) -> None:
    """Compose and enqueue for everybody; for a stranger it is taken back, so that the work is the same."""
    member = Member.objects.current().select_related("home_store").filter(phone=phone).first()
    place = store or (member.home_store if member else None)
    message_class, composed = texts.system_text(
        _TEXTS[CodePurpose(row.purpose)],
        language=language,
        values={"code": code, "minutes": str(int(LIFETIME.total_seconds() // 60))},
        signature=place.sms_signature if place else "",
        phone=phone,
    )
    draft = Draft(
        phone=phone,
        phone_hash=bytes(row.phone_hash),
        member_id=member.pk if member else None,
        store_id=place.pk if place else None,
        message_class=message_class,
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
    outbox.enqueue([draft], at=at)
    (transaction.savepoint_commit if member else transaction.savepoint_rollback)(before)


def _claim(number: bytes, purpose: CodePurpose, at: datetime) -> VerificationCode | None:
    """Take one of the checks of the newest code, under its row lock; None when there is no live code."""
    newest = (
        VerificationCode.objects.select_for_update()
        .filter(phone_hash=number, purpose=purpose)
        .order_by("-id")
        .first()
    )
    if newest is None or newest.used_at or newest.checks >= CHECKS_MAX or newest.expires_at <= at:
        return None
    newest.checks += 1
    newest.save(update_fields=["checks"])
    return newest


def _refuse_more_codes(number: bytes, address: bytes, at: datetime) -> None:
    longest = CODES_PER_NUMBER[-1][1]
    asked = VerificationCode.objects.filter(phone_hash=number, created_at__gt=at - longest)
    times = list(asked.order_by("-created_at").values_list("created_at", flat=True))
    until = max((_free_at(times, most, window, at) for most, window in CODES_PER_NUMBER), default=at)
    if until > at:
        raise TooManyCodes(_("Too many codes were asked for this number."), until, at, field="phone")
    most, window = NUMBERS_PER_ADDRESS
    asked = VerificationCode.objects.filter(ip_hash=address, created_at__gt=at - window).exclude(
        phone_hash=number
    )
    others = asked.values("phone_hash").annotate(last=Max("created_at")).order_by("-last")
    until = _free_at([row["last"] for row in others], most, window, at)
    if until > at:
        raise TooManyCodes(_("Too many numbers were tried from here."), until, at, field="phone")


def _refuse_more_failures(address: bytes, at: datetime) -> None:
    most, window = FAILURES_PER_ADDRESS
    failed = FailedCheck.objects.filter(ip_hash=address, at__gt=at - window).order_by("-at")
    until = _free_at(list(failed.values_list("at", flat=True)[:most]), most, window, at)
    if until > at:
        raise TooManyChecks(_("Too many wrong codes were tried from here."), until, at, field="code")


def _refuse_locked(number: bytes, at: datetime, *, field: str) -> None:
    """Each fifteenth failure since the last right code closes the number for an hour."""
    right = VerificationCode.objects.filter(phone_hash=number).aggregate(last=Max("used_at"))["last"]
    failed = FailedCheck.objects.filter(phone_hash=number, at__gt=right or datetime.min.replace(tzinfo=UTC))
    times = list(failed.order_by("at", "id").values_list("at", flat=True))
    full = len(times) // FAILURES_IN_A_ROW * FAILURES_IN_A_ROW
    if full and (until := times[full - 1] + LOCKED_FOR) > at:
        raise TooManyChecks(_("Too many wrong codes were tried for this number."), until, at, field=field)


def _free_at(newest_first: Sequence[datetime], most: int, window: timedelta, at: datetime) -> datetime:
    """When there is room for one more of at most `most` in a rolling window."""
    return newest_first[most - 1] + window if len(newest_first) >= most else at


def _take_turns(address: bytes, number: bytes) -> None:
    """One at a time for an address and for a number, until the end of the transaction."""
    keys = [_ADDRESS_LOCK, _lock_key(address), _NUMBER_LOCK, _lock_key(number)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", keys[:2])
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", keys[2:])


def _lock_key(hashed: bytes) -> int:
    return int.from_bytes(hashed[:4], signed=True)


def _address_hash(ip: str) -> bytes:
    """An address as it is counted: IPv6 by its /64, which one customer holds whole. Kept only as a keyed hash."""
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return keyed_hash("ip:", settings.REGULARS_PHONE_KEY.encode())
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    prefix = 64 if parsed.version == 6 else 32
    network = ipaddress.ip_network((parsed.packed, prefix), strict=False)
    return keyed_hash(f"ip:{network}", settings.REGULARS_PHONE_KEY.encode())


def _hashed(code: str, purpose: str, number: bytes, salt: bytes) -> bytes:
    """Slow on purpose (some 25 ms and 4 MB), bound to number and purpose, and worthless without the secret key."""
    keyed = salted_hmac("messaging.verification", f"{purpose}:{code}", algorithm="sha256").digest()
    return hashlib.scrypt(keyed, salt=number + salt, n=2**12, r=8, p=1, dklen=32)


def _when(seconds: int) -> str:
    if seconds < 60:
        return ngettext("Try again in %(n)s second.", "Try again in %(n)s seconds.", seconds) % {"n": seconds}
    minutes = ceil(seconds / 60)
    if minutes <= 90:
        return ngettext("Try again in %(n)s minute.", "Try again in %(n)s minutes.", minutes) % {"n": minutes}
    hours = ceil(minutes / 60)
    return ngettext("Try again in %(n)s hour.", "Try again in %(n)s hours.", hours) % {"n": hours}
