"""The deeds of the ledger's machine with money and points: recharged, spent, set aside, taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from members.domain.cards import recharge_card
from members.domain.closing import NothingLeft, QuoteChanged, refund_recharge
from members.domain.hold_uses import HoldEnded
from members.domain.holds import authorise, expire_holds, release
from members.domain.ledger import TenderPaid
from members.domain.refunds import RefundExceedsOriginal, refund
from members.domain.rewards import InsufficientPoints, redeem_points
from members.domain.spending import InsufficientBalance, spend
from members.enums import TenderType
from members.models import (
    Lot,
)
from tests.members.machine_desk import Desk, amounts, people, places
from tests.members.machine_ground import (
    PLANS,
    REWARDS,
    SHORT,
)


class Money(Desk):
    """What the till does with a card that holds money."""

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
    @rule(data=st.data(), where=places, is_last=st.booleans(), is_shown=st.booleans())
    def takes_a_recharge_back(self, data: st.DataObject, where: int, is_last: bool, is_shown: bool) -> None:
        self._go(where)
        person, operation, origin, points = (
            self.loaded[-1] if is_last else data.draw(st.sampled_from(self.loaded))
        )
        books = person.books
        free = [p for p in books.usable(self.now, "principal") if p.origin == origin]
        due = books.owed_for(self.now, origin)
        if not free:
            with pytest.raises(NothingLeft):
                refund_recharge(**self._said(), operation=operation)
            return
        if is_shown:
            self._did(refund_recharge, self._said(), operation=operation, payout_minor=due)
        else:
            with pytest.raises(QuoteChanged) as changed:
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
            with pytest.raises(InsufficientBalance) as refused:
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
            with pytest.raises(RefundExceedsOriginal):
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
            with pytest.raises(InsufficientBalance):
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
            with pytest.raises(HoldEnded):
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
            with pytest.raises(InsufficientPoints):
                redeem_points(**self._said(), **asked)
            return
        self._did(redeem_points, self._said(), **asked)
        person.books.redeem(self.now, points)
