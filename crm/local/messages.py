"""The translation catalogues, without GNU gettext: compiled before a start when stale, collected by `make
messages`.
"""

import io
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from crm.local.places import PROJECT

PACKAGES = ("crm", "campaigns", "messaging", "members")
BORROWED = ("unfold", "rest_framework_api_key", "constance", "django_celery_beat", "import_export")
UNUSED = {
    "guardian",
    "inlines",
    "location_field",
    "simple_history",
    "migrations",
    "unfold_crispy",
}  # parts not installed
SPEAKING = ("django", *BORROWED)  # what they say themselves in our first language is left to them
FIRST = "zh_Hans"
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


class Found(NamedTuple):
    """One text to translate; `text` is a pair when it has a plural."""

    text: str | tuple[str, ...]
    context: str | None = None
    comments: tuple[str, ...] = ()


def catalogues() -> list[Path]:
    """Every catalogue of the project."""
    return sorted(PROJECT.glob("locale/*/LC_MESSAGES/*.po"))


def compile_stale() -> int:
    """Compile the catalogues whose compiled form is missing or older; says how many."""
    stale = [po for po in catalogues() if not _is_fresh(po)]
    for po in stale:
        with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
            write_mo(target, read_po(source, locale=po.parts[-3]))
    return len(stale)


def _is_fresh(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime


def texts_in(source: str, *, is_template: bool) -> Iterator[tuple[int, Found]]:
    """The texts to translate in a source, each with its line."""
    text = _as_calls(source) if is_template else source
    method = "javascript" if is_template else "python"
    for line, message, comments, context in extract(
        method, io.BytesIO(text.encode()), KEYWORDS, ["Translators:"]
    ):
        yield line, Found(message, context, tuple(comments))


def collected() -> Catalog:
    """Every text to translate in the Python sources and the templates, with the files it stands in. Of borrowed
    packages only what Django does not say itself.
    """
    catalogue = Catalog(project="Regulars", charset="utf-8", fuzzy=False)
    for path in _sources():
        for found in _texts_of(path):
            place = [(path.relative_to(PROJECT).as_posix(), 0)]
            catalogue.add(found.text, None, place, (), found.comments, context=found.context)
    for package in BORROWED:
        for path in _borrowed(_package(package)):
            place = [(path.relative_to(_package(package).parent).as_posix(), 0)]
            for found in _texts_of(path):
                if (singular(found.text), found.context) not in spoken():
                    catalogue.add(found.text, None, place, (), found.comments, context=found.context)
    return catalogue


def _texts_of(path: Path) -> Iterator[Found]:
    for _, found in texts_in(path.read_text(encoding="utf-8"), is_template=path.suffix != ".py"):
        yield found


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            if PROJECT / "crm" / "local" not in path.parents:
                yield path
    for path in sorted((PROJECT / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt"} and path.parent.name != "simulator":
            yield path


def _borrowed(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*.*")):
        if path.suffix in {".html", ".py"} and not UNUSED & set(path.relative_to(root).parts):
            yield path


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec and spec.origin, f"{name} is not installed"
    return Path(spec.origin).parent


@cache
def spoken() -> dict[tuple[str, str | None], str]:
    """What the packages that know our first language say in it, by text and context."""
    said: dict[tuple[str, str | None], str] = {}
    for package in SPEAKING:
        for mo in _package(package).rglob(f"locale/{FIRST}/LC_MESSAGES/django.mo"):
            with mo.open("rb") as source:
                for message in read_mo(source):
                    if message.string != message.id:
                        said[singular(message.id), message.context] = singular(message.string or "")
    return said


def singular(text: str | tuple[str, ...] | list[str]) -> str:
    """The text, or its first form if it has a plural."""
    return text if isinstance(text, str) else text[0]


def _as_calls(template: str) -> str:
    """A template as gettext calls, all else blanked. Django writes `u'…'`; the extractor wants `'…'`."""
    return re.sub(r"(?<=[(\s])u(?=['\"])", "", templatize(template))


def collect() -> None:
    """Merge the collected texts into each catalogue: kept translations stay, gone ones are dropped."""
    template = collected()
    for po in catalogues() or [PROJECT / "locale" / FIRST / "LC_MESSAGES" / "django.po"]:
        catalogue = read(po)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        with po.open("wb") as target:
            write_po(
                target, catalogue, width=110, sort_output=True, ignore_obsolete=True, include_lineno=False
            )
        missing = [message for message in catalogue if message.id and not message.string]
        print(f"{po.relative_to(PROJECT)}: {len(catalogue)} texts, {len(missing)} without translation")


def read(po: Path) -> Catalog:
    """A catalogue as it stands; an empty one if there is none yet."""
    if not po.exists():
        po.parent.mkdir(parents=True, exist_ok=True)
        return Catalog(locale=po.parts[-3], project="Regulars", charset="utf-8", fuzzy=False)
    with po.open("rb") as source:
        return read_po(source, locale=po.parts[-3])


def main() -> None:
    """`--collect` also gathers the texts; compiling happens in any case."""
    if "--collect" in sys.argv[1:]:
        settings.configure()
        collect()
    print(f"{compile_stale()} catalogues compiled")


if __name__ == "__main__":
    main()
