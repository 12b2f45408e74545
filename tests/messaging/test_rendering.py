"""Filling message texts from data nobody trusts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.rendering import (
    PlaceholderSpec,
    RenderError,
    TemplateError,
    clean_value,
    compile_template,
    finish,
)

SPECS = {
    "name": PlaceholderSpec("name", "text", "王小明"),
    "balance": PlaceholderSpec("balance", "money", "¥380.00", cap=12),
}


def test_wang_xiaoming_gets_his_balance() -> None:
    template = compile_template("尊敬的{name|会员}，余额{balance}。")

    assert template.placeholders == ("name", "balance")
    assert template.render({"name": "王小明", "balance": "¥380.00"}) == "尊敬的王小明，余额¥380.00。"


def test_a_missing_name_takes_the_fallback_and_a_missing_balance_is_refused() -> None:
    template = compile_template("{name|Member}, your balance is {balance}.")

    assert template.render({"balance": "$3.80"}) == "Member, your balance is $3.80."
    assert template.render({"name": None, "balance": "$3.80"}) == "Member, your balance is $3.80."
    assert template.render({"name": "  ", "balance": "$3.80"}) == "Member, your balance is $3.80."
    with pytest.raises(RenderError) as refused:
        template.render({"name": "Anna"})
    assert (refused.value.reason, refused.value.name) == ("missing", "balance")


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ("", "empty", 0),
        ("  \n", "empty", 0),
        ("Hi {name", "unclosed", 3),
        ("Hi name}", "unopened", 7),
        ("{a}}", "unopened", 3),
        ("a}{b", "unopened", 1),
        ("{{name}}", "nested", 1),
        ("Hi {a{b}}", "nested", 5),
        ("{}", "bad_name", 0),
        ("{ name }", "bad_name", 0),
        ("{Name}", "bad_name", 0),
        ("{0}", "bad_name", 0),
        ("{name.upper}", "bad_name", 0),
        ("{name!r}", "bad_name", 0),
        ("{name:>9}", "bad_name", 0),
        ("{name[0]}", "bad_name", 0),
        ("{0.__class__}", "bad_name", 0),
        ("{姓名}", "bad_name", 0),
        ("{" + "a" * 41 + "}", "bad_name", 0),
        ("{name|a|b}", "bad_fallback", 0),
        ("{name|" + "x" * 36 + "}", "bad_fallback", 0),
        ("{name|a\nb}", "bad_fallback", 0),
        ("【小满】您好", "signature_bracket", 0),
        ("Hi\u200b", "invisible", 2),
        ("Hi\u202ename", "invisible", 2),
        ("Hi\x00", "invisible", 2),
        ("Hi\ud83d", "invisible", 2),
        ("x" * 2001, "too_long", 2000),
    ],
)
def test_a_broken_template_says_where_and_why(text: str, reason: str, position: int) -> None:
    with pytest.raises(TemplateError) as refused:
        compile_template(text)

    assert (refused.value.reason, refused.value.position) == (reason, position)
    assert str(refused.value.message)


def test_unknown_placeholders_are_named() -> None:
    with pytest.raises(TemplateError) as refused:
        compile_template("{name} {salary} {pin|x}").check(SPECS)

    assert refused.value.names == ("salary", "pin")
    assert "{salary}, {pin}" in refused.value.message
    assert refused.value.position == 7


def test_known_placeholders_pass() -> None:
    compile_template("{name} {balance} {name}").check(SPECS)


# Hostile names: what the member called himself, and what the text then says.
LITERAL = [
    "O'Brien", "Anne-Marie", "李雷 & 韩梅梅", "50% off", "$HOME", "%s %n %x", "<script>alert(1)</script>",
    "'; DROP TABLE members;--", "../../etc/passwd", "`id`", "$(id)", "<%= 7*7 %>", "a|b", "name|fallback",
    "\\n", "\\u0041", "&lt;b&gt;", "null", "None", "undefined", "NaN", "true", "0", "-1", "=1+1", "@SUM(A1)", "+1", "\"x\"",
    "José", "Zoë", "Nguyễn", "Þór", "Ömer", "محمد", "שלום", "สมชาย", "김철수", "さくら", "😀", "A.B.", "Dr. No", "No. 5", "12:30",
    "3.14", "王(小)明", "K 9", "§§", "~", "^", "[x]", "STOP", "退订",
]  # fmt: skip
CHANGED = {
    "{balance}": "(balance)",
    "{{7*7}}": "((7*7))",
    "{0.__class__}": "(0.__class__)",
    "${jndi:ldap}": "$(jndi:ldap)",
    "#{7*7}": "#(7*7)",
    "{% debug %}": "(% debug %)",
    "{name|{name}}": "(name|(name))",
    "【工商银行】": "[工商银行]",
    "】【": "][",
    "a\u202eb": "ab",
    "a\u200b\u200db": "ab",
    "a\ufeffb": "ab",
    "a\x00b\x1bc": "abc",
    "a\r\nb": "a b",
    "a\u2028b": "a b",
    "a\tb": "a b",
    "a\u00a0b": "a b",
    "  a   b  ": "a b",
    "e\u0301": "é",
    "x\ud83dy": "xy",
    "evil.com": "evil com",
    "J.de Vries": "J de Vries",
    "ｅｖｉｌ．ｃｏｍ": "evil com",
    "点evil。com领": "点evil com领",
    "go evil.com/win now": "go now",
    "http://evil.example/x Li": "Li",
    "hxhttp://a.b/ Li": "Li",
    "HTTPS://EVIL.EXAMPLE Li": "Li",
    "www.evil.example Li": "Li",
    "Li bit.ly/abc": "Li",
    "Li 1.2.3.4/x": "Li",
    "javascript:alert(1) Li": "Li",
    "Li tel:13800138000": "Li",
    "evil.c\u200bom": "evil com",
    "ev\u200bil.com/a": "",
    "a" * 100: "a" * 35,
    "王" * 36: "王" * 35,
    "http://a.b": "",
    "\u200b": "",
}


@pytest.mark.parametrize("name", LITERAL)
def test_a_strange_name_stands_as_it_is(name: str) -> None:
    assert compile_template("Dear {name}!").render({"name": name}) == f"Dear {name}!"


@pytest.mark.parametrize(("name", "shown"), CHANGED.items())
def test_a_hostile_name_is_made_harmless(name: str, shown: str) -> None:
    assert compile_template("Dear {name}!").render({"name": name}) == f"Dear {shown}!"


def test_more_than_sixty_hostile_names_are_tried() -> None:
    assert len(LITERAL) + len(CHANGED) >= 60


def test_a_member_called_balance_does_not_learn_a_balance() -> None:
    text = compile_template("{name}: {balance}").render({"name": "{balance}", "balance": "¥1.00"})
    assert text == "(balance): ¥1.00"


def test_a_name_is_cut_between_letters_and_never_before_an_accent() -> None:
    name = "x" * 34 + "ก\u0e34" + "y"
    assert compile_template("{name}").render({"name": name}) == "x" * 34


def test_an_amount_is_never_cut() -> None:
    template = compile_template("{balance}")

    assert template.render({"balance": "¥1,234.50"}, SPECS) == "¥1,234.50"
    with pytest.raises(RenderError, match="too_long"):
        template.render({"balance": "¥1,234,567,890.50"}, SPECS)
    with pytest.raises(RenderError, match="not_text"):
        template.render({"balance": 12})  # type: ignore[dict-item]


@given(st.text(max_size=80), st.text(max_size=80))
def test_each_value_appears_at_most_as_often_as_its_placeholder(name: str, store: str) -> None:
    text = compile_template("\u4e00{name}\u4e8c{store}\u4e09{name}\u56db").render(
        {"name": name, "store": store}
    )

    shown_name, shown_store = clean_value(name)[:35].rstrip(), clean_value(store)[:35].rstrip()
    if len(clean_value(name)) <= 35 and len(clean_value(store)) <= 35:
        assert text == f"\u4e00{shown_name}\u4e8c{shown_store}\u4e09{shown_name}\u56db"
    assert not set("【】{}") & set(text)


@given(st.text())
def test_cleaning_twice_changes_nothing(value: str) -> None:
    once = clean_value(value)
    assert clean_value(once) == once


@given(st.text(alphabet="{}|ab【 ", max_size=30))
def test_any_template_text_compiles_or_is_refused_plainly(text: str) -> None:
    try:
        template = compile_template(text)
    except TemplateError as refused:
        assert str(refused.message)
        assert 0 <= refused.position <= len(text)
    else:
        assert "{" not in template.render(dict.fromkeys(template.placeholders, "x"))


def test_a_hundred_thousand_texts_are_ready_within_seconds() -> None:
    template = compile_template("尊敬的{name|会员}，您于{store}消费{amount}，余额{balance}。")
    values = {"name": "王小明", "store": "Downtown Store", "amount": "¥1,234.50", "balance": "¥88.00"}

    started = time.process_time()
    for _ in range(100_000):
        template.render(values)

    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "signature", "opt_out", "finished"),
    [
        ("您好", "小满", "", "【小满】您好"),
        ("您好", "【小满】", "", "【小满】您好"),
        ("【小满】您好", "小满", "", "【小满】您好"),
        ("您好", "", "", "您好"),
        ("新品上市。", "小满", "拒收请回复R", "【小满】新品上市。拒收请回复R"),
        ("新品上市", "小满", "拒收请回复R", "【小满】新品上市 拒收请回复R"),
        ("新品上市，拒收请回复R", "小满", "拒收请回复R", "【小满】新品上市，拒收请回复R"),
        ("Sale.", "Lily", "Reply STOP to opt out", "【Lily】Sale. Reply STOP to opt out"),
        (
            "Sale. Reply stop to opt out.",
            "Lily",
            "Reply STOP to opt out",
            "【Lily】Sale. Reply stop to opt out.",
        ),
    ],
)
def test_signature_and_opt_out_stand_once(text: str, signature: str, opt_out: str, finished: str) -> None:
    assert finish(text, signature=signature, opt_out_text=opt_out) == finished
    assert finish(finished, signature=signature, opt_out_text=opt_out) == finished
