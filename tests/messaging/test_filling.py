"""From a finished text back to its values: right or not at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.encoding import clean
from messaging.filling import filled_in
from messaging.rendering import compile_template, finish

STOP = "拒收请回复R"


@pytest.mark.parametrize(
    ("wording", "text", "values"),
    [
        ("Hello", "【常客】Hello", {}),
        ("{code} is your code", "【常客】482915 is your code", {"code": "482915"}),
        ("{name}，余额{balance}", "【常客】李雷，余额¥20.00", {"name": "李雷", "balance": "¥20.00"}),
        ("{name|Member}, hi", "【常客】Member, hi", {"name": "Member"}),
        ("{a} and {a}", "【常客】x and x", {"a": "x"}),
        ("{a}{b}", "【常客】xy", {"a": "", "b": "xy"}),
        ("  {name} ok  ", "【常客】Li ok", {"name": "Li"}),
        ("a\u00a0b {name}", "【常客】a b Li", {"name": "Li"}),
    ],
)
def test_the_values_of_a_text(wording, text, values):
    found = filled_in(text, wording)

    assert (found.signature, found.values) == ("常客", values)


@pytest.mark.parametrize(
    ("text", "signature"),
    [("Regulars: 482915 is your code", "Regulars"), ("482915 is your code", ""), ("A: b is your code", "A")],
)
def test_a_signature_in_the_country_s_own_form(text, signature):
    found = filled_in(text, "{code} is your code", form="{name}: ")

    assert found.signature == signature


@pytest.mark.parametrize("ending", [f" {STOP}", STOP])
def test_the_opt_out_text_is_the_providers_template_s_own(ending):
    body = "周末八折" if ending[0] == " " else "周末八折。"

    assert filled_in(
        f"【常客】{body}{ending}", "周末八折{x|。}" if ending[0] != " " else "{x}", opt_out_text=STOP
    )


@pytest.mark.parametrize(
    ("wording", "text"),
    [
        ("{code} is your code", "【常客】482915 is your number"),
        ("{a} and {a}", "【常客】x and y"),
        ("Hello", "【常客】Hello!"),
        ("Hello {name}", "【常客】Hell"),
        ("{broken", "【常客】{broken"),
        ("Hello {name}", ""),
        ("{a}b{c}", "【常客】acd"),
    ],
)
def test_another_wording_did_not_become_this_text(wording, text):
    assert filled_in(text, wording) is None


words = st.text(st.sampled_from("ab ，。{1常客"), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    literals=st.lists(st.text(st.sampled_from("ab ，。1常"), max_size=4), min_size=2, max_size=4),
    values=st.lists(st.text(st.sampled_from("ab，1常"), max_size=5), min_size=3, max_size=3),
)
def test_what_was_composed_is_found_again_letter_for_letter(literals, values):
    wording = "".join(
        literal + (f"{{v{number}}}" if number < len(literals) - 1 else "")
        for number, literal in enumerate(literals)
    )
    filling = {f"v{number}": value for number, value in enumerate(values)}
    text = clean(finish(compile_template(wording).render(filling), signature="常客", opt_out_text=""))

    found = filled_in(text, wording)

    if found is not None:
        again = finish(compile_template(wording).render(found.values), signature="常客", opt_out_text="")
        assert clean(again) == text
    else:  # only where leading or trailing spaces of values were lost in the finished text
        body = compile_template(wording).render(filling)
        assert body != body.strip() or "  " in body or not body.strip()


def test_a_long_text_that_does_not_fit_is_told_at_once():
    wording = "".join(f"a{{v{number}}}" for number in range(60)) + "b"
    began = time.process_time()

    assert filled_in("【常客】" + "a" * 5_000, wording) is None
    assert time.process_time() - began < 0.5
