"""The translation catalogues are kept without GNU gettext."""

import pytest

from crm.local.messages import Found, texts_in


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("<p>{% translate 'Hello' %}</p>", [Found("Hello")]),
        ('{% trans "It\'s" %}', [Found("It's")]),
        ("{% translate 'May' context 'month' %}", [Found("May", "month")]),
        ("{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}", [Found("Hello %(name)s")]),
        ("{% blocktranslate trimmed %}\n One\n  line\n{% endblocktranslate %}", [Found("One line")]),
        (
            "{% blocktranslate count n=c %}{{ n }} text{% plural %}{{ n }} texts{% endblocktranslate %}",
            [Found(("%(n)s text", "%(n)s texts"))],
        ),
        ("{{ _('Direct') }} it's {% if x %}plain{% endif %}", [Found("Direct")]),
        ("{% translate 'First' %}\nit's\n{% translate 'Second' %}", [Found("First"), Found("Second")]),
    ],
)
def test_texts_are_found_in_templates(template: str, texts: list[Found]) -> None:
    assert [text for _, text in texts_in(template, is_template=True)] == texts


def test_texts_are_found_in_sources() -> None:
    source = "# Translators: a button\na = _('Save')\nb = ngettext('%d day', '%d days', 2)"

    assert list(texts_in(source, is_template=False)) == [
        (2, Found("Save", None, ("Translators: a button",))),
        (3, Found(("%d day", "%d days"))),
    ]
