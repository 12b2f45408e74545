"""Counting and cutting: the boundaries a merchant pays for, checked by hand and against smsutil."""

import random

import pytest
import smsutil

from messaging.encoding import (
    UnsendableText,
    clean,
    decode_gsm7,
    encode_gsm7,
    encode_ucs2,
    gsm_friendly,
    measure,
    split_parts,
)

EMOJI, HAN = "😀", "汉"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("GSM-7", 1, 1)),
        ("a" * 160, ("GSM-7", 160, 1)),
        ("a" * 161, ("GSM-7", 161, 2)),
        ("a" * 306, ("GSM-7", 306, 2)),
        ("a" * 307, ("GSM-7", 307, 3)),
        ("€" + "a" * 157, ("GSM-7", 159, 1)),
        ("a" * 158 + "€", ("GSM-7", 160, 1)),
        ("a" * 159 + "€", ("GSM-7", 161, 2)),
        ("€" * 80, ("GSM-7", 160, 1)),
        # An escape may not be the last septet of a part: one is wasted in each of the first two.
        ("a" * 152 + "€" + "a" * 152, ("GSM-7", 306, 3)),
        ("€" * 153, ("GSM-7", 306, 3)),
        ("€" * 152, ("GSM-7", 304, 2)),
        ("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", ("GSM-7", 42, 1)),
        ("^{}\\[~]|€\f", ("GSM-7", 20, 1)),
        ("line\r\nline", ("GSM-7", 10, 1)),
        ("ç", ("UCS-2", 1, 1)),
        ("tab\tstop", ("UCS-2", 8, 1)),
        ("`", ("UCS-2", 1, 1)),
        ("it’s", ("UCS-2", 4, 1)),
        ("ΑΒ", ("UCS-2", 2, 1)),  # Greek letters that only look Latin
        ("a\u00a0b", ("UCS-2", 3, 1)),
        ("€" + HAN, ("UCS-2", 2, 1)),  # extension characters are one unit again
        (HAN * 70, ("UCS-2", 70, 1)),
        (HAN * 71, ("UCS-2", 71, 2)),
        (HAN * 134, ("UCS-2", 134, 2)),
        (HAN * 135, ("UCS-2", 135, 3)),
        (EMOJI * 35, ("UCS-2", 70, 1)),
        (EMOJI * 36, ("UCS-2", 72, 2)),
        (HAN * 67 + EMOJI, ("UCS-2", 69, 1)),
        (HAN * 68 + EMOJI, ("UCS-2", 70, 1)),
        (HAN * 69 + EMOJI, ("UCS-2", 71, 2)),
        (HAN * 66 + EMOJI + HAN * 66, ("UCS-2", 134, 3)),  # the pair does not fit the first part's last unit
        (EMOJI * 66, ("UCS-2", 132, 2)),
        (EMOJI * 67, ("UCS-2", 134, 3)),
    ],
)
def test_3gpp_counts(text, expected):
    assert measure(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("UCS-2", 1, 1)),
        ("a" * 70, ("UCS-2", 70, 1)),
        ("a" * 71, ("UCS-2", 71, 2)),
        ("a" * 134, ("UCS-2", 134, 2)),
        ("【蓝湾洗车】" + HAN * 154, ("UCS-2", 160, 3)),
        ("€" * 70, ("UCS-2", 70, 1)),
        (EMOJI * 35, ("UCS-2", 70, 1)),
        (EMOJI * 36, ("UCS-2", 72, 2)),
        (EMOJI * 67, ("UCS-2", 134, 2)),  # billed by division, whatever the cut wastes
    ],
)
def test_chinese_rule_counts_every_character_over_the_finished_text(text, expected):
    assert measure(text, rule="cn") == expected


@pytest.mark.parametrize("rule", ["3gpp", "cn"])
@pytest.mark.parametrize("text", ["", "\x1b", "a\x1bb", HAN + "\x1b", "\ud83d", "a\ude00", "\ude00\ud83d"])
def test_texts_that_cannot_be_sent_are_refused(text, rule):
    with pytest.raises(UnsendableText):
        measure(text, rule=rule)
    with pytest.raises(UnsendableText):
        split_parts(text, "UCS-2")


def test_an_unknown_rule_is_a_mistake_not_a_guess():
    with pytest.raises(ValueError, match="imperial"):
        measure("a", rule="imperial")


