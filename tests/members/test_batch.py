"""Many deeds at once: the same books as one by one, each of them once, and never a ring of waiting."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from members.domain import batches
from members.domain.batches import BatchDeed
from members.domain.cards import open_card, recharge_card
from members.domain.expiry import expire_lots
from members.domain.ledger import Actor, Leg, NewLot, PeriodClosed, TenderPaid
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, OperationKind, TenderType
from members.models import Account, Card, DayClose, Entry, Lot, LotUse, Operation, RechargePlan
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.test_races import kinds

LATER = NOON + timedelta(days=2)
CLOCK = Actor(scope="clock")
NAMES = ("Li Lei", "Han Meimei", "Lin Tao", "Wei Hua")


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, so that the triggers judge at every commit and threads see the people of conftest.py."""


@pytest.fixture
def cards(enrol, product, at_till, riverside) -> dict[str, Card]:
    """Four members; each paid 100.00 and was given 20.00 of bonus that ends tomorrow."""
    plan = RechargePlan.objects.create(name="100+20", pay_minor=10000, bonus_minor=2000, bonus_valid_days=1)
    here = {"actor": at_till, "at": NOON, "store": riverside}
    held = {}
    for number, name in enumerate(NAMES):
        member = enrol(f"1380013800{number}", name=name)
        card, _ = open_card(key=f"open-{name}", member=member, product=product, **here)
        recharge_card(
            key=f"pay-{name}", card=card, plan=plan, tender=TenderPaid(TenderType.CASH, 10000), **here
        )
        held[name] = card
    return held


def account(card: Card, kind: str = AccountKind.BONUS) -> Account:
    return Account.objects.get(card=card, kind=kind)


def expired() -> Counter[tuple[str, int]]:
    lines = Entry.objects.filter(operation_kind=OperationKind.EXPIRE)
    return Counter(lines.values_list("account_kind", "amount"))


def test_four_bonuses_end_in_one_batch_and_each_keeps_its_own_books(cards, at_till, riverside):
    """Li Lei spent 60.00 (50.00 paid, 10.00 bonus): his 10.00 end, the others' 20.00 each; 70.00 is breakage."""
    spend(actor=at_till, key="s", at=NOON, store=riverside, card=cards["Li Lei"], amount_minor=6000)

    counts = expire_lots(at=LATER)

    assert counts == {"deeds": 4, "lots": 4, "money_minor": 7000, "points": 0, "services": 0}
    assert expired() == {
        ("bonus", -2000): 3,
        ("bonus", -1000): 1,
        ("breakage", 2000): 3,
        ("breakage", 1000): 1,
    }
    lines = account(cards["Li Lei"]).entries.order_by("seq").values_list("seq", "amount", "balance_after")
    assert list(lines) == [(1, 2000, 2000), (2, -1000, 1000), (3, -1000, 0)]
    uses = LotUse.objects.filter(entry__operation_kind=OperationKind.EXPIRE).order_by("amount")
    assert list(uses.values_list("amount", flat=True)) == [-2000, -2000, -2000, -1000]
    assert account(cards["Li Lei"], AccountKind.PRINCIPAL).balance == 5000
    assert verify().is_sound


def test_a_batch_takes_as_many_statements_for_four_as_for_one(cards, django_assert_num_queries):
    with django_assert_num_queries(6):  # what ended; begin, lock, read, write, commit
        assert expire_lots(at=LATER, limit=1)["deeds"] == 1
    with django_assert_num_queries(6):
        assert expire_lots(at=LATER)["deeds"] == 3


@transaction.atomic
def give(*asked: tuple[Card, str], at: datetime = NOON, is_whole: bool = True) -> frozenset[str]:
    """500 points each from an old system, in one batch; not whole: without the store's side of it."""
    points = Account.objects.filter(kind=AccountKind.POINTS)
    ids = dict(points.values_list("member_id", "pk"))
    locked = {held.member_id: held for held in batches.lock(ids.values(), NOON)}
    deeds = []
    for card, key in asked:
        own = Leg(500, account=ids[card.member_id], lots=(NewLot(500, expires_at=LATER),))
        cost = Leg(-500, store=card.store_id, kind=AccountKind.POINTS_COST)
        legs = [own, cost] if is_whole else [own]
        deeds.append(BatchDeed(locked[card.member_id], key, {"points": 500}, legs))
    return batches.post(kind=OperationKind.OPENING, actor=CLOCK, at=at, deeds=deeds)


