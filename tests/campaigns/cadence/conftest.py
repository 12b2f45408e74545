"""The CDNOW purchases, when they lie beside the project."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from campaigns.cadence.statistics import Visits

CDNOW = Path(__file__).resolve().parents[4] / "shared" / "data" / "cdnow" / "purchases.csv"


@pytest.fixture(scope="session")
def cdnow() -> Visits:
    if not CDNOW.exists():
        pytest.skip("NOT TESTED: the CDNOW purchases (../shared/data/cdnow/purchases.csv) are not here")
    with CDNOW.open(newline="", encoding="utf-8") as file:
        rows = [
            (row["member_no"], date.fromisoformat(row["date"]).toordinal()) for row in csv.DictReader(file)
        ]
    return Visits.from_purchases([member for member, _ in rows], [day for _, day in rows])
