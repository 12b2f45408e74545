"""Phone numbers: any spelling in, one E.164 form out, or a plain reason why not.

Pure text, no database. Only numbers that can receive a text are accepted (mobile, or "fixed or mobile"
where a country does not tell them apart). The rules and their sources: sms-facts §2.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import resources

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType, ValidationResult

from members.area_codes import AREA_CODE_ZONES

MESSAGES: dict[str, Promise] = {
    "empty": _("There is no phone number here."),
    "letters": _("A phone number has no letters. Write the digits only."),
    "masked": _("Some digits are hidden. Write the whole number."),
    "multiple": _("There are two numbers here. Write one number in each field or cell."),
    "lossy_scientific": _(
        "The spreadsheet has shortened this number and digits are lost. "
        "Open the file, format the column as text, and fill in the number again."
    ),
    "not_mobile": _("This is not a mobile number, so it cannot receive texts."),
    "too_short": _("This number has too few digits."),
    "too_long": _("This number has too many digits."),
    "invalid": _("This is not a valid phone number. Check the digits."),
}


class InvalidPhone(ValueError):
    """Not one textable phone number. `reason` is a key of MESSAGES; the number itself is never kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def message(self) -> Promise:
        """A plain sentence for the person who typed the number, translated when shown."""
        return MESSAGES[self.reason]


_CN_MOBILE = f"(?:{PhoneMetadata.metadata_for_region('CN').mobile.national_number_pattern})"  # type: ignore[union-attr]
_clean_cn = re.compile(rf"(?:\+86)?({_CN_MOBILE})", re.ASCII).fullmatch
_clean_cn_international = re.compile(rf"\+86{_CN_MOBILE}", re.ASCII).fullmatch
_cn_number = re.compile(r"\+?(?:00)?(?:86)?0?(?:1(?:79\d\d|2593))?(?:86)?(1[3-9]\d{9})", re.ASCII).fullmatch

_LABEL = re.compile(
    r"(?:tel|telephone|phone|mobile|mob|cell|cellphone|联系电话|联系方式|手机号码|手机号|手机|电话号码|电话|号码)"
    r"(?:\s*(?:no|number)\b)?[\s:.]*(?=[\d+(*])",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"\+?(\d)(?:[.,](\d*))?[eE]\+?(\d{1,3})", re.ASCII)
_MASK = re.compile(r"[*•●○∗█×?]|[xX#_]{2,}|\.{3,}")
_ENDS = " \t\r\n\"'`´‘’“”「」,;:、。|/\\=<>"
_BETWEEN_NUMBERS = re.compile(r"[,;/|\\、\n\r\t]|\bor\b|和|或|&")
_SEPARATORS = re.compile(r"[\s\-().·/\\‐-―−,'’;]+")
_DIGIT_GROUP = re.compile(r"\+?\d+")
_TEXTABLE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_LONGEST_INPUT = 100

_accepted_prefixes: tuple[str, ...] = ()


def accept_prefixes(prefixes: Iterable[str]) -> None:
    """Accept new number ranges that the library does not know yet, e.g. ["+86194"]. Replaces the list.

    Called once at start-up from the settings. Such numbers have 11 digits in China, 8 to 15 elsewhere.
    """
    global _accepted_prefixes
    _accepted_prefixes = tuple(prefixes)


def normalize(raw: object, region: str = "CN") -> str:
    """The E.164 form of `raw`, as a person in `region` would write it. Refused with InvalidPhone(reason).

    `region` is an ISO country code. Spreadsheet damage is repaired when no digit is lost, else refused.
    Idempotent: a normalised number comes back unchanged, whatever the region.
    """
    if raw.__class__ is str:
        if region == "CN":
            match = _clean_cn(raw)  # type: ignore[arg-type]
            if match:
                return "+86" + match[1]
        elif _clean_cn_international(raw):  # type: ignore[arg-type]
            return raw  # type: ignore[return-value]
    return _parse(_compact(_as_text(raw)), (region or "").upper())


