"""A member's number under any order of asking, confirming, stopping, waiting, spending, merging and erasing.

Hypothesis chooses, PostgreSQL and the domain do, `phone_oracle.py` says what must have come of it. The window of 24
hours moves with the database's clock, which stands still within an example: what left while it is limited all counts.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
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

from members.domain.cards import open_card, recharge_card
from members.domain.closing import refund_recharge
from members.domain.enrolment import PhoneTaken
from members.domain.erasing import ErasureBlocked, erase
from members.domain.holds import authorise, release
from members.domain.ledger import Actor, IdempotencyConflict, NotCurrent, TenderPaid
from members.domain.merging import MergeBlocked, merge
from members.domain.phone_changes import (
    CoolingOff,
    PhoneChangeEnded,
    PhoneChangeForbidden,
    PhoneChangeWaits,
    PhoneUnchanged,
    apply_due,
    change_phone,
    spend_limit_minor,
    stop,
)
from members.domain.spending import InsufficientBalance, spend
from members.domain.verify import verify
from members.enums import TenderType
from members.models import Card, CardProduct, Member, MembershipEvent, PhoneChange, PhoneChangeStatus, Store
from members.refusals import Refused
from tests.conftest import NOON
from tests.members.phone_oracle import DAY, LIMIT, Change, Line

EXAMPLES, STEPS = (int(part) for part in os.environ.get("REGULARS_PHONE_MACHINE", "25x30").split("x"))
LOADED = 100_000
NUMBERS = [f"+861390013900{n}" for n in range(4)]
PORTAL, TILL = Actor("portal"), Actor("till")
people = st.sampled_from([0, 0, 1])  # Li Lei, Han Mei
numbers = st.sampled_from([*NUMBERS, *NUMBERS, "own", "other"])
parts = st.sampled_from(["little", "all", "more", "far too much"])
rarely = st.sampled_from([False] * 9 + [True])


class Phones(RuleBasedStateMachine):
    """Li Lei and Han Mei, their cards and their numbers; Mei the manager, the portal and the clock change them."""

    store: Store
    in_charge: Actor
    ids: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.now, self.key = NOON, 0
        self.asked: list[tuple[int, Change, PhoneChange]] = []
        self.held: list[tuple[Line, Any]] = []

    def teardown(self) -> None:
        try:
            assert verify().faults == ()
        finally:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    @initialize()
    def both_have_value(self) -> None:
        self.members = [Member.objects.get(pk=pk) for pk in self.ids]
        self.lines = [
            Line(member.phone, {card.pk: LOADED for card in member.cards.all()}) for member in self.members
        ]

    def _said(self, actor: Actor = TILL) -> dict[str, Any]:
        self.key += 1
        return {"actor": actor, "key": f"deed-{self.key}", "at": self.now, "store": self.store}

    def _refused(self, kind: type[Refused], verb: Any, **asked: Any) -> None:
        with pytest.raises(kind):
            verb(**asked)

    def _number(self, who: int, number: str) -> str:
        return {"own": self.lines[who].number, "other": self.lines[1 - who].number}.get(number, number)

    def _no(self, who: int, number: str) -> type[Refused] | None:
        """Why this number cannot become this member's now."""
        line = self.lines[who]
        if not line.is_current:
            return NotCurrent
        if number == line.number:
            return PhoneUnchanged
        if any(number == other.number for other in self.lines):
            return PhoneTaken
        return PhoneChangeWaits if line.waiting else None

    @rule(who=people, number=numbers, by_code=st.booleans())
    def asks_for_a_number(self, who: int, number: str, by_code: bool) -> None:
        number = self._number(who, number)
        if number.startswith("erased"):
            return
        said = self._said(PORTAL if by_code else self.in_charge)
        asked = {"member": self.members[who], "phone": number, "is_confirmed_by_old": by_code}
        asked |= said if by_code else said | {"reason": "Phone lost"}
        if why := self._no(who, number):
            self._refused(why, change_phone, **asked)
            return
        if not by_code:
            self._refused(PhoneChangeForbidden, change_phone, **asked | {"reason": " "})
            self._refused(PhoneChangeForbidden, change_phone, **asked | {"actor": TILL})
        made = change_phone(**asked)
        change = Change(number, self.now, self.now if by_code else None)
        self.lines[who].changes.append(change)
        self.asked.append((who, change, made))
        if by_code:
            self.lines[who].number = number
        assert change_phone(**asked).pk == made.pk, "the same key is the same change"
        self._refused(IdempotencyConflict, change_phone, **asked | {"phone": "13700137999"})

    @rule(who=people, number=st.sampled_from(NUMBERS), part=parts, then=st.sampled_from([0, 1, 23, "merged"]))
    def a_thief_changes_it_and_spends(self, who: int, number: str, part: str, then: int | str) -> None:
        """Whoever holds the last number has its codes: one change after the other, and what they may after each."""
        self.asks_for_a_number(who, number, True)
        self.spends(who, 0, part, False)
        if isinstance(then, int):
            self.time_passes(then, 0, True)
            return
        self.are_found_to_be_one(1 - who, True)
        self.spends(1 - who, 0, "all", False)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def is_stopped(self, data: st.DataObject) -> None:
        who, change, made = self.asked[data.draw(st.integers(0, len(self.asked) - 1))]
        if change.done:
            self._refused(PhoneChangeEnded, stop, actor=PORTAL, at=self.now, change=made)
            return
        stop(actor=PORTAL, at=self.now, change=made)
        self._strike_out(self.lines[who], change)

    @staticmethod
    def _strike_out(line: Line, change: Change) -> None:
        line.changes = [each for each in line.changes if each is not change]

    @rule(
        hours=st.sampled_from([0, 1, 12, 23, 24, 25]),
        seconds=st.integers(-1, 1),
        is_swept=st.sampled_from([True, True, False]),
    )
    def time_passes(self, hours: int, seconds: int, is_swept: bool) -> None:
        self.now += max(timedelta(hours=hours, seconds=seconds), timedelta(0))
        if is_swept:
            due = [each for each in self.asked if self._is_due(*each[:2])]
            done = [self._takes_effect(who, change) for who, change, _made in due]
            assert apply_due(at=self.now) == {"done": sum(done), "stopped": len(done) - sum(done)}

    def _is_due(self, who: int, change: Change) -> bool:
        return change is self.lines[who].waiting and change.asked + DAY <= self.now

    def _takes_effect(self, who: int, change: Change) -> bool:
        """A number that is another's by now is not taken from them."""
        if any(change.number == line.number for line in self.lines):
            self._strike_out(self.lines[who], change)
            return False
        self.lines[who].number, change.done = change.number, self.now
        return True

    def _card(self, who: int, place: int) -> Card | None:
        cards = sorted(self.lines[who].cards)
        if not cards:
            return None
        return Card.objects.select_related("product", "member").get(pk=cards[place % len(cards)])

    def _wanted(self, line: Line, part: str, besides: int | None = None) -> int:
        """Exactly what may leave still, a fen more, or a little."""
        may = line.may_leave(self.now, besides=besides)
        edge = LIMIT if may is None else max(may, 0)
        return {"little": 1000, "all": max(edge, 1), "more": edge + 1, "far too much": LOADED + 1}[part]

    def _why_not(self, line: Line, card: Card, amount: int) -> type[Refused] | None:
        may = line.may_leave(self.now)
        if amount > line.free(card.pk):
            return InsufficientBalance
        return CoolingOff if may is not None and amount > may else None

    @rule(
        who=people,
        place=st.integers(0, 3),
        part=parts,
        is_held=st.sampled_from([False, False, True]),
    )
    def spends(self, who: int, place: int, part: str, is_held: bool) -> None:
        line, card = self.lines[who], self._card(who, place)
        if card is None:
            return
        amount = self._wanted(line, part)
        asked = {**self._said(), "card": card, "amount_minor": amount}
        verb, asked = (
            (authorise, asked | {"until": self.now + 9 * DAY})
            if is_held
            else (spend, asked | {"is_confirmed": True})
        )
        if why := self._why_not(line, card, amount):
            self._refused(why, verb, **asked)
            return
        may = line.may_leave(self.now)
        if may is not None and may < line.free(card.pk):
            self._refused(CoolingOff, verb, **asked | {"amount_minor": may + 1})
        outcome = verb(**asked)
        if is_held:
            hold = outcome.operation.hold
            line.held[hold.pk] = (self.now, card.pk, amount)
            self.held.append((line, hold))
        else:
            self._leaves(line, card.pk, amount)

    def _leaves(self, line: Line, card: int, amount: int) -> None:
        line.cards[card] -= amount
        line.left.append((self.now, amount))

    @rule(who=people, place=st.integers(0, 3), part=st.sampled_from(["little", "all", "more"]))
    def pays_in_and_wants_it_back(self, who: int, place: int, part: str) -> None:
        line, card = self.lines[who], self._card(who, place)
        if card is None:
            return
        amount = self._wanted(line, part)
        tender = TenderPaid(TenderType.CASH, amount)
        paid = recharge_card(**self._said(self.in_charge), card=card, tender=tender)
        line.cards[card.pk] += amount
        may = line.may_leave(self.now)
        asked = {**self._said(self.in_charge), "operation": paid.operation}
        if may is not None and amount > may:
            self._refused(CoolingOff, refund_recharge, **asked)
            return
        refund_recharge(**asked)
        self._leaves(line, card.pk, amount)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), is_captured=st.booleans())
    def a_hold_ends(self, data: st.DataObject, is_captured: bool) -> None:
        place = data.draw(st.integers(0, len(self.held) - 1))
        line, hold = self.held[place]
        _made, card, amount = line.held[hold.pk]
        may = line.may_leave(self.now, besides=hold.pk)
        if is_captured:
            fresh = Card.objects.select_related("product", "member").get(pk=card)
            asked = {**self._said(), "card": fresh, "amount_minor": amount, "hold": hold}
            if hold.expires_at <= self.now:
                return
            if may is not None and amount > may:
                self._refused(CoolingOff, spend, **asked, is_confirmed=True)
                return
            spend(**asked, is_confirmed=True)
            self._leaves(line, card, amount)
        else:
            release(**self._said(), hold=hold)
        del self.held[place], line.held[hold.pk]

    @rule(kept=people, is_meant=rarely)
    def are_found_to_be_one(self, kept: int, is_meant: bool) -> None:
        mine, theirs = self.lines[kept], self.lines[1 - kept]
        if not (is_meant and mine.is_current and theirs.is_current):
            return
        both = {"kept": self.members[kept], "merged": self.members[1 - kept], "reason": "Same ID"}
        asked = {**self._said(self.in_charge), **both}
        if mine.waiting or theirs.waiting or theirs.held:
            self._refused(MergeBlocked, merge, **asked)
            return
        merge(**asked)
        mine.cards |= {self._instead_of(card): left for card, left in theirs.cards.items()}
        mine.take_over(theirs)

    @staticmethod
    def _instead_of(card: int) -> int:
        return Card.objects.get(replaces=card).pk

    @rule(who=people, is_meant=rarely)
    def is_erased(self, who: int, is_meant: bool) -> None:
        line = self.lines[who]
        if not (is_meant and line.is_current):
            return
        said = {name: what for name, what in self._said(self.in_charge).items() if name != "key"}
        asked = {**said, "member": self.members[who], "reason": "By letter", "forfeits_value": True}
        if line.waiting or line.held:
            self._refused(ErasureBlocked, erase, **asked)
            return
        erase(**asked)
        for one, member in zip(self.lines, self.members, strict=True):
            if one is line or Member.objects.filter(pk=member.pk, merged_into=self.members[who]).exists():
                one.number, one.changes, one.cards, one.is_current = (
                    f"erased-{member.pk}",
                    [],
                    {},
                    False,
                )

    @invariant()
    def the_notes_agree(self) -> None:
        if not hasattr(self, "lines"):
            return
        for line, member in zip(self.lines, self.members, strict=True):
            fresh = Member.objects.get(pk=member.pk)
            assert (fresh.phone, fresh.is_current) == (line.number, line.is_current)
            if line.is_current:
                limit = spend_limit_minor(fresh, self.now)
                assert limit == (LIMIT if line.is_limited(self.now) else None)
            waits = PhoneChange.objects.filter(member=member, status=PhoneChangeStatus.PENDING)
            assert [change.new_phone for change in waits] == ([line.waiting.number] if line.waiting else [])
        moved = [change for _who, change, _made in self.asked if change.done]
        assert MembershipEvent.objects.filter(type="phone_changed").count() == len(moved)


def test_any_order_of_changes_of_a_number_agrees_with_notes_kept_by_hand(
    db: None, riverside: Store, product: CardProduct, mei: Any, enrol: Any
) -> None:
    Phones.store, Phones.in_charge = riverside, Actor(f"staff:{mei.pk}", mei.pk)
    members = [enrol("13800138000", name="Li Lei"), enrol("13800138001", name="Han Mei")]
    Phones.ids = [member.pk for member in members]
    for member in members:
        said = {"actor": TILL, "at": NOON, "store": riverside}
        card, _ = open_card(key=f"open {member.pk}", member=member, product=product, **said)
        paid = TenderPaid(TenderType.CASH, LOADED)
        recharge_card(key=f"load {member.pk}", card=card, tender=paid, **said)
    how = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Phones, settings=how)
