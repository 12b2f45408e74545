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
    figures = send_under_faults(Plan(texts=1000, kills=3, resets=2, dropped=3), tmp_path)

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
