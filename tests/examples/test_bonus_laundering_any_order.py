"""Whatever the order of deeds, no more money leaves a till than came in: not overall, and of no recharge.

Two cards of one member, a friend's card in between, a plan with bonus; the deeds are drawn at random. Money in fen.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.domain import holds, transfers
from members.domain.card_states import replace_card
from members.domain.cards import open_card, recharge_card
from members.domain.closing import close_card, refund_recharge
from members.domain.ledger import Actor, TenderPaid
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, SpendOrder, TenderType
from members.models import Card, CloseMethod, Entry, Hold, LotUse, Operation, RechargePlan, Tender
from members.refusals import Refused
from tests.conftest import NOON

PAID, BONUS = 3000, 1000
PICK = st.integers(0, 3)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("recharge"), PICK, st.just(0)),
        st.tuples(st.just("spend"), PICK, st.integers(1, 4000)),
        st.tuples(st.just("spend_with_cash"), PICK, st.integers(1, 6000)),
        st.tuples(st.just("refund_part"), PICK, st.integers(1, 3000)),
        st.tuples(st.just("refund_whole"), PICK, st.just(0)),
        st.tuples(st.just("refund_recharge"), PICK, st.just(0)),
        st.tuples(st.just("pass_on"), PICK, st.integers(1, 4000)),
        st.tuples(st.just("hold"), PICK, st.integers(1, 3000)),
        st.tuples(st.just("capture"), PICK, st.integers(1, 3000)),
        st.tuples(st.just("replace"), PICK, st.just(0)),
        st.tuples(st.just("close"), PICK, st.just(0)),
    ),
    min_size=3,
    max_size=14,
)


class Thief:
    """One person with a card of their own and a friend's, who tries every deed; a refusal changes nothing."""

    def __init__(self, cards: list[Card], plan: RechargePlan, actor: Actor, store) -> None:
        self.cards, self.plan, self.at, self.turn = cards, plan, NOON, 0
        self.sales: list[Operation] = []
        self.recharges: list[Operation] = []
        self.said = {"actor": actor, "store": store}
        self.card_paid: dict[int, int] = defaultdict(int)

    def do(self, deed: str, pick: int, amount: int) -> None:
        self.turn += 1
        self.at += timedelta(hours=1)
        said = {**self.said, "at": self.at, "key": f"t{self.turn}"}
        card = Card.objects.select_related("product", "member").get(pk=self.cards[pick % 2].pk)
        try:
            with transaction.atomic():
                getattr(self, deed)(card, pick, amount, said)
        except Refused:
            pass

    def recharge(self, card, pick, amount, said) -> None:
        paid = TenderPaid(TenderType.CASH, PAID)
        self.recharges.append(recharge_card(card=card, tender=paid, plan=self.plan, **said).operation)

    def spend(self, card, pick, amount, said) -> None:
        self.sales.append(spend(card=card, amount_minor=amount, **said).operation)

    def spend_with_cash(self, card, pick, amount, said) -> None:
        rest = TenderPaid(TenderType.CASH, 0)
        self.sales.append(spend(card=card, amount_minor=amount, rest=rest, **said).operation)

    def refund_part(self, card, pick, amount, said) -> None:
        if self.sales:
            refund(operation=self._fresh(self.sales, pick), amount_minor=amount, **said)

    def refund_whole(self, card, pick, amount, said) -> None:
        if self.sales:
            refund(operation=self._fresh(self.sales, pick), **said)

    def refund_recharge(self, card, pick, amount, said) -> None:
        if self.recharges:
            refund_recharge(operation=self._fresh(self.recharges, pick), **said)

    def pass_on(self, card, pick, amount, said) -> None:
        taker = self.cards[1 - pick % 2].member
        asked = transfers.propose(is_confirmed=True, card=card, receiver=taker, amount_minor=amount, **said)
        transfers.confirm(actor=Actor("portal"), at=self.at, transfer=asked)

    def hold(self, card, pick, amount, said) -> None:
        holds.authorise(card=card, amount_minor=amount, until=self.at + timedelta(days=2), **said)

    def capture(self, card, pick, amount, said) -> None:
        if hold := Hold.objects.filter(card=card, status="open").order_by("id").first():
            if pick > 1:
                holds.release(hold=hold, **said)
            else:
                self.sales.append(spend(card=card, amount_minor=amount, hold=hold, **said).operation)

    def replace(self, card, pick, amount, said) -> None:
        self.cards[pick % 2] = replace_card(card=card, **said).card

    def close(self, card, pick, amount, said) -> None:
        close_card(card=card, **said)

    def _fresh(self, of: list[Operation], pick: int) -> Operation:
        return Operation.objects.select_related("card__product", "card__member").get(pk=of[pick % len(of)].pk)

    def assert_nothing_gained(self) -> None:
        paid = Tender.objects.filter(operation__in=Operation.objects.all()).values_list(
            "operation__kind", "operation__reverses", "amount_minor"
        )
        came = dict.fromkeys(Operation.objects.filter(kind="recharge").values_list("pk", flat=True), PAID)
        by_sale: dict[int, int] = defaultdict(int)
        for kind, reverses, amount in paid:
            if kind == "refund":
                by_sale[reverses] -= amount
        tendered = dict(
            Tender.objects.filter(operation__kind="spend").values_list("operation", "amount_minor")
        )
        assert all(out <= tendered.get(sale, 0) for sale, out in by_sale.items())
        assert sum(amount for _kind, _reverses, amount in paid) >= 0
        out = -sum(amount for kind, _r, amount in paid if kind in ("refund_recharge", "close"))
        assert out <= sum(came.values())
        self._assert_no_recharge_pays_twice(came)

    def _assert_no_recharge_pays_twice(self, came: dict[int, int]) -> None:
        """Of the principal a recharge brought, what bills took and what was paid out or kept is never more than it."""
        gone: dict[int, int] = defaultdict(int)
        uses = LotUse.objects.filter(entry__account_kind=AccountKind.PRINCIPAL).exclude(
            entry__operation_kind="move_out"
        )
        for source, amount in uses.values_list("lot__source", "amount"):
            gone[source] -= amount
        assert all(total <= came[source] for source, total in gone.items())
        assert not Entry.objects.filter(
            account_kind=AccountKind.BONUS, operation_kind="close", amount__gt=0
        ).exists()


@pytest.mark.parametrize(
    ("order", "method"),
    [
        (SpendOrder.PRO_RATA, CloseMethod.PRO_RATA),
        (SpendOrder.BONUS_FIRST, CloseMethod.PRINCIPAL_FIRST),
    ],
)
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(deeds=DEEDS)
def test_no_more_money_comes_out_than_went_in(
    order, method, deeds, li_lei, card, enrol_friend, product, at_till, riverside
):
    with transaction.atomic():
        product.spend_order, product.close_method = order, method
        product.save()
        plan = RechargePlan.objects.create(name="30+10", pay_minor=PAID, bonus_minor=BONUS)
        thief = Thief([card, enrol_friend], plan, at_till, riverside)
        thief.do("recharge", 0, 0)
        for deed in deeds:
            thief.do(*deed)
            thief.assert_nothing_gained()
        assert verify().faults == ()
        transaction.set_rollback(True)


@pytest.fixture
def enrol_friend(enrol, product, at_till, riverside) -> Card:
    friend = enrol("13900139000", name="Han Mei", language="en")
    card, _ = open_card(key="f", actor=at_till, at=NOON, store=riverside, member=friend, product=product)
    return card
