"""Money as a cashier types it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.amounts import InvalidAmount, exponent_of, format_minor, parse_minor, plain_minor


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("500", 50000),
        ("500.5", 50050),
        ("500.50", 50050),
        ("0.01", 1),
        (".5", 50),
        (" 5 ", 500),
        ("007", 700),
        ("１００", 10000),
        ("１，０００．５０", 100050),
        ("10。5", 1050),
        ("1,000", 100000),
        ("1,234,567.89", 123456789),
        ("10000000", 10**9),
    ],
)
def test_what_a_cashier_may_type(text: str, minor: int) -> None:
    assert parse_minor(text) == minor


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "empty"),
        ("", "empty"),
        ("   ", "empty"),
        (True, "not_text"),
        (500, "not_text"),
        (5.5, "not_text"),
        (Decimal("5"), "not_text"),
        ([], "not_text"),
        (10**400, "not_text"),
        ("0", "zero"),
        ("0.00", "zero"),
        ("-0", "zero"),
        ("0.000", "zero"),
        ("-5", "negative"),
        ("−5", "negative"),
        ("－5", "negative"),
        ("10.005", "too_precise"),
        ("0.001", "too_precise"),
        ("1.000", "too_precise"),
        ("10000000.01", "too_large"),
        ("1" + "0" * 400, "too_large"),
        (str(2**63), "too_large"),
        (str(2**53 + 1), "too_large"),
        ("1,00", "grouping"),
        ("1,0000", "grouping"),
        ("1000,000", "grouping"),
        ("12,34,567", "grouping"),
        ("1.000,50", "not_a_number"),
        ("1e9", "not_a_number"),
        ("1E3", "not_a_number"),
        ("NaN", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("٣", "not_a_number"),
        ("五百", "not_a_number"),
        ("0x10", "not_a_number"),
        ("1_000", "not_a_number"),
        ("+5", "not_a_number"),
        ("--5", "not_a_number"),
        ("5-", "not_a_number"),
        ("5.", "not_a_number"),
        (".", "not_a_number"),
        (",", "not_a_number"),
        ("1..5", "not_a_number"),
        ("1 000", "not_a_number"),
        ("¥5", "not_a_number"),
        ("5元", "not_a_number"),
        ("5\x00", "not_a_number"),
        ("²", "not_a_number"),
        ("1;2", "not_a_number"),
    ],
)
def test_what_is_refused_and_why(text: object, reason: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        parse_minor(text)

    assert refused.value.reason == reason
    assert str(refused.value.message)


@pytest.mark.parametrize("text", ["１００", "1,000", " 5", "5 ", "10。5", "5\n"])
def test_programs_must_write_plain_digits(text: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        parse_minor(text, strict=True)
    assert refused.value.reason == "not_a_number"


def test_currencies_have_their_own_decimals() -> None:
    assert parse_minor("500", exponent=exponent_of("JPY")) == 500
    assert parse_minor("1.234", exponent=exponent_of("KWD")) == 1234
    with pytest.raises(InvalidAmount):
        parse_minor("500.5", exponent=exponent_of("JPY"))


def test_amounts_are_shown_as_each_reader_writes_them() -> None:
    assert format_minor(123456, "CNY", "zh-hans") == "¥1,234.56"
    assert format_minor(123456, "CNY", "en") == "¥1,234.56"
    assert format_minor(50050, "JPY", "en") == "¥50,050"
    assert format_minor(-5, "USD", "en") == "-$0.05"


@given(st.integers(min_value=1, max_value=10**9), st.sampled_from([0, 2, 3]))
def test_what_we_write_we_read(minor: int, exponent: int) -> None:
    assert parse_minor(plain_minor(minor, exponent=exponent), exponent=exponent) == minor


@given(st.text(max_size=40))
def test_any_text_is_a_positive_amount_or_refused(text: str) -> None:
    try:
        assert 0 < parse_minor(text) <= 10**9
    except InvalidAmount as refused:
        assert refused.reason
