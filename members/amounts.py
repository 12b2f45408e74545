"""Money typed by a person or read from a file: text in, integer minor units out, or a plain reason why not.

Never floats. What a cashier's keyboard or a Chinese input method produces is understood (full-width digits,
thousands in correct groups); everything else is refused rather than guessed.
"""

import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency, get_currency_precision
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, Promise] = {
    "empty": _("Enter an amount."),
    "not_text": _("Enter an amount in digits."),
    "not_a_number": _("This is not an amount. Write digits only, for example 500 or 500.50."),
    "grouping": _("The commas are not where thousands are. Write 1,000 or 1000."),
    "negative": _("The amount must be more than zero. To give money back, use a refund."),
    "zero": _("The amount must be more than zero."),
    "too_precise": _("The amount has too many decimal places."),
    "too_large": _("This amount is too large for one entry."),
}

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，。｡－−﹣", "0123456789.,..---")
_NUMBER = re.compile(r"(-)?(\d+(?:,\d+)*|(?=\.\d))(?:\.(\d+))?", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+|\d+|", re.ASCII)
_MOST_DIGITS = 30
_COUNTRY_PREFIX = re.compile(r"(?<![A-Z])[A-Z]{1,2}(?=[^\w\s.,-])")


class InvalidAmount(ValueError):
    """The text is not a usable amount. `reason` is a key of MESSAGES, `message` the plain sentence for it."""

    def __init__(self, reason: str, message: Promise) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message


def _refuse(reason: str) -> InvalidAmount:
    return InvalidAmount(reason, MESSAGES[reason])


def parse_minor(text: object, *, exponent: int = 2, maximum: int = 10**9, strict: bool = False) -> int:
    """Minor units of a positive amount: "500.5" is 50050 with exponent 2. Refused with InvalidAmount(reason).

    `maximum` is in minor units. `strict` is for programs: plain ASCII digits only, no thousands separators.
    Only text is read: a float has already lost digits, and an int does not say whether it counts yuan or fen.
    """
    if not isinstance(text, str):
        raise _refuse("empty" if text is None else "not_text")
    plain = text if strict else text.translate(_FULL_WIDTH).strip()
    if not plain.strip():
        raise _refuse("empty")
    match = _NUMBER.fullmatch(plain)
    if not match or (strict and "," in plain):
        raise _refuse("not_a_number")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if not _GROUPED.fullmatch(whole):
        raise _refuse("grouping")
    return _checked(whole.replace(",", ""), fraction, sign=sign, exponent=exponent, maximum=maximum)


def _checked(whole: str, fraction: str, *, sign: str | None, exponent: int, maximum: int) -> int:
    is_zero = not (whole + fraction).strip("0")
    if is_zero:
        raise _refuse("zero")
    if sign:
        raise _refuse("negative")
    if len(fraction) > exponent:
        raise _refuse("too_precise")
    digits = (whole + fraction.ljust(exponent, "0")).lstrip("0")
    if len(digits) > _MOST_DIGITS or int(digits) > maximum:
        raise _refuse("too_large")
    return int(digits)


def exponent_of(currency: str) -> int:
    """Decimal places of an ISO currency: CNY 2, JPY 0, KWD 3."""
    return get_currency_precision(currency)


def plain_minor(minor: int, *, exponent: int = 2) -> str:
    """The amount as parse_minor reads it back: 50050 is "500.50". For form fields and files."""
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else sign + digits


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    return Locale.parse(name.replace("-", "_"))


@lru_cache(maxsize=4096)
def format_minor(minor: int, currency: str, locale: str) -> str:
    """The amount as people of `locale` ("zh-hans", "en", "en_GB") write it, with the currency sign.

    Without a country prefix (¥, not CN¥): a deployment has one currency, and every character of a text costs.
    """
    major = Decimal(minor).scaleb(-exponent_of(currency))
    return _COUNTRY_PREFIX.sub("", format_currency(major, currency, locale=_locale(locale)))