def random_texts(count):
    rng = random.Random(20261122)
    alphabets = ["abc XYZ 0189.,@_$", "aé€[]~^", "aΔΩß", HAN + "店a1", EMOJI + HAN + "a", "a€" + HAN + EMOJI]
    for _ in range(count):
        yield "".join(
            rng.choices(
                rng.choice(alphabets), k=rng.choice((1, 69, 70, 71, 133, 135, 153, 160, 161, 306, 400))
            )
        )


def test_golden_parts_are_those_of_smsutil():
    for text in random_texts(1_500):
        theirs = smsutil.split(text)
        found = measure(text)
        assert found.parts == len(theirs.parts)
        assert found.encoding == ("GSM-7" if theirs.encoding == "gsm0338" else "UCS-2")
        assert split_parts(text, found.encoding) == [part.content for part in theirs.parts]
        if found.encoding == "GSM-7":
            assert encode_gsm7(text) == smsutil.encode(text)


def test_parts_join_to_the_text_and_fit_the_wire():
    for text in random_texts(500):
        found = measure(text)
        parts = split_parts(text, found.encoding)
        assert "".join(parts) == text
        assert len(parts) == found.parts
        octets = [encode_gsm7(p) if found.encoding == "GSM-7" else encode_ucs2(p) for p in parts]
        limit = {("GSM-7", True): 160, ("GSM-7", False): 153, ("UCS-2", True): 140, ("UCS-2", False): 134}
        assert max(map(len, octets)) <= limit[found.encoding, len(parts) == 1]


def test_three_part_chinese_text_is_cut_67_67_26():
    assert [len(part) for part in split_parts(HAN * 160, "UCS-2")] == [67, 67, 26]


def test_more_parts_than_a_header_can_number_are_refused():
    assert len(split_parts("a" * (153 * 255), "GSM-7")) == 255
    with pytest.raises(UnsendableText, match="256"):
        split_parts("a" * (153 * 255 + 1), "GSM-7")


def test_gsm7_cannot_carry_what_is_outside_it():
    for refused in (
        lambda: split_parts(HAN, "GSM-7"),
        lambda: encode_gsm7("ç"),
        lambda: encode_gsm7("a\x1b"),
    ):
        with pytest.raises(UnsendableText):
            refused()


def test_every_gsm7_character_survives_the_wire():
    text = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà"
    text += "^{}\\[~]|€\f"

    assert decode_gsm7(encode_gsm7(text)) == text
    assert encode_gsm7("@€") == b"\x00\x1b\x65"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", ""),
        (b"a\x1b", "a "),
        (b"\x1b\x1bA", " A"),
        (b"\x1bA", "A"),
        (b"\x1b\x00", "@"),
        (b"\xff", "\ufffd"),
    ],
)
def test_damaged_gsm7_is_read_as_well_as_possible(octets, text):
    assert decode_gsm7(octets) == text


def test_decoding_never_fails():
    rng = random.Random(7)
    for _ in range(2_000):
        assert isinstance(decode_gsm7(rng.randbytes(rng.randrange(200))), str)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Hello, Li Wei\r\n", "Hello, Li Wei\r\n"),
        ("a\x00b\x1bc\x07\x7f\x85", "abc"),
        ("a\tb\u00a0c", "a b c"),
        ("\ufeffcode\u200b 12\u200d34\u202e\u2066", "code 1234"),
        ("👨\u200d👩", "👨👩"),
        ("李伟", "李伟"),
    ],
)
def test_cleaning_takes_out_what_no_handset_shows(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("It’s “20% off” – today…", 'It\'s "20% off" - today...'),
        ("Caffè Perù, €5", "Caffè Perù, €5"),
        ("• façade ™", "* facade (TM)"),
        ("`tick`", "'tick'"),
        ("【蓝湾】你好", "【蓝湾】你好"),
    ],
)
def test_gsm_friendly_folds_to_look_alikes(text, folded):
    assert gsm_friendly(text) == folded


def test_one_curly_quote_costs_a_part():
    text = "Dear Li Wei, today’s wash is ready. " + "Thank you for your visit. " * 4

    assert (measure(text).parts, measure(gsm_friendly(text)).parts) == (3, 1)


# ── every boundary, against a counter that knows nothing but the rule ───────────────────────────────────

ROOM = {
    ("GSM-7", 8): (160, 153),
    ("GSM-7", 16): (160, 152),
    ("UCS-2", 8): (70, 67),
    ("UCS-2", 16): (70, 66),
}


