"""Any order of deeds against books kept by hand (C15): Hypothesis chooses, PostgreSQL judges, the oracle compares.

`REGULARS_MACHINE=2000x50` runs the long tier. The usual one is few examples of many steps: what a deed does to what
several others left behind is found late in an example, and an example costs a beginning and a last look at everything.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from members.domain.card_states import CardBusy
from members.domain.cards import open_card, recharge_card
from members.domain.closing import NothingLeft, QuoteChanged, close_card, refund_recharge
from members.domain.deeds import CardNotUsable
from members.domain.expiry import expire_lots
from members.domain.hold_uses import HoldEnded
from members.domain.holds import authorise, expire_holds, release
from members.domain.ledger import IdempotencyConflict, TenderPaid
from members.domain.refunds import RefundExceedsOriginal, refund
from members.domain.rewards import InsufficientPoints, redeem_points
from members.domain.services import (
    InsufficientServices,
    ReturnExceedsTaken,
    return_service,
    sell_services,
    take_service,
)
from members.domain.spending import InsufficientBalance, spend
from members.domain.transfers import TooFewPoints, confirm, propose
from members.domain.verify import verify
from members.domain.verify_rules import RULES
from members.enums import TenderType
from members.models import (
    Account,
    Card,
    CardProduct,
    CloseMethod,
    Lot,
    Operation,
)
from tests.conftest import NOON
from tests.members.machine_ground import (
    FULL_PRICE,
    PENDING_DAYS,
    PLANS,
    POINTS_DAYS,
    PRICE,
    REWARDS,
    SERVICES,
    SERVICES_DAYS,
    SHORT,
    TILL,
    Ground,
    Person,
    lay_ground,
)
from tests.members.oracle import Books
from tests.members.oracle_parts import Stores

EXAMPLES, STEPS = (int(part) for part in os.environ.get("REGULARS_MACHINE", "20x50").split("x"))
VERIFIED_EVERY = 16  # deeds
IS_BROKEN = "SELECT " + " OR ".join(f"EXISTS ({sql})" for _rule, _promise, sql in RULES)
amounts = st.one_of(
    st.integers(1, 200), st.integers(1, 60000), st.sampled_from([1, 99, 100, 101, 9999, 133333])
)
people = st.sampled_from([0, 0, 1])  # Li Lei, Han Mei
places = st.sampled_from([0, 0, 1])  # the store at the corner, the one at the harbour
percents = st.sampled_from([0, 1, 35, 100, 101])


class Till(RuleBasedStateMachine):
    """Li Lei's and Han Mei's cards: what the till does to them, in any order and at any hour."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.store = self.ground.stores[0]
        self.now, self.number, self.looked = NOON, 0, 0
        self.sold, self.served, self.done, self.held, self.loaded = [], [], [], [], []

    def teardown(self) -> None:
        try:
            if hasattr(self, "people"):
                assert self._verified() == ()
        finally:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    @initialize(
        order=st.sampled_from(["pro_rata", "principal_first", "bonus_first"]),
        pending_days=st.sampled_from([0, PENDING_DAYS]),
        method=st.sampled_from(list(CloseMethod)),
    )
    def two_members_hold_cards(self, order: str, pending_days: int, method: str) -> None:
        CardProduct.objects.update(spend_order=order, points_pending_days=pending_days, close_method=method)
        self.stores = Stores(self.store.pk)
        self.people = []
        for member, card, washes in self.ground.members:
            books = Books(order, 1, POINTS_DAYS, pending_days, self.stores, method)
            self.people.append(Person(member, self._fresh(card), self._fresh(washes), books))

    def _go(self, where: int) -> None:
        """Whatever comes next is done at this store."""
        self.store = self.ground.stores[where]
        self.stores.here = self.store.pk

    @staticmethod
    def _fresh(card: Card) -> Card:
        return Card.objects.select_related("product", "member").get(pk=card.pk)

    def _said(self) -> dict:
        self.number += 1
        return {"actor": TILL, "key": f"deed-{self.number}", "at": self.now, "store": self.store}

    def _did(self, verb, said: dict, **asked) -> Operation:
        outcome = verb(**said, **asked)
        self.done.append((verb, said, asked, outcome.operation.pk))
        return outcome.operation

    @rule(who=people, amount=amounts, place=st.sampled_from([None, 0, 0, 1, 1, 2, SHORT]), where=places)
    def recharges(self, who: int, amount: int, place: int | None, where: int) -> None:
        self._go(where)
        person = self.people[who]
        paid, bonus, days, points = PLANS[place] if place is not None else (amount, 0, None, 0)
        plan = self.ground.plans[place] if place is not None else None
        tender = TenderPaid(TenderType.WECHAT, paid)
        operation = self._did(recharge_card, self._said(), card=person.card, tender=tender, plan=plan)
        origin = person.books.recharge(self.now, paid, bonus, days, points)
        self.loaded.append((person, operation, origin, points))

    @precondition(lambda self: self.loaded)
    @rule(data=st.data(), where=places, is_last=st.booleans())
    def takes_a_recharge_back(self, data: st.DataObject, where: int, is_last: bool) -> None:
        self._go(where)
        person, operation, origin, points = (
            self.loaded[-1] if is_last else data.draw(st.sampled_from(self.loaded))
        )
        books = person.books
        free = [p for p in books.usable(self.now, "principal") if p.origin == origin]
        due = books.owed_for(self.now, origin)
        if not free:
            with pytest.raises(NothingLeft), transaction.atomic():
                refund_recharge(**self._said(), operation=operation)
            return
        with pytest.raises(QuoteChanged) as changed, transaction.atomic():
            refund_recharge(**self._said(), operation=operation, payout_minor=due + 1)
        assert changed.value.facts["payout_minor"] == due
        self._did(refund_recharge, self._said(), operation=operation)
        assert books.refund_recharge(self.now, origin, operation.amount_minor, points) == due

    @rule(
        who=people,
        percent=st.one_of(st.integers(1, 60), st.sampled_from([100, 101])),
        percent_outside=st.sampled_from([0, 0, 33]),
        where=places,
    )
    def spends_of_what_is_there(self, who: int, percent: int, percent_outside: int, where: int) -> None:
        available = self.people[who].books.available(self.now)
        self.spends(who, max(available * percent // 100, 1), percent_outside, where)

    @rule(who=people, bill=amounts, percent_outside=st.sampled_from([0, 33, 100]), where=places)
    def spends(self, who: int, bill: int, percent_outside: int, where: int) -> None:
        self._go(where)
        person, outside = self.people[who], bill * percent_outside // 100
        tenders = [TenderPaid(TenderType.WECHAT, outside)] if outside else []
        asked = {"card": person.card, "amount_minor": bill, "tenders": tenders}
        available = person.books.available(self.now)
        if bill - outside > available:
            with pytest.raises(InsufficientBalance) as refused, transaction.atomic():
                spend(**self._said(), **asked)
            assert refused.value.facts["available_minor"] == available
            return
        operation = self._did(spend, self._said(), **asked)
        self.sold.append((person, operation, person.books.spend(self.now, bill, outside)))

    @precondition(lambda self: self.sold)
    @rule(data=st.data(), whole=st.booleans(), where=places)
    def brings_it_back(self, data: st.DataObject, whole: bool, where: int) -> None:
        self._go(where)
        person, operation, sale = data.draw(st.sampled_from(self.sold))
        left = sale.bill - sale.refunded
        part = None if whole else data.draw(st.integers(1, sale.bill))
        wanted = left if part is None else part
        if left == 0 or wanted > left:
            with pytest.raises(RefundExceedsOriginal), transaction.atomic():
                refund(**self._said(), operation=operation, amount_minor=part)
            return
        self._did(refund, self._said(), operation=operation, amount_minor=part)
        person.books.refund(self.now, sale, wanted)

    @rule(
        who=people,
        days=st.sampled_from([-8, -6.5, -1, 0, 1]),
        seconds=st.integers(-1, 1),
        is_swept=st.booleans(),
    )
    def brings_it_back_around_its_end(self, who: int, days: float, seconds: int, is_swept: bool) -> None:
        """All is spent, also a bonus of nine days; what comes back near its end or after it lives 7 days more."""
        person = self.people[who]
        self.recharges(who, 1, SHORT, 0)
        bonus = Lot.objects.filter(account__card=person.card, account__kind="bonus").latest("id")
        self.spends(who, person.books.available(self.now), 0, 1)
        _person, operation, sale = self.sold[-1]
        self.now = max(self.now, bonus.expires_at + timedelta(days=days, seconds=seconds))
        if is_swept:
            self._sweep()
        self._did(refund, self._said(), operation=operation)
        person.books.refund(self.now, sale, sale.bill)
        ended = bonus.expires_at
        bonus.refresh_from_db()
        assert bonus.expires_at == max(ended, self.now + timedelta(days=7))

    @rule(who=people, percent=st.sampled_from([1, 20, 50, 100, 101]), days=st.sampled_from([1, 5, 40]))
    def sets_aside(self, who: int, percent: int, days: int) -> None:
        person = self.people[who]
        if not person.books.available(self.now):
            self.recharges(who, 1, 0, 0)
        available = person.books.available(self.now)
        amount = max(available * percent // 100, 1)
        asked = {"card": person.card, "amount_minor": amount, "until": self.now + timedelta(days=days)}
        if amount > available:
            with pytest.raises(InsufficientBalance), transaction.atomic():
                authorise(**self._said(), **asked)
            return
        hold = self._did(authorise, self._said(), **asked).hold
        self.held.append((person, hold, person.books.hold(self.now, amount)))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), is_captured=st.booleans(), where=places)
    def a_hold_ends(self, data: st.DataObject, is_captured: bool, where: int) -> None:
        self._go(where)
        place = data.draw(st.integers(0, len(self.held) - 1))
        person, hold, parts = self.held[place]
        asked = {"card": person.card, "amount_minor": hold.amount_minor, "hold": hold}
        if is_captured and hold.expires_at <= self.now:
            with pytest.raises(HoldEnded), transaction.atomic():
                spend(**self._said(), **asked)
            return
        del self.held[place]
        if not is_captured:
            self._did(release, self._said(), hold=hold)
            person.books.let_go(parts)
            return
        operation = self._did(spend, self._said(), **asked)
        self.sold.append((person, operation, person.books.capture(self.now, parts)))

    @precondition(lambda self: self.held)
    @rule()
    def holds_run_out(self) -> None:
        expire_holds(at=self.now)
        for over in [each for each in self.held if each[1].expires_at <= self.now]:
            person, _hold, parts = over
            self.held.remove(over)
            person.books.let_go(parts)

    @rule(who=people, place=st.integers(0, len(REWARDS) - 1))
    def takes_a_reward(self, who: int, place: int) -> None:
        person, points = self.people[who], REWARDS[place]
        asked = {"card": person.card, "reward": self.ground.rewards[place]}
        if points > person.books.available(self.now, "points"):
            with pytest.raises(InsufficientPoints), transaction.atomic():
                redeem_points(**self._said(), **asked)
            return
        self._did(redeem_points, self._said(), **asked)
        person.books.redeem(self.now, points)

    @rule(who=people, where=places)
    def buys_services(self, who: int, where: int) -> None:
        self._go(where)
        person, tender = self.people[who], TenderPaid(TenderType.WECHAT, PRICE)
        self._did(sell_services, self._said(), card=person.washes, tender=tender)
        person.books.buy_services(self.now, SERVICES, PRICE, SERVICES_DAYS)

    @rule(who=people, services=st.integers(1, SERVICES + 2), where=places)
    def takes_services(self, who: int, services: int, where: int) -> None:
        self._go(where)
        person = self.people[who]
        self._have_services(who)
        asked = {"card": person.washes, "count": services}
        left = person.books.available(self.now, "services")
        if services > left:
            with pytest.raises(InsufficientServices) as refused, transaction.atomic():
                take_service(**self._said(), **asked)
            assert refused.value.facts["left"] == left
            return
        operation = self._did(take_service, self._said(), **asked)
        self.served.append((person, operation, person.books.take_services(self.now, services)))

    @precondition(lambda self: self.served)
    @rule(data=st.data(), services=st.sampled_from([None, 1, 1, 2]))
    def services_come_back(self, data: st.DataObject, services: int | None) -> None:
        person, operation, sale = data.draw(st.sampled_from(self.served))
        left = sale.took("services") - sale.back["services"]
        wanted = left if services is None else services
        if not left or wanted > left:
            with pytest.raises(ReturnExceedsTaken) as refused, transaction.atomic():
                return_service(**self._said(), operation=operation, count=services)
            assert refused.value.facts["returnable"] == left
            return
        self._did(return_service, self._said(), operation=operation, count=services)
        person.books.return_services(self.now, sale, wanted)

    @rule(who=people, percent=percents, points_percent=percents)
    def gives_value_away(self, who: int, percent: int, points_percent: int) -> None:
        books = self.people[who].books
        amount = books.available(self.now) * percent // 100
        points = books.available(self.now, "points") * points_percent // 100
        self._give(who, self.people[who].card, amount_minor=max(amount, percent > 0), points=points)

    @rule(who=people, services=st.integers(1, 3), points=st.sampled_from([0, 0, 1]))
    def gives_services_away(self, who: int, services: int, points: int) -> None:
        self._have_services(who)
        self._give(who, self.people[who].washes, services=services, points=points)

    def _have_services(self, who: int) -> None:
        """A card with none of them refuses every time alike: that says little for a step."""
        if not self.people[who].books.available(self.now, "services"):
            self.buys_services(who, 0)

    def _give(self, who: int, card: Card, amount_minor: int = 0, services: int = 0, points: int = 0) -> None:
        giver, receiver = self.people[who], self.people[1 - who]
        asked = {"amount_minor": int(amount_minor), "services": services, "points": points}
        if not any(asked.values()):
            return
        said = {**self._said(), "card": card, "receiver": receiver.member, "is_confirmed": True, **asked}
        held = [giver.books.available(self.now, *kinds) for kinds in ((), ("services",), ("points",))]
        if any(wanted > there for wanted, there in zip(asked.values(), held, strict=True)):
            short = (InsufficientBalance, InsufficientServices, TooFewPoints)
            with pytest.raises(short), transaction.atomic():
                confirm(actor=TILL, at=self.now, transfer=propose(**said))
            return
        first = confirm(actor=TILL, at=self.now, transfer=propose(**said))
        giver.books.give(
            self.now, receiver.books, **{name.removesuffix("_minor"): n for name, n in asked.items()}
        )
        again = confirm(actor=TILL, at=self.now, transfer=propose(**said))
        assert (again.sent_id, again.received_id) == (first.sent_id, first.received_id)

    @rule(who=people, which=st.sampled_from(["card", "washes", "both"]), where=places)
    def closes_a_card(self, who: int, which: str, where: int) -> None:
        """And opens another one, or there would be nothing more to do. The last card takes the points with it."""
        self._go(where)
        person = self.people[who]
        if which != "washes" and any(each[0] is person for each in self.held):
            with pytest.raises(CardBusy), transaction.atomic():
                close_card(**self._said(), card=person.card)
            return
        if which != "card":
            self._close(person, person.washes, person.books.owed_for_services(self.now, FULL_PRICE))
            person.books.close_services(self.now, FULL_PRICE)
        if which != "washes":
            self._close(person, person.card, person.books.owed_for(self.now))
            person.books.close_value(self.now)
        if which == "both":
            person.books.lose_points(self.now)
        self._open_anew(person, which)

    def _close(self, person: Person, card: Card, due: int) -> None:
        with pytest.raises(QuoteChanged) as changed, transaction.atomic():
            close_card(**self._said(), card=card, payout_minor=due + 1)
        assert changed.value.facts["payout_minor"] == due
        self._did(close_card, self._said(), card=card)
        with pytest.raises(CardNotUsable), transaction.atomic():
            close_card(**self._said(), card=card)

    def _open_anew(self, person: Person, which: str) -> None:
        """What a closed card sold and took stays as it is: it goes to another card, which has tests of its own."""
        home = {"at": self.now, "store": self.ground.stores[0], "member": person.member}
        for name in ("card", "washes") if which == "both" else (which,):
            said = {**self._said(), **home, "product": getattr(person, name).product}
            setattr(person, name, self._fresh(open_card(**said)[0]))
        if which != "washes":
            self.sold = [each for each in self.sold if each[0] is not person]
            self.loaded = [each for each in self.loaded if each[0] is not person]
        if which != "card":
            self.served = [each for each in self.served if each[0] is not person]

    @rule(days=st.sampled_from([0, 1, 2, 4, 29]), is_swept=st.booleans())
    def time_passes(self, days: int, is_swept: bool) -> None:
        self.now += timedelta(days=days, seconds=1)
        if is_swept:
            self._sweep()

    def _sweep(self) -> None:
        expire_lots(at=self.now)
        for person in self.people:
            person.books.expire(self.now)

    @precondition(lambda self: self.done)
    @rule(data=st.data(), is_same=st.booleans())
    def a_key_comes_again(self, data: st.DataObject, is_same: bool) -> None:
        verb, said, asked, operation_id = data.draw(st.sampled_from(self.done))
        if is_same:
            again = verb(**said, **asked)
            assert again.is_replay and again.operation.pk == operation_id
            return
        with pytest.raises(IdempotencyConflict), transaction.atomic():
            recharge_card(**said, card=self.people[0].card, tender=TenderPaid(TenderType.CASH, 77777))

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "people"):
            return
        lots, money = self._stored()
        assert lots == Counter(
            (person.member.pk, p.kind, p.sold_at, p.left, p.aside, p.paid, p.opens, p.ends)
            for person in self.people
            for p in person.books.portions
            if p.left
        )
        assert money == self._money_by_hand()
        if self.number - self.looked >= VERIFIED_EVERY:
            assert self._verified() == ()

    def _stored(self) -> tuple[Counter, dict]:
        """The lots with something left, and the stores' sums (money that came in is negative there)."""
        with connection.cursor() as cursor:
            cursor.execute(self.ground.reads)  # one journey, with every deferred guard first
            cursor.nextset(), cursor.nextset()
            lots = Counter(cursor.fetchall())
            cursor.nextset()
            return lots, {(store, kind): total for store, kind, total in cursor.fetchall()}

    def _money_by_hand(self) -> dict:
        money = self.stores.money.copy()
        for person in self.people:
            for sold_at, waiting in person.books.deferred.items():
                money[sold_at, "deferred"] += waiting
        return {key: amount for key, amount in money.items() if amount}

    def _verified(self) -> tuple:
        """Every rule of verify in one statement; what is broken is then named by verify itself."""
        self.looked = self.number
        ids = Account.objects.filter(member__in=[person.member for person in self.people])
        given = {"all": False, "ids": list(ids.values_list("id", flat=True))}
        with connection.cursor() as cursor:
            cursor.execute(IS_BROKEN, given)
            is_broken = cursor.fetchone()[0]
        return verify(account_ids=given["ids"]).faults if is_broken else ()


def test_any_order_of_deeds_agrees_with_books_kept_by_hand(db: None) -> None:
    Till.ground = lay_ground()
    how = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Till, settings=how)
