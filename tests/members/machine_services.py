"""The deeds of the ledger's machine with count cards: services bought, taken and returned."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from members.domain.ledger import TenderPaid
from members.domain.services import (
    InsufficientServices,
    ReturnExceedsTaken,
    return_service,
    sell_services,
    take_service,
)
from members.enums import TenderType
from tests.members.machine_desk import Desk, people, places
from tests.members.machine_ground import (
    PRICE,
    SERVICES,
    SERVICES_DAYS,
)


class CountCards(Desk):
    """What the till does with a card that holds services."""

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
            with pytest.raises(InsufficientServices) as refused:
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
            with pytest.raises(ReturnExceedsTaken) as refused:
                return_service(**self._said(), operation=operation, count=services)
            assert refused.value.facts["returnable"] == left
            return
        self._did(return_service, self._said(), operation=operation, count=services)
        person.books.return_services(self.now, sale, wanted)

    def _have_services(self, who: int) -> None:
        """A card with none of them refuses every time alike: that says little for a step."""
        if not self.people[who].books.available(self.now, "services"):
            self.buys_services(who, 0)
