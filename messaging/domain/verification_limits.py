"""How often codes may be asked for, in rolling windows counted from rows, and what they may cost.

Everything is counted under advisory locks taken by everybody in one order (address, number, house), so that what is
done at the same time cannot slip through. A database that cannot count answers nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from constance.utils import get_values_for_keys
from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from members.phones import region_of
from messaging.domain.verification_asker import Asker
from messaging.domain.verification_refusals import CountryNotServed, TooManyChecks, TooManyCodes
from messaging.models import FailedCheck, VerificationCode
from messaging.sql import statement

CODES_PER_NUMBER = ((1, timedelta(minutes=1)), (5, timedelta(hours=1)), (10, timedelta(days=1)))
NUMBERS_PER_ADDRESS = (5, timedelta(hours=1))
CODES_PER_DEVICE = (5, timedelta(hours=1))
CODES_PER_PREFIX = (30, timedelta(minutes=10))
FAILURES_PER_NETWORK = (20, timedelta(hours=1))
WAIT_FOR_TURN = "4s"
_ADDRESS_LOCK, _NUMBER_LOCK, _HOUSE_LOCK = 4101, 4102, 4103
_COST = statement("codes_cost")
_SETTINGS = {
    "countries": "VERIFICATION_COUNTRIES",
    "hour": "VERIFICATION_PARTS_PER_HOUR",
    "day": "VERIFICATION_PARTS_PER_DAY",
    "store_hour": "VERIFICATION_STORE_PARTS_PER_HOUR",
    "store_day": "VERIFICATION_STORE_PARTS_PER_DAY",
    "members_percent": "VERIFICATION_MEMBERS_PERCENT",
    "webotp_domain": "VERIFICATION_WEBOTP_DOMAIN",
}


@dataclass(frozen=True)
class Rules:
    """The run-time settings of codes: countries as CN,SG; SMS parts; the share kept for members' numbers."""

    countries: str
    hour: int
    day: int
    store_hour: int
    store_day: int
    members_percent: int
    webotp_domain: str


@dataclass(frozen=True)
class Spent:
    """SMS parts of codes in the last hour and the last 24 hours, of the house and of one store."""

    hour: int
    day: int
    store_hour: int
    store_day: int

    def has_room(self, rules: Rules, parts: int, *, is_member: bool) -> bool:
        """Whether so many parts more may go out; a stranger leaves the members' share alone."""
        share = 100 if is_member else 100 - rules.members_percent
        return all(
            getattr(self, name) + parts <= getattr(rules, name) * share // 100
            for name in ("hour", "day", "store_hour", "store_day")
        )

    def is_house_full(self, rules: Rules) -> bool:
        """Whether nobody can be sent anything any more, a member no more than a stranger."""
        return self.hour >= rules.hour or self.day >= rules.day


def rules_in_force() -> Rules:
    """Read once for each code, in one query."""
    values = get_values_for_keys(list(_SETTINGS.values()))
    return Rules(**{name: values[setting] for name, setting in _SETTINGS.items()})


def take_turns(asker: Asker) -> None:
    """One at a time for an address and for a number, until the end of the transaction; OperationalError after 4 s."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT_FOR_TURN])
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ADDRESS_LOCK, _key(asker.address)])
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_NUMBER_LOCK, _key(asker.number)])


def take_house_turn() -> None:
    """One at a time in the house, for what is counted over all numbers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_HOUSE_LOCK])


def refuse_country(phone: str, rules: Rules) -> None:
    """Raises CountryNotServed."""
    if region_of(phone) not in rules.countries.split(","):
        raise CountryNotServed(_("We do not send codes to numbers of this country."))


def refuse_more_codes(asker: Asker, at: datetime) -> None:
    """Raises TooManyCodes: 1 a minute, 5 an hour, 10 a day for a number; from outside also address and device."""
    times = _times(at, CODES_PER_NUMBER[-1][1], phone_hash=asker.number)
    until = max(_free_at(times, most, window, at) for most, window in CODES_PER_NUMBER)
    _refuse(until, at, _("Too many codes were asked for this number."))
    if not asker.is_outside:
        return
    most, window = NUMBERS_PER_ADDRESS
    asked = VerificationCode.objects.filter(ip_hash=asker.address, created_at__gt=at - window)
    others = asked.exclude(phone_hash=asker.number).values("phone_hash").annotate(last=Max("created_at"))
    lasts = sorted((row["last"] for row in others), reverse=True)
    _refuse(_free_at(lasts, most, window, at), at, _("Too many numbers were tried from here."))
    if asker.device:
        most, window = CODES_PER_DEVICE
        times = _times(at, window, device_hash=asker.device)
        _refuse(_free_at(times, most, window, at), at, _("Too many codes were asked for from here."))


def refuse_more_neighbours(asker: Asker, at: datetime) -> None:
    """Raises TooManyCodes: 30 codes in ten minutes for numbers alike but for their last four digits."""
    most, window = CODES_PER_PREFIX
    until = _free_at(_times(at, window, prefix_hash=asker.prefix), most, window, at)
    _refuse(until, at, _("Too many numbers like this one were tried."))


def refuse_more_failures(network: bytes, at: datetime) -> None:
    """Raises TooManyChecks: 20 wrong codes an hour from one network."""
    most, window = FAILURES_PER_NETWORK
    failed = FailedCheck.objects.filter(network_hash=network, at__gt=at - window).order_by("-at")
    until = _free_at(list(failed.values_list("at", flat=True)[:most]), most, window, at)
    if until > at:
        raise TooManyChecks(_("Too many wrong codes were tried from here."), until, at, field="code")


def spent(store_id: int | None, at: datetime) -> Spent:
    """What codes have cost; of no store, nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_COST, {"at": at, "store": store_id})
        return Spent(*cursor.fetchone())


def _times(at: datetime, window: timedelta, **of: Any) -> list[datetime]:
    asked = VerificationCode.objects.filter(created_at__gt=at - window, **of)
    return list(asked.order_by("-created_at").values_list("created_at", flat=True)[:100])


def _free_at(newest_first: Sequence[datetime], most: int, window: timedelta, at: datetime) -> datetime:
    """When there is room for one more of at most `most` in a rolling window."""
    return newest_first[most - 1] + window if len(newest_first) >= most else at


def _refuse(until: datetime, at: datetime, message: Any) -> None:
    if until > at:
        raise TooManyCodes(message, until, at, field="phone")


def _key(hashed: bytes) -> int:
    return int.from_bytes(hashed[:4], signed=True)