def _as_text(raw: object) -> str:
    """The cell as text. Spreadsheet libraries hand over numbers as int or float; a float keeps 15 digits."""
    if raw is None or raw != raw:  # NaN is how tables spell an empty cell
        return ""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise InvalidPhone("invalid")
    if isinstance(raw, int) and abs(raw) >= 10**20:
        raise InvalidPhone("too_long")
    if isinstance(raw, float):
        if not raw.is_integer() or abs(raw) >= 1e15:
            raise InvalidPhone("invalid")
        raw = int(raw)
    return str(raw)


def _compact(raw: str) -> str:
    """Digits with at most a leading plus. Refuses everything that is not one fully written number."""
    if len(raw) > _LONGEST_INPUT:
        raise InvalidPhone("too_long")
    text = "".join(_readable(char) for char in unicodedata.normalize("NFKC", raw))
    text = text.strip(_ENDS)
    if not text:
        raise InvalidPhone("empty")
    text = _LABEL.sub("", text, count=1).strip(_ENDS)
    text = _restore_spreadsheet(text)
    _refuse_unreadable(text)
    digits = _SEPARATORS.sub("", text)
    if not digits:
        raise InvalidPhone("empty")
    if not re.fullmatch(r"\+?\d+", digits, re.ASCII):
        raise InvalidPhone("invalid")
    return digits


def _readable(char: str) -> str:
    if "0" <= char <= "9":
        return char
    category = unicodedata.category(char)
    if category == "Cf":  # zero-width, direction marks, byte order mark
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Cc", "Cs") and char not in "\t\r\n":
        raise InvalidPhone("invalid")
    return char


def _restore_spreadsheet(text: str) -> str:
    """13800138000.0 and 1.3800138000E+10 become the number; 1.38E+10 has lost digits and is refused."""
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        fraction, exponent = scientific[2] or "", int(scientific[3])
        if exponent > len(fraction):
            raise InvalidPhone("lossy_scientific")
        if fraction[exponent:].strip("0"):
            raise InvalidPhone("invalid")
        return scientific[1] + fraction[:exponent]
    return re.sub(r"(?<=\d{7})\.0+$", "", text, flags=re.ASCII)


def _refuse_unreadable(text: str) -> None:
    chunks = [chunk for chunk in _BETWEEN_NUMBERS.split(text) if sum(c.isdigit() for c in chunk) >= 7]
    groups = [group for group in _DIGIT_GROUP.findall(text) if len(group) >= 10]
    if len(chunks) > 1 or len(groups) > 1:
        raise InvalidPhone("multiple")
    if _MASK.search(text) and any(char.isdigit() for char in text):
        raise InvalidPhone("masked")
    if any(char.isalpha() for char in text):
        raise InvalidPhone("letters")
    digits = re.sub(r"\D", "", text)
    if re.fullmatch(rf"(?:86)?{_CN_MOBILE}(?:86)?{_CN_MOBILE}", digits, re.ASCII):
        raise InvalidPhone("multiple")


def _parse(digits: str, region: str) -> str:
    for form in _e164_guesses(digits, region):
        if _is_accepted(form):
            return form
    if region == "CN" or digits.startswith(("+86", "0086")):
        return _parse_cn(digits)
    try:
        return _parse_by_library(digits, region)
    except InvalidPhone:
        if not digits.startswith("00"):
            raise
    return _parse_by_library("+" + digits[2:], region)


def _e164_guesses(digits: str, region: str) -> list[str]:
    if digits.startswith("+"):
        return [digits]
    country_code = phonenumbers.country_code_for_region(region)
    return [f"+{country_code}{digits}", f"+{digits}"] if country_code else []


def _is_accepted(phone: str) -> bool:
    if not _accepted_prefixes or not phone.startswith(_accepted_prefixes):
        return False
    return len(phone) == 14 if phone.startswith("+86") else 9 <= len(phone) <= 16


def _parse_cn(digits: str) -> str:
    match = _cn_number(digits)
    foreign = digits.startswith("+") and not digits.startswith("+86")
    foreign = foreign or (digits.startswith("00") and not digits.startswith("0086"))
    if match and not foreign:
        if _clean_cn(match[1]):
            return "+86" + match[1]
        if _is_accepted("+86" + match[1]):
            return "+86" + match[1]
        raise InvalidPhone("invalid")
    if foreign:
        return _parse_by_library("+" + digits.lstrip("+").removeprefix("00"), "CN")
    national = re.sub(r"^(?:\+86|0086|86(?=\d{9}))", "", digits)
    if national != digits and re.fullmatch(r"(?:10|2\d|[3-9]\d\d)\d{7,8}", national):
        raise InvalidPhone("not_mobile")  # abroad, area codes are written without their 0
    raise InvalidPhone(_reason_cn(national))


