"""The packs as data: each rule dated and sourced, each default inside what is allowed."""

import tomllib
from datetime import date, time

import pytest
from dateutil.easter import easter

from messaging.rules import countries, country, country_of_code, providers
from messaging.rules.packs import FOLDER, BrokenPack, _country, easter_sunday

FILES = sorted(FOLDER.glob("*/*.toml"))


def _rules(raw: dict) -> list[dict]:
    sections = [
        value for value in raw.values() if isinstance(value, dict) and not {"en", "zh-hans"} & set(value)
    ]
    return sections + [rule for name in ("banned", "required") for rule in raw.get(name, ())]


def test_the_packs_the_house_promises_are_there() -> None:
    assert set(countries()) == {"CN", "US", "GB", "EU", "FR", "SG", "ZZ"}
    assert set(providers()) == {"aliyun", "tencent", "twilio"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rule_has_a_source_and_the_day_it_was_checked(path) -> None:
    raw = tomllib.loads(path.read_text("utf-8"))

    assert isinstance(raw["version"], date)
    for rule in _rules(raw):
        assert len(rule["source"]) > 5, rule
        assert date(2026, 1, 1) <= rule["on"] <= raw["version"], rule


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_people_read_is_there_in_both_languages(path) -> None:
    raw = tomllib.loads(path.read_text("utf-8"))

    said = [rule["says"] for name in ("banned", "required") for rule in raw.get(name, ())]
    for texts in [*said, raw.get("name") if "code" in raw else raw["label"]]:
        assert texts["en"] and texts["zh-hans"]


def test_the_hours_of_the_seed() -> None:
    china = country("CN").window
    assert (china.opens, china.closes) == (time(9), time(21))
    assert (china.earliest, china.latest) == (time(8), time(22))
    assert country("FR").window.closed_weekdays == (7,)


@pytest.mark.parametrize(
    ("digits", "code"),
    [
        ("8613800138000", "CN"),
        ("12025550123", "US"),
        ("447700900123", "GB"),
        ("33612345678", "FR"),
        ("6591234567", "SG"),
        ("4915112345678", "EU"),
        ("353851234567", "EU"),
        ("819012345678", "ZZ"),
    ],
)
def test_a_number_finds_its_pack_by_its_calling_code(digits: str, code: str) -> None:
    assert country_of_code(digits).code == code


def test_a_country_without_a_pack_of_its_own_has_one_all_the_same() -> None:
    assert [country(code).code for code in ("DE", "CA", "JP", "")] == ["EU", "US", "ZZ", "ZZ"]


def test_french_holidays_move_with_easter() -> None:
    closed = country("FR").window.closed_days(2027)
    assert date(2027, 3, 29) in closed  # Easter Monday
    assert date(2027, 5, 6) in closed  # Ascension
    assert date(2027, 7, 14) in closed
    assert date(2027, 3, 30) not in closed


def test_easter_as_another_program_reckons_it() -> None:
    assert all(easter_sunday(year) == easter(year) for year in range(1900, 2200))


def test_the_opt_out_line_of_china_ends_as_its_providers_ask_in_every_language() -> None:
    texts = country("CN").opt_out.texts
    assert all(text.endswith("拒收请回复R") for text in texts.values())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda raw: raw["window"].update(opens=time(7)), "allowed"),
        (lambda raw: raw["window"].pop("source"), "source"),
        (lambda raw: raw["banned"][0].update(effect="shout"), "effect"),
        (lambda raw: raw["banned"][0].update(kind="smell"), "kind"),
    ],
)
def test_a_broken_pack_does_not_start(spoil, says: str) -> None:
    raw = tomllib.loads((FOLDER / "countries" / "cn.toml").read_text("utf-8"))
    spoil(raw)
    with pytest.raises(BrokenPack, match=says):
        _country(raw)
