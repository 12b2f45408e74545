"""Files at their edges: rows beyond the most, cells that are not there, words said while a file was read."""

import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from django.db import transaction

from members.domain import imports
from members.domain.imports import cells
from members.models import ConsentEntry, Member, MemberStatus
from tests.conftest import NOON
from tests.members.test_imports import OWNER, buckets, import_members, import_purchases, table

pytestmark = pytest.mark.django_db


def book(*rows: list[object]) -> bytes:
    made, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"phone\n\n\n1\n2\n3\n4\n",
        b"\n\n\n\n\n\nphone\n1\n",
        book(["phone"], [], [], ["1"], ["2"], ["3"], ["4"]),
    ],
    ids=["lines", "lines before", "book"],  # a book holds the second it was made
)
def test_rows_beyond_the_most_are_never_left_out_in_silence(content):
    limits = imports.Limits(bytes_max=100_000, rows_max=3)

    with pytest.raises(imports.FileUnreadable, match="more rows"):
        imports.read_bytes(content, limits)


@pytest.mark.parametrize(
    "content",
    [b"phone\n1\n" + b"\n" * 50, book(["phone"], ["1"], *([[]] * 5), [""])],
    ids=["lines", "book"],
)
def test_empty_rows_at_the_end_are_nothing(content):
    assert len(imports.read_bytes(content, imports.Limits(bytes_max=100_000, rows_max=3))) == 1


def test_a_spreadsheets_row_may_end_in_empty_cells(riverside):
    content = book(["phone", "name", "tags"], ["13800138000", "Li Lei", None], ["13800138001", None, None])

    assert import_members(riverside, content).buckets == buckets(new=2)


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("2026-01-01 10:00+25:00", "time is not understood"),
        ("9999-12-31 23:00-05:00", "in the future"),
        ("0001-01-01 00:00+10:00", "too long ago"),
    ],
)
def test_a_moment_no_calendar_has_is_one_bad_row(riverside, cell, complaint):
    import_members(riverside, "member_no,phone\nA,13800138000\n")

    result = import_purchases(riverside, f"member_no,date,amount\nA,{cell},5\nA,2026-01-02,5\n")

    assert result.buckets == buckets(new=1, error=1)
    assert complaint in result.preview.faults[2]


def test_the_last_instant_of_a_day_in_excel_is_the_next_midnight(riverside):
    said = cells.moment_reader(riverside.zone, NOON)("46024.9999999")

    assert datetime.fromisoformat(said) == datetime(2026, 1, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize("cell", ["1990-05-03 or so", "1990050312345"])
def test_a_birthday_with_something_behind_it_is_refused(cell):
    with pytest.raises(cells.BadCell):
        cells.birthday_reader(NOON.date())(cell)


def test_a_birthday_with_a_midnight_is_that_day():
    assert cells.birthday_reader(NOON.date())("1990-05-03 00:00:00") == date(1990, 5, 3).isoformat()


def test_a_no_said_at_the_till_while_the_file_was_read_stands(riverside, enrol):
    with transaction.atomic():
        text = "phone,marketing\n13800138000,yes\n"
        preview = imports.triage_members(table(text), store=riverside, at=NOON, wording_version="2026-11")
        li_lei = enrol("13800138000", marketing=False)
        imports.apply(preview, actor=OWNER, at=NOON)

    li_lei.refresh_from_db()
    assert not li_lei.has_marketing_consent
    assert not ConsentEntry.objects.filter(member=li_lei, is_given=True, purpose="marketing").exists()


def test_both_numbers_of_a_merged_person_are_one_person(riverside, enrol):
    merged, kept = enrol("13800138001"), enrol("13800138002")
    Member.objects.filter(pk=merged.pk).update(status=MemberStatus.MERGED, merged_into=kept)
    text = "phone,marketing\n13800138002,no\n13800138001,yes\n"

    result = import_members(riverside, text, wording_version="2026-11")

    assert result.buckets == buckets(updated=1, error=1)
    assert "in the file already" in result.preview.faults[3]
    words = ConsentEntry.objects.filter(member=kept, purpose="marketing").order_by("id")
    assert list(words.values_list("is_given", flat=True)) == [True, False]