def test_a_used_key_is_a_replay_and_the_rest_of_the_batch_is_written(cards):
    first = give((cards["Li Lei"], "row-1"), (cards["Lin Tao"], "row-2"))
    again = give((cards["Li Lei"], "row-1"), (cards["Wei Hua"], "row-3"))

    assert (first, again) == ({"row-1", "row-2"}, {"row-3"})
    held = Account.objects.filter(kind=AccountKind.POINTS, balance=500)
    assert set(held.values_list("member__name", flat=True)) == {"Li Lei", "Lin Tao", "Wei Hua"}
    assert Lot.objects.filter(account__kind="points", original=500, expires_at=LATER).count() == 3
    assert verify().is_sound


def test_two_legs_on_one_account_are_refused_with_the_whole_batch(cards):
    with pytest.raises(Exception, match="two legs on one account|does not sum to zero"):
        give((cards["Li Lei"], "row-1"), (cards["Li Lei"], "row-2"), (cards["Lin Tao"], "row-3"))

    assert not Operation.objects.filter(scope="clock").exists()


def test_a_batch_that_does_not_sum_to_zero_is_not_committed(cards):
    with pytest.raises(IntegrityError, match="does not sum to zero"):
        give((cards["Li Lei"], "row-1"), is_whole=False)

    assert not Operation.objects.filter(scope="clock").exists()


def test_a_frozen_account_is_left_alone_and_the_others_go(cards):
    Account.objects.filter(card=cards["Lin Tao"], kind=AccountKind.PRINCIPAL).update(is_frozen=True)

    assert expire_lots(at=LATER)["deeds"] == 3
    assert account(cards["Lin Tao"]).balance == 2000

    Account.objects.update(is_frozen=False)
    assert expire_lots(at=LATER)["deeds"] == 1


def test_a_store_whose_day_is_signed_is_left_for_the_next_day(cards, riverside, mei):
    day = LATER.astimezone(riverside.zone).date()
    DayClose.objects.create(
        store=riverside, on=day, figures={}, figures_hash="-", signed_by=mei, signed_at=LATER
    )

    assert expire_lots(at=LATER)["deeds"] == 0
    with pytest.raises(PeriodClosed):
        give((cards["Li Lei"], "row-1"), at=LATER)

    assert expire_lots(at=LATER + timedelta(days=1))["deeds"] == 4
    assert verify().is_sound


def test_batches_and_tills_at_once_never_wait_in_a_ring(cards, at_till, riverside):
    """Eight batches over the same four members while they spend: nobody is thrown out, each bonus ends once."""
    here = {"actor": at_till, "at": NOON, "store": riverside}

    def buy(name: str, turn: int) -> None:
        spend(key=f"buy-{name}-{turn}", card=cards[name], amount_minor=60, **here)

    names = list(reversed(NAMES))
    acts = [partial(buy, name, turn) for turn in range(6) for name in names]
    results = at_once([*acts, *[partial(expire_lots, at=LATER)] * 8])
    expire_lots(at=LATER)

    assert set(kinds(results)) == {"NoneType", "dict"}
    assert not Lot.objects.filter(expires_at__lte=LATER, remaining__gt=0).exists()
    assert sum(lot["deeds"] for lot in results if lot) <= 4
    assert verify().is_sound


def test_the_same_batch_from_four_hands_is_written_once(cards):
    rows = [(card, f"row-{name}") for name, card in cards.items()]

    results = at_once([partial(give, *rows)] * 4)

    assert sorted(len(keys) for keys in results) == [0, 0, 0, 4]
    assert Operation.objects.filter(scope="clock").count() == 4
    assert verify().is_sound
