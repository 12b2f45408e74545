"""Why no code was sent or looked at, in the visitor's words. None of them says whether a number is a member's."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from django.utils.functional import Promise
from django.utils.translation import ngettext

from members.refusals import Refused


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
    """This number, this address or device, these neighbours, or the house have asked for as many codes as they may."""

    code = "too_many_codes"


class TooManyChecks(TryLater):
    """Too many wrong codes: for this number, or from this network."""

    code = "too_many_checks"


class CodesUnavailable(TryLater):
    """The limits cannot be counted now, so no code is sent."""

    code = "codes_unavailable"


class CodesOverBudget(Refused):
    """A budget is used up, so no code was sent. Said to those who ask for the member before them: staff, API keys."""

    code = "over_budget"


class CountryNotServed(Refused):
    """Numbers of this country get no codes here."""

    code = "country_not_served"
    field = "phone"


class ProofNeeded(Refused):
    """A breaker is on: the asker's machine has to work first. `facts` holds `challenge` and `bits`."""

    code = "proof_needed"
    field = "phone"


def _when(seconds: int) -> str:
    if seconds < 60:
        return ngettext("Try again in %(n)s second.", "Try again in %(n)s seconds.", seconds) % {"n": seconds}
    minutes = ceil(seconds / 60)
    if minutes <= 90:
        return ngettext("Try again in %(n)s minute.", "Try again in %(n)s minutes.", minutes) % {"n": minutes}
    hours = ceil(minutes / 60)
    return ngettext("Try again in %(n)s hour.", "Try again in %(n)s hours.", hours) % {"n": hours}
