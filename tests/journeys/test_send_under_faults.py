"""F1 at its small size: kills, torn links and lost answers during a send of 5,000; the carrier's journal judges."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm.local.faults.send import Plan, send_under_faults
from members.models import Store
from messaging.models import Handover


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed."""


def test_ten_kills_torn_links_and_lost_answers_lose_nothing_and_send_nothing_twice(
    db, riverside: Store, tmp_path: Path
):
    figures = send_under_faults(Plan(texts=5000, kills=10, resets=3, dropped=5), tmp_path)

    assert figures.lost_unseen == 0, figures
    assert figures.marketing_twice == 0, figures
    assert figures.notifications_twice == 0, figures
    assert figures.code_copies_max <= 2, figures
    assert 0 < figures.doubts <= figures.doubts_max, (
        "the faults were real, and doubt is bounded by the windows"
    )
    assert figures.flagged_seconds <= 45, figures
    assert figures.stray == 0, "whatever is queued stands in a chunk"
    assert not Handover.objects.filter(is_open=True).exists()
