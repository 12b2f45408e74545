"""What a region covers: countries, groups and beginnings of numbers, as people write them."""

from __future__ import annotations

import phonenumbers
import pytest

from messaging.rules import regions
from messaging.rules.regions import SharedCode, UnknownPlace, beginnings


@pytest.mark.parametrize(
    ("covers", "meant"),
    [
        ("DE", ["+49"]),
        ("de, +1310，CN", ["+1310", "+49", "+86"]),
        ("HMT", ["+852", "+853", "+886"]),
        ("HMT HK\n+852", ["+852", "+853", "+886"]),
        ("US", ["+1"]),
    ],
)
def test_what_people_write_is_read(covers, meant):
    assert beginnings(covers) == meant


@pytest.mark.parametrize("word", ["XX", "Germany", "+0", "49", "+", "+123456789012345", "D"])
def test_what_is_no_place_is_named(word):
    with pytest.raises(UnknownPlace) as refused:
        beginnings(f"DE, {word}")

    assert refused.value.word == word.upper()


@pytest.mark.parametrize(("country", "code"), [("CA", "+1"), ("JM", "+1"), ("KZ", "+7"), ("JE", "+44")])
def test_a_country_without_a_code_of_its_own_is_asked_for_beginnings(country, code):
    with pytest.raises(SharedCode) as refused:
        beginnings(country)

    assert refused.value.code == code


@pytest.mark.parametrize("group", regions.groups())
def test_a_groups_numbers_are_of_its_countries(group):
    told = regions.groups()[group]

    found = beginnings(group)

    examples = {
        country: phonenumbers.format_number(
            phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE),
            phonenumbers.PhoneNumberFormat.E164,
        )
        for country in told["countries"]
    }
    assert all(any(number.startswith(each) for each in found) for number in examples.values()), examples
    assert len(found) == len(set(told["countries"]))
    assert told["source"] and told["on"] and set(told["name"]) == {"en", "zh-hans"}