def _reason_cn(national: str) -> str:
    """Why a Chinese national number (no country code) cannot be texted."""
    if re.fullmatch(r"0(?:10|2\d|[3-9]\d\d)\d{7,8}(?:\d{3,4})?|[48]00\d{7}|106\d{5,17}", national):
        return "not_mobile"
    trimmed = national.lstrip("0")
    if len(trimmed) < 11:
        return "too_short"
    return "too_long" if len(trimmed) > 11 else "invalid"


_REASONS = {
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.TOO_LONG: "too_long",
}
_PARSE_REASONS = {
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}


def _parse_by_library(digits: str, region: str) -> str:
    try:
        number = phonenumbers.parse(digits, region or None)
    except NumberParseException as error:
        raise InvalidPhone(_PARSE_REASONS.get(error.error_type, "invalid")) from None
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhone(_REASONS.get(phonenumbers.is_possible_number_with_reason(number), "invalid"))
    if phonenumbers.number_type(number) not in _TEXTABLE:
        raise InvalidPhone("not_mobile")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _split(phone: str) -> tuple[str, str]:
    """Country code and national digits of an E.164 number; ("", "") when it is none."""
    if re.fullmatch(r"\+[1-9]\d{6,14}", phone, re.ASCII):
        for length in (1, 2, 3):
            if int(phone[1 : 1 + length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
                return phone[1 : 1 + length], phone[1 + length :]
    return "", ""


def mask(phone: str) -> str:
    """A number safe to show or log: "+86 138****8000". Anything that is not E.164 becomes "****"."""
    country_code, national = _split(phone)
    if not national:
        return "****"
    head, tail = (3, 4) if len(national) >= 10 else (2, 2)
    return f"+{country_code} {national[:head]}****{national[-tail:]}"


def region_of(phone: str) -> str:
    """ISO country code of an E.164 number, "" when unknown."""
    if phone.startswith("+86"):
        return "CN"
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(phone, None)) or ""
    except NumberParseException:
        return ""


def timezones_of(phone: str) -> tuple[str, ...]:
    """IANA zones in which the owner of an E.164 number may be; all of the country when it cannot be told.

    Whoever obeys quiet hours must obey them in every zone returned. Empty when the country itself is unknown.
    """
    region = region_of(phone)
    if region == "CN":
        return ("Asia/Shanghai",)
    if region in ("US", "CA"):
        return AREA_CODE_ZONES.get(phone[2:5]) or _zones_by_region().get(region, ())
    return _zones_by_region().get(region, ())


@lru_cache(maxsize=1)
def _zones_by_region() -> dict[str, tuple[str, ...]]:
    """Country to zones, from the zone.tab of the installed tzdata."""
    zones: dict[str, list[str]] = {}
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            region, _coordinates, zone = line.split("\t")[:3]
            zones.setdefault(region, []).append(zone)
    return {region: tuple(sorted(names)) for region, names in zones.items()}


def same_number_digits(text: str) -> str:
    """The digits by which a search finds a number: they end the stored one. "" when the text is no number."""
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).removeprefix("+")
    if not re.fullmatch(r"\d{1,20}", plain, re.ASCII):
        return ""
    return plain.removeprefix("00") if len(plain) > 8 else plain


def keyed_hash(phone: str, key: bytes) -> bytes:
    """HMAC-SHA256 of an E.164 number, truncated to 16 bytes: compares numbers without keeping them.

    The key must stay secret: eleven digits are quickly tried without it.
    """
    return hmac.new(key, phone.encode("ascii"), hashlib.sha256).digest()[:16]


def keyed_hasher(key: bytes) -> Callable[[str], bytes]:
    """`keyed_hash` with the key taken in once: four times as fast over a file of numbers."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def hashed(phone: str) -> bytes:
        inside, outside = inner.copy(), outer.copy()
        inside.update(phone.encode("ascii"))
        outside.update(inside.digest())
        return outside.digest()[:16]

    return hashed
