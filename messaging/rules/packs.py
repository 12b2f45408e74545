"""The packs as typed values, read from countries/*.toml and providers/*.toml; a broken file fails at start-up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

FOLDER = Path(__file__).resolve().parent
ELSEWHERE = "ZZ"
KINDS = frozenset({"term", "topic", "character", "contact", "emoji", "traditional"})
EFFECTS = frozenset({"refuse", "warn"})
CLASSES = frozenset({"verification", "notification", "trigger", "marketing"})

Said = Mapping[str, str]
T = TypeVar("T")


class BrokenPack(ValueError):
    """A pack's file does not say what it must."""


@dataclass(frozen=True)
class Origin:
    """Where a rule comes from and the day somebody checked it."""

    source: str
    on: date
    is_recalled: bool = False


@dataclass(frozen=True)
class Window:
    """When marketing may leave in the recipient's day. The house's hours are narrowed into earliest … latest.

    `opens` and `closes` are what is kept where the house is not at home. Weekdays count Monday as 1.
    """

    opens: time
    closes: time
    earliest: time
    latest: time
    origin: Origin
    last_submit_minutes: int = 15
    closed_weekdays: tuple[int, ...] = ()
    closed_dates: tuple[str, ...] = ()
    closed_after_easter: tuple[int, ...] = ()

    def closed_days(self, year: int) -> list[date]:
        """The days of a year on which nothing is sent, beside the weekdays."""
        fixed = [date(year, int(day[:2]), int(day[3:])) for day in self.closed_dates]
        moving = [easter_sunday(year) + timedelta(days=after) for after in self.closed_after_easter]
        return sorted({*fixed, *moving})


@dataclass(frozen=True)
class OptOut:
    """The line that says how to refuse, by language; `letters` are the short answers it advertises."""

    texts: Said
    letters: tuple[str, ...]
    words: tuple[str, ...]
    origin: Origin
    place: str = "end"
    is_barred_from_service: bool = False


@dataclass(frozen=True)
class Ban:
    """Words, signs or contacts that a class of text may not have. `effect`: refuse, or warn of a likely refusal."""

    id: str
    kind: str
    classes: tuple[str, ...]
    words: tuple[str, ...]
    effect: str
    says: Said
    origin: Origin


@dataclass(frozen=True)
class RequiredPhrase:
    """A class of text has to have one of these phrases."""

    id: str
    classes: tuple[str, ...]
    phrases: tuple[str, ...]
    effect: str
    says: Said
    origin: Origin


@dataclass(frozen=True)
class Signature:
    """How the sender's name stands in front, and how long it may be."""

    form: str
    shortest: int
    longest: int
    origin: Origin


@dataclass(frozen=True)
class Reporting:
    """Whether signatures, templates and contacts are reported to carriers before anything is sent."""

    origin: Origin
    is_required: bool = False
    carriers: tuple[str, ...] = ()
    stale_after_days: int = 0


@dataclass(frozen=True)
class CountryPack:
    """What a country asks. `calling_codes` tell whose numbers these are."""

    code: str
    version: date
    name: Said
    calling_codes: tuple[str, ...]
    counting: str
    window: Window
    opt_out: OptOut
    signature: Signature
    longest_text: int
    frequency: Mapping[str, int]
    reporting: Reporting | None
    required: tuple[RequiredPhrase, ...]
    banned: tuple[Ban, ...]
    origins: Mapping[str, Origin]

    def opt_out_text(self, language: str) -> str:
        """The line in this language, or in English."""
        return self.opt_out.texts.get(language) or self.opt_out.texts["en"]


@dataclass(frozen=True)
class Placeholders:
    """What a provider lets variables be."""

    origin: Origin
    longest_value: int = 0
    longest_code: int = 0
    has_adjacent: bool = True
    has_whole_text: bool = True
    has_none_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProviderPack:
    """What a provider asks beyond the country."""

    name: str
    version: date
    label: Said
    countries: tuple[str, ...]
    needs_template: bool
    placeholders: Placeholders | None
    banned: tuple[Ban, ...]
    frequency: Mapping[str, int]
    longest_text: int
    origins: Mapping[str, Origin]


def in_words(said: Said, language: str) -> str:
    """What a pack says, in the reader's language or in English."""
    return said.get(language) or said["en"]


