"""Phone numbers as people, tills and spreadsheets write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members import phones
from members.phones import (
    InvalidPhone,
    keyed_hash,
    mask,
    normalize,
    region_of,
    same_number_digits,
    timezones_of,
)

WANG = "+8613800138000"


@pytest.mark.parametrize(
    "raw",
    [
        "13800138000", "+8613800138000", "8613800138000", "008613800138000", "+86 138 0013 8000", "86-138-0013-8000",
        "(86)13800138000", "(+86) 138-0013-8000", "+86 (0)138 0013 8000", "013800138000", "1795113800138000",
        "17951 138 0013 8000", "12593-13800138000", "138 0013 8000", "138-0013-8000", "138.0013.8000", "138‑0013‑8000",
        "138–0013–8000", "１３８００１３８０００", "＋８６１３８００１３８０００", "１３８\u3000００１３\u3000８０００", "١٣٨٠٠١٣٨٠٠٠",
        "\ufeff13800138000", "138\u200b0013\u200b8000", "\u202d13800138000\u202c", "13800138000\u00a0", " 13800138000\n",
        "'13800138000", "“13800138000”", '"13800138000"', '="13800138000"', "13800138000,", "13800138000;", "13800138000。",
        "13,800,138,000", "tel:13800138000", "tel:+86-138-0013-8000", "手机：13800138000", "手机号码: 13800138000",
        "联系电话 13800138000", "Mobile: 13800138000", "Tel. 13800138000", "Phone no: 13800138000", "13800138000.0",
        "13800138000.00", "1.3800138000E+10", "1.3800138000e10", "8.613800138000E+12", 13800138000, 13800138000.0,
    ],
)  # fmt: skip
def test_every_way_to_write_wangs_number(raw: object) -> None:
    assert normalize(raw) == WANG


@pytest.mark.parametrize(
    ("raw", "region", "phone"),
    [
        ("(415) 555-2671", "US", "+14155552671"),
        ("1-415-555-2671", "US", "+14155552671"),
        ("+1 415 555 2671", "CN", "+14155552671"),
        ("0014155552671", "CN", "+14155552671"),
        ("011 44 7400 123456", "US", "+447400123456"),
        ("0044 7400 123456", "US", "+447400123456"),
        ("07400 123456", "GB", "+447400123456"),
        ("9123 4567", "SG", "+6591234567"),
        ("5123 4567", "HK", "+85251234567"),
        ("0912 345 678", "TW", "+886912345678"),
        ("+8613800138000", "US", WANG),
        ("008613800138000", "GB", WANG),
        ("13800138000", "cn", WANG),
        ("+8619900000001", "CN", "+8619900000001"),
    ],
)
def test_numbers_of_other_countries(raw: str, region: str, phone: str) -> None:
    assert normalize(raw, region) == phone


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "empty"), ("", "empty"), ("   ", "empty"), ("\u200b", "empty"), ("-", "empty"), (float("nan"), "empty"),
        ("abc", "letters"), ("无", "letters"), ("N/A", "letters"), ("1380013800O", "letters"), ("1-800-FLOWERS", "letters"),
        ("13800138000 ext 5", "letters"), ("13800138000 张三", "letters"), ("一三八零零一三八零零零", "letters"),
        ("138****8000", "masked"), ("138＊＊＊＊8000", "masked"), ("138xxxx8000", "masked"), ("138XXXX8000", "masked"),
        ("138••••8000", "masked"), ("138####8000", "masked"), ("138...8000", "masked"), ("138…8000", "masked"),
        ("138____8000", "masked"), ("*8000", "masked"),
        ("13800138000/13900139000", "multiple"), ("13800138000,13900139000", "multiple"),
        ("13800138000 13900139000", "multiple"), ("13800138000、13900139000", "multiple"),
        ("138 0013 8000 139 0013 9000", "multiple"), ("13800138000\n13900139000", "multiple"),
        ("13800138000 or 13900139000", "multiple"), ("13800138000或13900139000", "multiple"),
        ("1380013800013900139000", "multiple"), ("13800138000; 010-12345678", "multiple"),
        ("1.38E+10", "lossy_scientific"), ("1.38001E+10", "lossy_scientific"), ("1.38e10", "lossy_scientific"),
        ("1,38E+10", "lossy_scientific"), ("1E+10", "lossy_scientific"), ("１.３８Ｅ＋１０", "lossy_scientific"),
        ("8.61E+12", "lossy_scientific"),
        ("010-12345678", "not_mobile"), ("0755-83765566", "not_mobile"), ("021 6123 4567", "not_mobile"),
        ("021-61234567-801", "not_mobile"), ("+86 10 1234 5678", "not_mobile"), ("+8601012345678", "not_mobile"),
        ("400-820-8820", "not_mobile"), ("8008208820", "not_mobile"), ("1069012345", "not_mobile"),
        ("106550101955881", "not_mobile"),
        ("138", "too_short"), ("12345", "too_short"), ("10086", "too_short"), ("1380013800", "too_short"),
        ("+86 1380013800", "too_short"), ("2026-11-22", "too_short"),
        ("138001380001", "too_long"), ("110101199003071234", "too_long"), ("6222021234567890123", "too_long"),
        ("1" * 300, "too_long"), (10**30, "too_long"),
        ("12345678901", "invalid"), ("14012345678", "invalid"), ("15412345678", "invalid"), ("17490000000", "invalid"),
        ("+999 123456789", "invalid"), ("13800\x00138000", "invalid"), ("138+00138000", "invalid"),
        (13800138000.5, "invalid"), (True, "invalid"), ([], "invalid"), ("1.38001380005E+10", "invalid"),
    ],
)  # fmt: skip
def test_why_a_number_is_refused(raw: object, reason: str) -> None:
    with pytest.raises(InvalidPhone) as refused:
        normalize(raw)

    assert refused.value.reason == reason
    assert str(refused.value.message)


@pytest.mark.parametrize(
    ("raw", "region", "reason"),
    [
        ("800 356 9377", "US", "not_mobile"),
        ("020 7946 0018", "GB", "not_mobile"),
        ("6123 4567", "SG", "not_mobile"),
        ("415 555", "US", "too_short"),
        ("41555526711234", "US", "too_long"),
        ("13800138000", "US", "invalid"),
        ("13800138000", "", "invalid"),
        ("13800138000", "ZZ", "invalid"),
    ],
)
def test_refusals_elsewhere(raw: str, region: str, reason: str) -> None:
    with pytest.raises(InvalidPhone) as refused:
        normalize(raw, region)
    assert refused.value.reason == reason


def test_the_error_does_not_repeat_the_number() -> None:
    with pytest.raises(InvalidPhone) as refused:
        normalize("010-12345678")
    assert "1234" not in f"{refused.value} {refused.value.message} {refused.value.args}"


def test_a_new_range_can_be_let_in_by_the_settings() -> None:
    with pytest.raises(InvalidPhone):
        normalize("19412345678")
    phones.accept_prefixes(["+86194", "+8614"])
    try:
        assert normalize("194 1234 5678") == "+8619412345678"
        assert normalize("+8619412345678") == "+8619412345678"
        with pytest.raises(InvalidPhone):
            normalize("194 1234 567")
    finally:
        phones.accept_prefixes([])


@given(
    st.one_of(st.text(max_size=40), st.text(alphabet="0123456789+-() .86E,*x/", max_size=24)),
    st.sampled_from(["CN", "US", "GB", "SG", "HK"]),
)
def test_any_text_is_one_number_or_refused_and_normalising_twice_changes_nothing(
    raw: str, region: str
) -> None:
    try:
        phone = normalize(raw, region)
    except InvalidPhone as refused:
        assert refused.reason in phones.MESSAGES
    else:
        assert phone.startswith("+")
        assert phone[1:].isdecimal()
        assert normalize(phone, region) == normalize(phone, "CN") == phone


@given(st.integers(min_value=13000000000, max_value=19999999999))
def test_the_fast_path_agrees_with_the_library(number: int) -> None:
    import phonenumbers

    parsed = phonenumbers.parse(str(number), "CN")
    is_mobile = phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) == 1
    try:
        assert normalize(str(number)) == f"+86{number}"
    except InvalidPhone:
        assert not is_mobile
    else:
        assert is_mobile


def test_clean_numbers_are_read_by_the_hundred_thousand() -> None:
    numbers = [f"138{index:08d}" for index in range(100_000)]

    started = time.process_time()
    for number in numbers:
        normalize(number)

    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        (WANG, "+86 138****8000"),
        ("+14155552671", "+1 415****2671"),
        ("+6591234567", "+65 91****67"),
        ("+85251234567", "+852 51****67"),
        ("13800138000", "****"),
        ("", "****"),
        ("hello", "****"),
    ],
)
def test_masks_show_no_whole_number(phone: str, masked: str) -> None:
    assert mask(phone) == masked


@pytest.mark.parametrize(
    ("phone", "region", "zones"),
    [
        (WANG, "CN", ("Asia/Shanghai",)),
        ("+14155552671", "US", ("America/Los_Angeles",)),
        ("+12125552671", "US", ("America/New_York",)),
        ("+16025552671", "US", ("America/Phoenix",)),
        ("+18505552671", "US", ("America/Chicago", "America/New_York")),
        ("+14165552671", "CA", ("America/Toronto",)),
        ("+6591234567", "SG", ("Asia/Singapore",)),
        ("+447400123456", "GB", ("Europe/London",)),
        ("+99912345678", "", ()),
        ("nonsense", "", ()),
    ],
)
def test_where_a_number_lives(phone: str, region: str, zones: tuple[str, ...]) -> None:
    assert region_of(phone) == region
    assert timezones_of(phone) == zones


def test_a_country_with_many_zones_answers_with_all() -> None:
    zones = timezones_of("+61412345678")
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones)


def test_every_area_code_names_zones_that_exist() -> None:
    from zoneinfo import ZoneInfo

    from members.area_codes import AREA_CODE_ZONES

    assert len(AREA_CODE_ZONES) > 400
    for zones in set(AREA_CODE_ZONES.values()):
        for zone in zones:
            assert ZoneInfo(zone).key == zone


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("8000", "8000"),
        ("138-0013-8000", "13800138000"),
        ("+86 138 0013 8000", "8613800138000"),
        ("008613800138000", "8613800138000"),
        ("0080", "0080"),
        ("８０００", "8000"),
        ("Anna", ""),
        ("", ""),
    ],
)
def test_the_digits_a_search_box_looks_for(typed: str, digits: str) -> None:
    assert same_number_digits(typed) == digits


def test_a_hash_depends_on_number_and_key() -> None:
    first = keyed_hash(WANG, b"key")

    assert len(first) == 16
    assert first == keyed_hash(WANG, b"key")
    assert first != keyed_hash("+8613800138001", b"key")
    assert first != keyed_hash(WANG, b"other")


def test_the_simulators_members_are_all_textable() -> None:
    for index in range(1, 2358):
        assert normalize(f"+86199{index:08d}") == f"+86199{index:08d}"
