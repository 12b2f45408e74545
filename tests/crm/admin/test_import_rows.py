"""Before an import goes in, every row says what it would do: somebody new, or what changes from what to what."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Member
from tests.crm.admin.test_imports import confirm, data_folder, upload  # noqa: F401  its files' own folder
from tests.crm.admin.test_scope import told

pytestmark = pytest.mark.django_db

HEADER = "phone,name,language,birthday,gender,tags,marketing_consent"


def rows_of(preview) -> list[list[str]]:
    """The cells of the preview's rows as they read, in their order."""
    table = told(preview).split("<tbody>")[1]
    rows = re.findall(r"<tr class=.*?</tr>", table, re.S)
    return [[_read(cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.S)] for row in rows]


def _read(cell: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", cell.replace("<br>", "; "))).strip()


def test_each_row_says_what_it_would_do(manager, riverside, enrol):
    enrol("13800138000", name="Li Lei", language="en", tags=["regular"])
    enrol("13800138001", name="Han Meimei")
    lines = [
        "13800138000,Li Li,zh-hans,1990-05-06,m,regular;vip,no",
        "13800138001,Han Meimei,,,,,",
        "13800138002,Lucy,,,,,yes",
        "12,Nobody,,,,,",
        "13800138002,Lucy,,,,,yes",
    ]

    preview = upload(manager, "member", "\n".join([HEADER, *lines]), riverside, wording_version="2026-11")

    assert [row[:2] for row in rows_of(preview)] == [
        ["5", "Not imported: This number has too few digits."],
        ["6", "Duplicate of row 4"],
        [
            "2",
            "Updated; name: Li Lei → Li Li; language: English → 简体中文; birthday: — → May 6, 1990; "
            "gender: — → Male; tags: regular → regular, vip; marketing texts: yes → no",
        ],
        ["4", "New"],
        ["3", "Already there"],
    ]


def test_what_was_shown_is_what_is_done(manager, riverside, enrol):
    li_lei = enrol("13800138000", name="Li Lei", tags=["regular"])

    preview = upload(manager, "member", "phone,name,tags\n13800138000,,vip", riverside)
    confirm(manager, "member", preview)

    assert rows_of(preview)[0][1] == "Updated; tags: regular → regular, vip"
    li_lei.refresh_from_db()
    assert (li_lei.name, li_lei.tags) == ("Li Lei", ["regular", "vip"]), "an empty cell erases nothing"


def test_a_value_cannot_break_out_of_the_page(manager, riverside, enrol):
    enrol("13800138000", name="<b>Li</b>")

    preview = upload(manager, "member", "phone,name\n13800138000,<script>alert(1)</script>", riverside)

    assert "<script>alert(1)" not in told(preview) and "<b>Li</b>" not in told(preview)
    assert "&lt;b&gt;Li&lt;/b&gt; → &lt;script&gt;" in told(preview)


def test_another_stores_member_is_not_shown(manager, riverside, hilltop, enrol):
    enrol("13900139000", name="Hana of the hill", store=hilltop)

    preview = upload(manager, "member", "phone,name\n13900139000,Somebody", riverside)

    assert rows_of(preview)[0][1] == "Not imported: This person is a member of another store."
    assert "Hana" not in told(preview)


def test_at_most_fifty_rows_of_a_kind_are_shown(manager, riverside, enrol):
    for number in range(52):
        enrol(f"138001380{number:02d}", name="Old")
    old = [f"138001380{number:02d},New name" for number in range(52)]
    new = [f"139001390{number:02d},Somebody" for number in range(53)]

    preview = upload(manager, "member", "\n".join(["phone,name", *new, *old]), riverside)

    shown = rows_of(preview)
    assert [row[1] for row in shown] == ["Updated; name: Old → New name"] * 50 + ["New"] * 50
    assert [row[0] for row in shown[50:]] == [str(number) for number in range(2, 52)], "the first of the file"
    assert "100 of 105 rows" in told(preview)


def test_more_rows_ask_no_more_questions(manager, riverside, enrol):
    asked = []
    upload(manager, "member", "phone,name\n13900139999,Warm up", riverside)
    for count in (1, 3):
        for number in range(count):
            Member.objects.filter(phone=f"+8613{count}0013800{number}").exists() or enrol(
                f"13{count}0013800{number}"
            )
        lines = [f"13{count}0013800{number},Li" for number in range(count)]
        lines += [f"15{count}0013800{number},Li" for number in range(count)]
        with CaptureQueriesContext(connection) as queries:
            upload(manager, "member", "\n".join(["phone,name", *lines]), riverside)
        asked.append(len(queries))

    assert asked[0] == asked[1]


def test_purchases_of_the_past_are_new_or_already_there(manager, riverside, enrol):
    enrol("13800138000", member_no="A")
    file = "member_no,date,items,amount\nA,2026-01-02,1,12.50"
    first = upload(manager, "purchase", file, riverside)
    confirm(manager, "purchase", first)

    again = upload(manager, "purchase", file + "\nA,2026-01-03,1,8", riverside)

    assert [row[1] for row in rows_of(first)] == ["New"]
    assert [row[1] for row in rows_of(again)] == ["New", "Already there"]