def easter_sunday(year: int) -> date:
    """Gregorian Easter (Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=1)
def countries() -> Mapping[str, CountryPack]:
    """Every country pack by code."""
    packs = [_country(_read(path)) for path in sorted((FOLDER / "countries").glob("*.toml"))]
    return {pack.code: pack for pack in packs}


@lru_cache(maxsize=1)
def providers() -> Mapping[str, ProviderPack]:
    """Every provider pack by name."""
    packs = [_provider(_read(path)) for path in sorted((FOLDER / "providers").glob("*.toml"))]
    return {pack.name: pack for pack in packs}


def provider(name: str) -> ProviderPack | None:
    """The pack of a kind of gateway; None for those that ask nothing of their own."""
    return providers().get(name)


def country(code: str) -> CountryPack:
    """The pack of an ISO country code; of a country without one, its neighbours' or the strictest."""
    packs = countries()
    return packs.get(code) or packs["EU" if code in _IN_EU else "US" if code in _WITH_US else ELSEWHERE]


@lru_cache(maxsize=1024)
def country_of_code(digits: str) -> CountryPack:
    """The pack for a number by its first digits (without the plus): the longest calling code that fits."""
    by_code = {code: pack for pack in countries().values() for code in pack.calling_codes}
    return next(by_code[digits[:length]] for length in (3, 2, 1, 0) if digits[:length] in by_code)


_IN_EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ],
)
_WITH_US = frozenset({"CA", "PR"})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as broken:
        raise BrokenPack(f"{path.name}: {broken}") from broken


def _country(raw: dict[str, Any]) -> CountryPack:
    window = _typed(Window, raw["window"])
    if not window.earliest <= window.opens < window.closes <= window.latest:
        raise BrokenPack(f"{raw['code']}: the default hours do not lie in the allowed ones")
    return CountryPack(
        code=raw["code"],
        version=raw["version"],
        name=raw["name"],
        calling_codes=tuple(raw["calling_codes"]),
        counting=raw["counting"]["rule"],
        window=window,
        opt_out=_typed(OptOut, raw["opt_out"]),
        signature=_typed(Signature, raw["signature"]),
        longest_text=raw["length"]["characters"],
        frequency=_numbers(raw["frequency"]),
        reporting=_typed(Reporting, raw["reporting"]) if "reporting" in raw else None,
        required=tuple(_rule(RequiredPhrase, one) for one in raw.get("required", ())),
        banned=tuple(_ban(one) for one in raw.get("banned", ())),
        origins=_origins(raw),
    )


def _provider(raw: dict[str, Any]) -> ProviderPack:
    return ProviderPack(
        name=raw["name"],
        version=raw["version"],
        label=raw["label"],
        countries=tuple(raw["countries"]),
        needs_template=raw["needs_template"],
        placeholders=_typed(Placeholders, raw["placeholders"]) if "placeholders" in raw else None,
        banned=tuple(_ban(one) for one in raw.get("banned", ())),
        frequency=_numbers(raw.get("frequency", {})),
        longest_text=raw.get("length", {}).get("characters", 0),
        origins=_origins(raw),
    )


def _ban(raw: dict[str, Any]) -> Ban:
    ban = _rule(Ban, raw)
    if ban.kind not in KINDS:
        raise BrokenPack(f"{ban.id}: there is no kind {ban.kind}")
    return ban


def _rule(model: type[T], raw: dict[str, Any]) -> T:
    if raw["effect"] not in EFFECTS or not set(raw["classes"]) <= CLASSES:
        raise BrokenPack(f"{raw['id']}: no such effect or class")
    return _typed(model, raw)


def _typed(model: type[T], raw: Mapping[str, Any]) -> T:
    """A table of the file as its type: lists become tuples, source and day become the origin."""
    known = {field.name for field in fields(model)}  # type: ignore[arg-type]
    values = {name: _frozen(value) for name, value in raw.items() if name in known}
    return model(**values, origin=_origin(raw))  # type: ignore[call-arg]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _origin(raw: Mapping[str, Any]) -> Origin:
    if not raw.get("source") or not isinstance(raw.get("on"), date):
        raise BrokenPack("a rule without a source or the day it was checked")
    return Origin(raw["source"], raw["on"], raw.get("is_recalled", False))


def _numbers(raw: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in raw.items() if type(value) is int}


def _origins(raw: Mapping[str, Any]) -> dict[str, Origin]:
    """Each section's origin by its name."""
    return {
        name: _origin(section)
        for name, section in raw.items()
        if isinstance(section, dict) and "on" in section
    }
