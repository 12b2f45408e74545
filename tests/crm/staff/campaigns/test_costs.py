"""Which characters of a text are dear, and what plainer ones would save."""

import pytest

from crm.staff.campaigns.costs import cost_of, marked

CHINA, BRITAIN = "+8613800138000", "+447700900123"


@pytest.mark.parametrize(
    ("text", "phone", "costly", "parts"),
    [
        ("plain words", CHINA, "", 1),
        ("plain words", BRITAIN, "", 1),
        ("八折 😀", CHINA, "😀", 1),
        ("it’s 20% off", BRITAIN, "’", 1),
        ("only 5€ [today]", BRITAIN, "€[]", 1),
        ("本周八折’", BRITAIN, "", 1),
        ("it’s " + "x" * 70, BRITAIN, "’", 2),
    ],
)
def test_what_makes_a_text_dear(text, phone, costly, parts):
    cost = cost_of(text, phone)

    assert "".join(text[start:end] for start, end in cost.costly) == costly
    assert cost.parts == parts


def test_plain_signs_save_a_part_abroad_and_nothing_in_china():
    text = "it’s " + "x" * 70

    assert cost_of(text, BRITAIN).saves == 1
    assert cost_of(text, CHINA).saves == 0


@pytest.mark.parametrize("text", ["", "half \ud83d"])
def test_what_cannot_be_sent_has_no_cost(text):
    assert cost_of(text, CHINA) is None


def test_marks_join_and_never_let_markup_in():
    assert marked("a<b>c", [(0, 2), (1, 3)], "costly") == '<mark class="costly">a&lt;b</mark>&gt;c'
