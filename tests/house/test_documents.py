"""Documents that list things list what the code has."""

import re

import pytest
from django.conf import settings

from crm.schedule import SCHEDULE
from members import signals
from members.enums import POSTING_MATRIX
from members.event_types import EVENT_TYPES, EVERYWHERE
from messaging.domain import verification_limits as limits
from messaging.inbound_grammar import PRECEDENCE

DOCS = settings.BASE_DIR / "docs"


def rows(document: str) -> dict[str, list[str]]:
    """Table rows of a document by their first cell, without back-ticks."""
    lines = (DOCS / document).read_text().splitlines()
    cells = [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("| ")
    ]
    return {row[0].strip("`"): row for row in cells}


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_each_event_is_documented_with_its_placeholders(name):
    own = {placeholder for placeholder in EVENT_TYPES[name].placeholders if placeholder not in EVERYWHERE}

    assert set(re.findall(r"`(\w+)`", rows("events.md")[name][1])) == own


def test_no_event_is_documented_that_does_not_exist():
    listed = {name for name in rows("events.md") if re.fullmatch(r"[a-z]+_[a-z_]+", name)}

    assert listed <= set(EVENT_TYPES)


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_each_event_has_its_signal_and_a_receiver(name):
    signal = getattr(signals, name)

    assert EVENT_TYPES[name].signal is signal
    assert signal.has_listeners()


@pytest.mark.parametrize("name", sorted(SCHEDULE))
def test_each_tick_is_documented(name):
    row = rows("schedule.md")[name]

    assert row[1].strip("`") == SCHEDULE[name]["task"]
    assert row[2] == f"{int(SCHEDULE[name]['schedule'])} s"


def test_each_environment_setting_is_documented():
    sources = [*settings.BASE_DIR.glob("crm/*.py"), *settings.BASE_DIR.glob("crm/local/**/*.py")]
    read = set()
    for source in sources:
        text = source.read_text()
        read |= set(re.findall(r'env\.(?:text|flag|number|words)\(\s*"([A-Z_]+)"', text))
        read |= set(re.findall(r'(?<![.\w])(?:text|flag|number|words)\(\s*"([A-Z_]+)"', text))
        read |= set(re.findall(r'"REGULARS_([A-Z_]+)"', text))

    assert {f"REGULARS_{name}" for name in read} <= set(rows("settings.md"))


@pytest.mark.parametrize("name", sorted(settings.CONSTANCE_CONFIG))
def test_each_run_time_setting_is_documented(name):
    assert name in rows("settings.md")


def test_the_order_of_inbound_texts_is_documented():
    order = [row[1].strip("`") for first, row in rows("inbound.md").items() if first.isdigit()]

    assert tuple(order) == PRECEDENCE


@pytest.mark.parametrize(
    "limit", ["1 a minute, 5 an hour, 10 a day", "5 numbers an hour", "30 codes in 10 minutes"]
)
def test_the_limits_of_codes_are_documented(limit):
    per_number = ", ".join(f"{most} {_span(window)}" for most, window in limits.CODES_PER_NUMBER)
    said = {
        per_number,
        f"{limits.NUMBERS_PER_ADDRESS[0]} numbers {_span(limits.NUMBERS_PER_ADDRESS[1])}",
        f"{limits.CODES_PER_PREFIX[0]} codes in {limits.CODES_PER_PREFIX[1].seconds // 60} minutes",
    }

    assert limit in said
    assert limit in (DOCS / "verification.md").read_text()


def _span(window):
    return {60: "a minute", 3600: "an hour", 86400: "a day"}[int(window.total_seconds())]


SIGNS = {"+": (1,), "−": (-1,), "±": (1, -1)}


def test_each_posting_is_documented_and_no_other():
    deeds = {deed for deed, _account, _sign in POSTING_MATRIX}
    written = {
        (deed, account, sign)
        for deed in deeds
        for account, mark in re.findall(r"`(\w+)` ([+−±])", rows("ledger.md")[deed][1])
        for sign in SIGNS[mark]
    }

    assert written == set(POSTING_MATRIX)


@pytest.mark.parametrize("number", range(1, 21))
def test_each_promise_of_the_ledger_names_tests_that_exist(number):
    row = rows("ledger.md")
    promise = next(cells for first, cells in row.items() if first.startswith(f"**L{number}** "))
    named = re.findall(r"test_\w+\.py", promise[2])

    assert named and all((settings.BASE_DIR / "tests/members" / name).exists() for name in named)


def test_nothing_names_a_machine_or_a_registry():
    words = ["/wo" + "rk/", "py" + "pi.org", "npm" + "js.org"]
    wrong = [
        path.name
        for folder in ("crm", "campaigns", "messaging", "members", "docs", "tests", "templates")
        for path in (settings.BASE_DIR / folder).rglob("*")
        if path.suffix in {".py", ".md", ".html", ".sql"} and any(word in path.read_text() for word in words)
    ]

    assert wrong == []
