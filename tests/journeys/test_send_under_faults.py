"""F1 in small: kills, torn links and lost answers during a send; the carrier's journal judges.

`make torture` runs it at its full size (5,000 texts with ten kills take two minutes, 100,000 with 200 up to an hour).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from crm.local.faults.send import Plan, send_under_faults
from members.models import Store
from messaging.models import Handover


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed."""


def test_kills_torn_links_and_lost_answers_lose_nothing_and_send_nothing_twice(
    db, riverside: Store, tmp_path: Path
):
    figures = send_under_faults(Plan(texts=1000, kills=3, resets=2, dropped=3, queued_times=2), tmp_path)

    assert figures.broken == [], figures
    assert figures.doubts > 0, "the faults were real"
    assert not Handover.objects.filter(is_open=True).exists()