def greedy(costs, single, room):
    """Sizes of the parts in characters: each character goes whole into the first part that still has room."""
    if sum(costs) <= single:
        return [len(costs)]
    sizes, left = [0], room
    for cost in costs:
        if cost > left:
            sizes.append(0)
            left = room
        sizes[-1] += 1
        left -= cost
    return sizes


def texts_at_every_boundary(encoding, room):
    """One wide character (two units) at each place around each of the first three cuts, in texts that end at
    each length around them; and the same with two wide ones side by side.
    """
    plain, wide = ("a", "€") if encoding == "GSM-7" else (HAN, EMOJI)
    for cuts in (1, 2, 3):
        around = range(max(0, cuts * room - 3), cuts * room + 4)
        for place in around:
            for tail in range(5):
                yield plain * place + wide + plain * tail
                yield plain * place + wide * 2 + plain * tail
                yield plain * (place % room) + wide + plain * (cuts * room - 4) + wide + plain * tail


@pytest.mark.parametrize(("encoding", "bits"), ROOM)
def test_no_boundary_cuts_a_character_or_wastes_a_part(encoding, bits):
    single, room = ROOM[encoding, bits]
    wide = "€" if encoding == "GSM-7" else EMOJI
    texts = [*texts_at_every_boundary(encoding, room), *texts_at_every_boundary(encoding, single)]
    assert len(texts) > 500
    for text in texts:
        parts = split_parts(text, encoding, bits)
        assert [len(part) for part in parts] == greedy([1 + (c == wide) for c in text], single, room), text
        assert "".join(parts) == text
        octets = [encode_gsm7(p) if encoding == "GSM-7" else encode_ucs2(p) for p in parts]
        unit = 1 if encoding == "GSM-7" else 2
        assert all(len(part) <= (single if len(parts) == 1 else room) * unit for part in octets)


@pytest.mark.parametrize("encoding", ["GSM-7", "UCS-2"])
def test_smsutil_agrees_at_every_boundary(encoding):
    single, room = ROOM[encoding, 8]
    for text in [*texts_at_every_boundary(encoding, room), *texts_at_every_boundary(encoding, single)]:
        theirs = smsutil.split(text)
        assert [part.content for part in theirs.parts] == split_parts(text, encoding), text
        assert measure(text).parts == len(theirs.parts)


def test_every_length_up_to_four_parts_in_both_alphabets():
    for plain, encoding in (("a", "GSM-7"), (HAN, "UCS-2")):
        single, room = ROOM[encoding, 8]
        for length in range(1, 4 * room + 2):
            expected = 1 if length <= single else -(-length // room)
            assert measure(plain * length) == (encoding, length, expected)
            assert len(split_parts(plain * length, encoding)) == expected


def test_every_single_character_has_the_alphabet_smsutil_gives_it():
    """The whole of Unicode up to U+FFFF, and one plane above it."""
    codes = [code for code in range(0x20000) if not 0xD800 <= code <= 0xDFFF and code != 0x1B]
    ours = {code for code in codes if measure(chr(code)).encoding == "GSM-7"}
    theirs = {code for code in codes if smsutil.is_valid_gsm(chr(code))}
    assert ours == theirs
    assert len(ours) == 127 + 10  # of 128 one is the escape itself; ten more behind it


def test_the_chinese_rule_is_a_division_at_every_length():
    for length in range(1, 300):
        expected = 1 if length <= 70 else -(-length // 67)
        for character in (HAN, "a", "€", "【"):
            assert measure(character * length, rule="cn") == ("UCS-2", length, expected)


def test_joined_emoji_are_cut_between_code_points_never_inside_one():
    family = "👨\u200d👩\u200d👧\u200d👦"  # eleven units, four pairs
    for lead in range(60, 72):
        parts = split_parts(HAN * lead + family * 8, "UCS-2")
        assert "".join(parts) == HAN * lead + family * 8
        assert all(part.encode("utf-16-be") for part in parts)  # a cut pair could not be encoded


def test_a_16_bit_reference_costs_one_unit_a_part():
    assert [len(part) for part in split_parts("a" * 305, "GSM-7", 16)] == [152, 152, 1]
    assert [len(part) for part in split_parts(HAN * 133, "UCS-2", 16)] == [66, 66, 1]
    assert split_parts(HAN * 70, "UCS-2", 16) == [HAN * 70]
