"""Everything a reader sees is also said in Simplified Chinese, with the same values in it."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from django.conf import settings

from crm.local.messages import FIRST, catalogues, collected, read, singular, spoken

CHINESE = settings.BASE_DIR / "locale" / FIRST / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}|%[sd]")
# Django says these otherwise, and ours fits there too.
SAID_OUR_WAY = {"Filter", "Log out", "Messages", "Name", "Text", "entry"}
PAGES = sorted(
    path
    for path in (settings.BASE_DIR / "templates").rglob("*.html")
    if path.parent.name != "simulator" and path.name != "style_guide.html"
)
NOT_SAID = re.compile(
    r"{% comment.*?endcomment %}|{% blocktranslate.*?endblocktranslate %}|{% block \w*class %}.*?{% endblock %}"
    r"|{%.*?%}|{{.*?}}|{#.*?#}|<script.*?</script>",
    re.DOTALL,
)
SAME_IN_EVERY_LANGUAGE = {"Regulars", "Enter", "Esc"}


@pytest.fixture(scope="module")
def wanted() -> Catalog:
    return collected()


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    return read(CHINESE)


def texts(catalogue: Catalog) -> dict[tuple[str, str | None], Message]:
    return {(singular(message.id), message.context): message for message in catalogue if message.id}


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_every_text_is_in_the_catalogue(wanted, chinese):
    assert texts(wanted).keys() - texts(chinese).keys() == set(), "make messages, then translate them"


def test_no_text_is_in_the_catalogue_that_nobody_says(wanted, chinese):
    assert texts(chinese).keys() - texts(wanted).keys() == set(), "make messages"
    assert not chinese.obsolete


def test_every_text_has_its_plural_in_the_catalogue_too(wanted, chinese):
    kept = texts(chinese)

    differing = [key for key, message in texts(wanted).items() if key in kept and kept[key].id != message.id]

    assert differing == []


def test_every_text_is_translated_and_read_over(chinese):
    unfinished = [
        key for key, message in texts(chinese).items() if message.fuzzy or not all(forms(message.string))
    ]

    assert unfinished == []


def test_values_stand_in_both_languages(chinese):
    differing = {
        message.id: translation
        for message in texts(chinese).values()
        for translation in forms(message.string)
        if sorted(PLACEHOLDER.findall(forms(message.id)[-1])) != sorted(PLACEHOLDER.findall(translation))
    }

    assert differing == {}


def test_our_words_do_not_change_what_django_says(chinese):
    said = spoken()

    changed = {
        key[0]
        for key, message in texts(chinese).items()
        if key in said and said[key] != singular(message.string)
    }

    assert changed <= SAID_OUR_WAY, "give ours a context: theirs means something else"


@pytest.mark.parametrize("po", catalogues(), ids=lambda po: po.parts[-3])
def test_every_catalogue_compiles_for_a_language_we_offer(po: Path):
    compiled = io.BytesIO()

    write_mo(compiled, read(po))

    assert compiled.tell() > 0
    assert po.parts[-3].replace("_", "-").lower() in dict(settings.LANGUAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(settings.BASE_DIR).as_posix())
def test_a_page_says_nothing_past_the_catalogue(page: Path):
    written = NOT_SAID.sub("", page.read_text())
    spoken_attributes = re.findall(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', written)
    said = " ".join([re.sub(r"<[^>]*>", " ", written), *spoken_attributes])

    assert set(re.findall(r"[A-Za-z]{3,}", said)) <= SAME_IN_EVERY_LANGUAGE
