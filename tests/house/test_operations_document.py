"""docs/operations.md lists the alerts and the promises that the code has."""

import re

import pytest
from django.conf import settings

from messaging.domain.alerts import TO_DO
from messaging.domain.verify_messages import PROMISES
from messaging.models import AlertKind

TEXT = (settings.BASE_DIR / "docs/operations.md").read_text()


@pytest.mark.parametrize("kind", AlertKind.values)
def test_each_alert_is_documented_and_says_what_to_do(kind):
    assert f"`{kind}`" in TEXT
    assert kind in TO_DO


def test_the_promises_checked_are_those_documented():
    proof = TEXT[TEXT.index("## Proof") :]

    assert set(re.findall(r"\bM\d+\b", proof)) == set(PROMISES)
