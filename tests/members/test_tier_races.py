"""A tier set by hand has run out, and two deeds of the member come at once: neither waits for the other in a ring."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest

from members.domain import cards, spending
from members.domain.ledger import TenderPaid
from members.domain.verify import verify
from members.enums import TenderType
from members.models import Account, MissedSignal, Tier, TierOverride, TierScheme, TierStanding
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.test_races import kinds


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, so that every thread sees the people of conftest.py."""


@pytest.fixture
def gold_until_yesterday(li_lei) -> None:
    scheme = TierScheme.objects.create(name="House", measure="spend", window_months=12, is_active=True)
    gold = Tier.objects.create(scheme=scheme, name="Gold", threshold=300_000, discount_percent=5)
    ended = (NOON - timedelta(days=1)).date()
    TierOverride.objects.create(
        member=li_lei, tier=gold, until_on=ended, reason="Sorry", at=NOON - timedelta(days=9)
    )
    TierStanding.objects.create(member=li_lei, tier=gold, since=NOON - timedelta(days=9), until_on=ended)


def test_a_bill_that_judges_first_and_a_recharge_that_judges_last_both_get_through(
    loaded_card, gold_until_yesterday, at_till, riverside, monkeypatch
):
    """The bill has judged the tier, the recharge has its accounts; each needs now what the other has."""
    meet, common = Barrier(2), {"actor": at_till, "at": NOON, "store": riverside, "card": loaded_card}

    def after_meeting(act):
        def _act(*args, **named):
            with suppress(BrokenBarrierError):  # one of them waits for the other's locks: so it should be
                meet.wait(2)
            return act(*args, **named)

        return _act

    monkeypatch.setattr(spending, "begin", after_meeting(spending.begin))
    monkeypatch.setattr(cards, "conclude", after_meeting(cards.conclude))
    tender = TenderPaid(TenderType.CASH, 10_000)

    results = at_once(
        [
            lambda: spending.spend(key="s", amount_minor=20_000, **common),
            lambda: cards.recharge_card(key="r", tender=tender, **common),
        ]
    )

    assert kinds(results) == {"Outcome": 2}
    assert not MissedSignal.objects.exists()
    assert Account.objects.get(card=loaded_card, kind="principal").balance == 40_000
    assert not TierStanding.objects.exists()
    assert not verify().faults
