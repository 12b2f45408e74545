"""Coupon codes: seven random characters and one that checks them, written K7M2-9PQX; and finding one that was typed.

No letter looks like a digit or like another letter (no 0, 1, I, L, O). 31 is a prime, so the check character catches
every wrong character and every swapped pair. A code opens nothing by itself: it only counts for its own member.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Coupon, CouponMiss, Member
from members.refusals import Refused

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 8
MISSES_PER_HOUR = 10
_HOUR = timedelta(hours=1)


class CouponUnknown(Refused):
    """This member has no coupon of this code."""

    code = "coupon_unknown"
    field = "coupon"


class TooManyCodes(Refused):
    """Ten wrong codes within an hour, by one person or for one member."""

    code = "coupon_too_many_tries"
    field = "coupon"


def new_code() -> str:
    """A code nobody can guess; that it is new is the database's to say."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + _check(body)


def read_code(text: str) -> str:
    """The code that was typed or scanned, in any width, case and grouping; empty when it cannot be one."""
    plain = unicodedata.normalize("NFKC", text).upper()
    code = "".join(char for char in plain if char.isalnum())
    is_code = len(code) == LENGTH and all(char in ALPHABET for char in code)
    return code if is_code and _check(code[:-1]) == code[-1] else ""


def find_coupon(*, text: str, member: Member, scope: str, at: datetime) -> Coupon:
    """The member's coupon of this code, whatever its state. Raises CouponUnknown, TooManyCodes.

    What cannot be a code (half typed, one character wrong) is refused without a look. A try is written down before it
    is looked up, so that many at once are counted as well; a right one is taken off. Call it outside the deed: what a
    refused deed takes back must not take back the count.
    """
    code = read_code(text)
    if not code:
        raise CouponUnknown(_("This is not a whole code. It has eight characters, like K7M2-9PQX."))
    miss = CouponMiss.objects.create(member=member, scope=scope, at=at)
    lately = CouponMiss.objects.filter(at__gt=at - _HOUR)
    tries = lately.filter(Q(member=member) | Q(scope=scope)).values_list("member_id", "scope")
    by_member = sum(tried == member.pk for tried, _scope in tries)
    by_scope = sum(tried == scope for _member, tried in tries)
    if max(by_member, by_scope) > MISSES_PER_HOUR:
        raise TooManyCodes(
            _("Too many wrong codes. Try again in an hour, or choose the coupon from the list.")
        )
    coupon = Coupon.objects.select_related("definition", "member").filter(code=code, member=member).first()
    if coupon is None:
        raise CouponUnknown(_("This member has no coupon with this code. Look once more."))
    miss.delete()
    return coupon


def forget_misses(*, at: datetime) -> int:
    """Drop what no count needs any more."""
    return CouponMiss.objects.filter(at__lt=at - timedelta(days=1)).delete()[0]


def _check(body: str) -> str:
    """The character that makes the weighted sum of all a multiple of 31."""
    total = sum((place + 2) * ALPHABET.index(char) for place, char in enumerate(body))
    return ALPHABET[-total % len(ALPHABET)]
