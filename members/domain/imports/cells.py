"""One cell at a time: text in, the stored form out, or BadCell with the reason in plain words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.amounts import InvalidAmount, parse_minor

NULL = r"\N"
_FORMULA_STARTS = "=+-@＝＋－＠\t\r\n"
_EARLIEST_YEAR = 1900
_EXCEL_EPOCH = date(1899, 12, 30)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_SERIAL = re.compile(r"(\d{5})(\.\d+)?", re.ASCII)
_TIME = re.compile(
    r"(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?)?秒?分?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_GENDERS = {
    **dict.fromkeys(("female", "f", "woman", "女", "女士", "女性"), "female"),
    **dict.fromkeys(("male", "m", "man", "男", "先生", "男性"), "male"),
    **dict.fromkeys(("", "unknown", "other", "未知", "保密", "-"), ""),
}
_LANGUAGES = {
    **dict.fromkeys(("zh-hans", "zh", "zh-cn", "chinese", "中文", "简体中文", "汉语"), "zh-hans"),
    **dict.fromkeys(("en", "en-gb", "en-us", "english", "英文", "英语"), "en"),
}
_YES = frozenset(("1", "yes", "y", "true", "是", "同意", "✓", "√"))
_NO = frozenset(("0", "no", "n", "false", "否", "不同意", "×"))


class BadCell(ValueError):
    """The cell cannot be understood; `message` says so to the person who has the file."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__()
        self.message = message


def _narrow(cell: str) -> str:
    return cell if cell.isascii() else unicodedata.normalize("NFKC", cell)


def read_text(cell: str, longest: int) -> str:
    """A line of text. Refuses control characters and what is longer than the field; undoes our own `'` escape."""
    text = " ".join(unicodedata.normalize("NFC", cell).split())
    if text[:1] == "'" and text[1:2] and text[1] in _FORMULA_STARTS:
        text = text[1:]
    if len(text) > longest:
        raise BadCell(_("The text is too long for this column."))
    if not text.isprintable():
        raise BadCell(_("There is an invisible sign in this cell. Type it again."))
    return text


def escaped(text: str) -> str:
    """A printable text as COPY takes it."""
    return text.replace("\\", "\\\\") if "\\" in text else text


def read_gender(cell: str) -> str:
    return _one_of(cell, _GENDERS, _("The gender is not understood. Write female, male or nothing."))


def read_language(cell: str) -> str:
    if not cell.strip():
        return ""
    return _one_of(cell, _LANGUAGES, _("The language is not understood. Write en or zh-hans."))


def _one_of(cell: str, known: dict[str, str], complaint: Promise) -> str:
    found = known.get(_narrow(cell).strip().casefold())
    if found is None:
        raise BadCell(complaint)
    return found


def read_tags(cell: str) -> str:
    """Tags as an array literal; at most 20 of 40 characters."""
    tags = dict.fromkeys(tag.strip() for tag in re.split(r"[;,|、，；]", cell) if tag.strip())
    if len(tags) > 20:
        raise BadCell(_("There are more than 20 tags."))
    quoted = (read_text(tag, 40).replace("\\", "\\\\").replace('"', '\\"') for tag in tags)
    return escaped("{" + ",".join(f'"{tag}"' for tag in quoted) + "}")


def read_word(cell: str) -> str:
    """A yes or no, or NULL when nothing is said."""
    plain = _narrow(cell).strip().casefold()
    if not plain:
        return NULL
    if plain in _YES or plain in _NO:
        return "t" if plain in _YES else "f"
    raise BadCell(_("Write yes or no, or leave the cell empty."))


def read_items(cell: str) -> str:
    """How many things were bought; an empty cell is one."""
    plain = _narrow(cell).strip().removesuffix(".0") or "1"
    if not re.fullmatch(r"\d{1,7}", plain, re.ASCII) or not 1 <= int(plain) <= 1_000_000:
        raise BadCell(_("The number of items is not a whole number from 1 on."))
    return str(int(plain))


def read_amount(cell: str, exponent: int) -> str:
    """Minor units of a past bill. Zero is allowed: somebody came and paid nothing."""
    try:
        return str(parse_minor(cell.strip().lstrip("¥￥$€ "), exponent=exponent))
    except InvalidAmount as problem:
        if problem.reason == "zero":
            return "0"
        if problem.reason == "negative":
            raise BadCell(_("The amount is less than zero. Leave refunds out of the file.")) from problem
        raise BadCell(problem.message) from problem


def read_date(cell: str) -> tuple[date, str]:
    """The day a cell names and what follows it: 2026-01-02, 2026/1/2, 2026年1月2日, 20260102 or Excel's 46024."""
    text = _narrow(cell).strip()
    for pattern in (_DATE, _COMPACT):
        if match := pattern.match(text):
            try:
                return date(int(match[1]), int(match[2]), int(match[3])), text[match.end() :].lstrip(" T")
            except ValueError as problem:
                raise BadCell(_("There is no such day.")) from problem
    if match := _SERIAL.fullmatch(text):
        more, seconds = divmod(round(float(match[2] or 0) * 86400), 86400)
        rest = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" if seconds else ""
        return _EXCEL_EPOCH + timedelta(days=int(match[1]) + more), rest
    raise BadCell(_("The date is not understood. Write it like 2026-01-31."))


def _clock(rest: str) -> tuple[time, str]:
    match = _TIME.fullmatch(rest)
    if not match:
        raise BadCell(_("The time is not understood. Write it like 14:30."))
    try:
        return time(int(match[1]), int(match[2]), int(match[3] or 0)), match[4] or ""
    except ValueError as problem:
        raise BadCell(_("There is no such time of day.")) from problem


def moment_reader(zone: ZoneInfo, now: datetime) -> Callable[[str], str]:
    """Reads when something was: local time of `zone` unless the cell says its own offset; days begin at midnight.

    Refuses the future and what is before 1900. The answer is ISO 8601 in UTC.
    """

    def read_moment(cell: str) -> str:
        if not cell.strip():
            raise BadCell(_("The date is missing."))
        day, rest = read_date(cell)
        clock, offset = _clock(rest) if rest else (time(), "")
        if day.year < _EARLIEST_YEAR:
            raise BadCell(_("The date is too long ago."))
        if day > now.date() + timedelta(days=2):
            raise BadCell(_("The date is in the future."))
        try:
            said = (
                datetime.fromisoformat(f"{day}T{clock}{offset}")
                if offset
                else datetime.combine(day, clock, tzinfo=zone)
            )
        except ValueError as problem:
            raise BadCell(_("The time is not understood. Write it like 14:30.")) from problem
        moment = said.astimezone(UTC)
        if moment > now:
            raise BadCell(_("The date is in the future."))
        return moment.isoformat()

    return read_moment


def birthday_reader(today: date) -> Callable[[str], str]:
    """Reads a birthday; NULL when the cell is empty. Refuses the future and what is before 1900."""

    def read_birthday(cell: str) -> str:
        if not cell.strip():
            return NULL
        day, rest = read_date(cell)
        if rest:
            _clock(rest)  # some systems write a birthday with a midnight
        if not date(_EARLIEST_YEAR, 1, 1) <= day <= today:
            raise BadCell(_("The birthday cannot be right."))
        return day.isoformat()

    return read_birthday


def safe_for_spreadsheets(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] and cell[0] in _FORMULA_STARTS else cell
