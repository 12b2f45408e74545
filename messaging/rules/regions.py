"""What a region of routes covers, as a person writes it, and the beginnings of numbers that it means.

Groups of countries are dated data (regions.toml); calling codes are libphonenumber's. A leaf: no database.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import phonenumbers

BEGINNING = re.compile(r"\+[1-9][0-9]{0,13}", re.ASCII)
_FILE = Path(__file__).resolve().parent / "regions.toml"
_BETWEEN = re.compile(r"[\s,;，；、]+")


class UnknownPlace(ValueError):
    """What is neither a country, a group nor the beginning of a number. `word` is how it was written."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class SharedCode(UnknownPlace):
    """A country that has no calling code of its own (Canada, Jamaica, Kazakhstan): `code` is also others'."""

    def __init__(self, word: str, code: str) -> None:
        super().__init__(word)
        self.code = code


@lru_cache
def groups() -> Mapping[str, Mapping[str, Any]]:
    """The groups of countries by the name they are written with."""
    return tomllib.loads(_FILE.read_text())


def beginnings(covers: str) -> list[str]:
    """The beginnings of numbers (+49, +1310) that words like "EU, CH, +1310" mean; sorted, none twice.

    Raises UnknownPlace.
    """
    words = [word.upper() for word in _BETWEEN.split(covers) if word]
    return sorted({beginning for word in words for beginning in _beginnings_of(word)})


def _beginnings_of(word: str) -> Iterable[str]:
    if BEGINNING.fullmatch(word):
        return [word]
    if word in groups():
        return [_calling_code(country) for country in groups()[word]["countries"]]
    return [_calling_code(word)]


def _calling_code(country: str) -> str:
    number = phonenumbers.country_code_for_region(country)
    if not number:
        raise UnknownPlace(country)
    code = f"+{number}"
    if phonenumbers.region_code_for_country_code(number) != country:
        raise SharedCode(country, code)
    return code
