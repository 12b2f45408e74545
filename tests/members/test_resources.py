"""The back office's import pages judge rows as the command does."""

import pytest
from tablib import Dataset

from members.domain.ledger import Actor
from members.models import Member, Purchase
from members.resources import MemberResource, PurchaseResource
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(riverside, mei):
    return {"store": riverside, "actor": Actor(f"staff:{mei.pk}", mei.pk), "at": NOON}


def test_a_preview_shows_the_bad_rows_first_and_stores_nothing(here):
    file = Dataset(["A", "13800138000"], ["B", "12"], ["A", "13800138000"], headers=["member_no", "phone"])

    result = MemberResource(**here).import_data(file, dry_run=True)

    assert result.buckets == {"new": 1, "updated": 0, "unchanged": 0, "duplicate": 1, "error": 1}
    assert [row.diff[:2] for row in result.rows] == [
        [3, "Not imported: This number has too few digits."],
        [4, "Duplicate of row 2"],
        [2, "New"],
    ]
    assert [row.number for row in result.invalid_rows] == [3]
    assert not result.has_errors() and not result.has_validation_errors(), "the good rows may go in"
    assert Member.objects.count() == 0


def test_confirmed_the_good_rows_go_in(here, enrol):
    enrol("13800138000", member_no="A")
    file = Dataset(["A", "2026-01-02", 12.5], ["Z", "2026-01-02", 5], headers=["member_no", "date", "amount"])

    result = PurchaseResource(**here).import_data(file, dry_run=False)

    assert Purchase.objects.get().amount_minor == 1250
    assert (result.totals["new"], result.totals["invalid"], result.total_rows) == (1, 1, 2)


def test_a_file_without_the_column_is_refused_in_words(here):
    result = MemberResource(**here).import_data(Dataset(["Li"], headers=["name"]), dry_run=True)

    assert result.has_errors()
    assert "A column is missing" in str(result.base_errors[0].error)


def test_more_rows_than_the_web_takes(here):
    file = Dataset(*([["1"]] * 100_001), headers=["phone"])

    result = MemberResource(**here).import_data(file, dry_run=True)

    assert "more rows than allowed" in str(result.base_errors[0].error)


def test_members_are_exported_by_the_names_they_are_imported_by(here, enrol):
    enrol("13800138000", member_no="A", name="Li Lei")

    assert MemberResource(**here).export().dict[0]["phone"] == "+8613800138000"
