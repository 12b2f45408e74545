"""Any order of deeds against books kept by hand (C15): Hypothesis chooses, PostgreSQL judges, the oracle compares.

`REGULARS_MACHINE=2000x50` runs the long tier. No deed stands in a savepoint of the test: what is refused has to leave
everything as it was by itself.
"""

from __future__ import annotations

import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
    run_state_machine_as_test,
)

from members.domain.card_states import CardBusy
from members.domain.cards import open_card
from members.domain.closing import QuoteChanged, close_card
from members.domain.deeds import CardNotUsable
from members.domain.services import (
    InsufficientServices,
)
from members.domain.spending import InsufficientBalance
from members.domain.transfers import TooFewPoints, confirm, propose
from members.models import (
    Card,
)
from tests.members.machine_desk import lasting_plans, people, percents, places
from tests.members.machine_ground import (
    FULL_PRICE,
    TILL,
    Person,
    lay_ground,
)
from tests.members.machine_money import Money
from tests.members.machine_services import CountCards

EXAMPLES, STEPS = (int(part) for part in os.environ.get("REGULARS_MACHINE", "100x40").split("x"))


class Till(Money, CountCards):
    """What the till does to the cards, in any order and at any hour: all of it, passed on and closed as well."""

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

    def _give(self, who: int, card: Card, amount_minor: int = 0, services: int = 0, points: int = 0) -> None:
        giver, receiver = self.people[who], self.people[1 - who]
        asked = {"amount_minor": int(amount_minor), "services": services, "points": points}
        if not any(asked.values()):
            return
        said = {**self._said(), "card": card, "receiver": receiver.member, "is_confirmed": True, **asked}
        held = [giver.books.available(self.now, *kinds) for kinds in ((), ("services",), ("points",))]
        if any(wanted > there for wanted, there in zip(asked.values(), held, strict=True)):
            short = (InsufficientBalance, InsufficientServices, TooFewPoints)
            with pytest.raises(short), transaction.atomic():  # two verbs: the proposal would stay
                confirm(actor=TILL, at=self.now, transfer=propose(**said))
            return
        first = confirm(actor=TILL, at=self.now, transfer=propose(**said))
        giver.books.give(
            self.now, receiver.books, **{name.removesuffix("_minor"): n for name, n in asked.items()}
        )
        again = confirm(actor=TILL, at=self.now, transfer=propose(**said))
        assert (again.sent_id, again.received_id) == (first.sent_id, first.received_id)

    @rule(who=people, which=st.sampled_from(["card", "washes", "both"]), where=places, is_shown=st.booleans())
    def closes_a_card(self, who: int, which: str, where: int, is_shown: bool) -> None:
        """And opens another one, or there would be nothing more to do. The last card takes the points with it."""
        self._go(where)
        person = self.people[who]
        if which != "washes" and any(each[0] is person for each in self.held):
            with pytest.raises(CardBusy):
                close_card(**self._said(), card=person.card)
            return
        if which != "card":
            self._close(person.washes, person.books.owed_for_services(self.now, FULL_PRICE), is_shown)
            person.books.close_services(self.now, FULL_PRICE)
        if which != "washes":
            self._close(person.card, person.books.owed_for(self.now), is_shown)
            person.books.close_value(self.now)
        if which == "both":
            person.books.lose_points(self.now)
        self._open_anew(person, which)

    def _close(self, card: Card, due: int, is_shown: bool) -> None:
        """By the sum the books say, which is the only one taken; or by none, after another one."""
        if is_shown:
            self._did(close_card, self._said(), card=card, payout_minor=due)
            return
        with pytest.raises(QuoteChanged) as changed:
            close_card(**self._said(), card=card, payout_minor=due + 1)
        assert changed.value.facts["payout_minor"] == due
        self._did(close_card, self._said(), card=card)
        with pytest.raises(CardNotUsable):
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


def test_any_order_of_deeds_agrees_with_books_kept_by_hand(db: None) -> None:
    Till.ground = lay_ground()
    how = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    with lasting_plans():
        run_state_machine_as_test(Till, settings=how)
