"""The law's limits on what is sold onto a card, judged under the card's locks."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from members.amounts import format_minor
from members.card_rules import NONE, PACKS, CardRules
from members.domain.housebook import House
from members.models import Member
from members.refusals import Refused


class CardLimitReached(Refused):
    """The law lets a card hold no more. `facts`: `limit_minor`, what may still be added, the `source`."""

    code = "card_limit"
    field = "amount"


class IdentityNeeded(Refused):
    """The law asks for the buyer's identity first."""

    code = "identity_required"
    field = "amount"


class ValidityRefused(Refused):
    """The law does not let this value end so soon."""

    code = "validity_too_short"


def rules_of(house: House) -> CardRules:
    """The pack the house has chosen."""
    return PACKS.get(house.card_rules, NONE)


def check_sale(house: House, member: Member, *, held_minor: int, paid_minor: int) -> None:
    """Refuse a sale above the law's limits. Raises IdentityNeeded, CardLimitReached."""
    rules = rules_of(house)
    needed = rules.identity_from_minor
    if needed is not None and paid_minor >= needed and member.identity_checked_on is None:
        said = _("From %(limit)s in one purchase the member’s identity is checked first. %(source)s.")
        raise IdentityNeeded(
            said % {"limit": _money(needed), "source": rules.source}, limit_minor=needed, source=rules.source
        )
    check_held(house, member, held_minor=held_minor, added_minor=paid_minor)


def check_held(house: House, member: Member, *, held_minor: int, added_minor: int) -> None:
    """Refuse what would bring a card above the most it may hold. Raises CardLimitReached."""
    rules = rules_of(house)
    limit = rules.max_minor(is_registered=member.is_registered)
    if limit is None or not added_minor or held_minor + added_minor <= limit:
        return
    room = max(limit - held_minor, 0)
    raise CardLimitReached(
        _limit_words(member) % {"limit": _money(limit), "room": _money(room), "source": rules.source},
        limit_minor=limit,
        room_minor=room,
        source=rules.source,
    )


def check_validity(house: House, member: Member, valid_days: int | None) -> None:
    """Refuse paid value that would end sooner than the law lets it. Raises ValidityRefused."""
    rules = rules_of(house)
    if valid_days is None:
        return
    least = rules.unregistered_valid_days_min
    if member.is_registered and not rules.may_registered_expire:
        said = _("What a registered member pays for may not expire: sell it without an end. %(source)s.")
        raise ValidityRefused(said % {"source": rules.source}, source=rules.source)
    if not member.is_registered and least is not None and valid_days < least:
        said = _("What an unregistered member pays for is valid for at least %(days)s days. %(source)s.")
        raise ValidityRefused(said % {"days": least, "source": rules.source}, days=least, source=rules.source)


def _limit_words(member: Member) -> str:
    if member.is_registered:
        return _("A registered card holds %(limit)s at most; %(room)s more is possible. %(source)s.")
    return _(
        "A card without a name holds %(limit)s at most; %(room)s more is possible. "
        "With the member’s name it may hold more. %(source)s."
    )


def _money(minor: int) -> str:
    return format_minor(minor, settings.REGULARS_CURRENCY, get_language() or settings.LANGUAGE_CODE)
