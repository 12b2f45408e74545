"""One of each thing of a store that an address can name, beyond members, cards and deeds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from campaigns.domain import handouts
from campaigns.domain.audiences import Audience
from members.domain import coupons, holds, merging, phone_changes, transfers
from members.domain.ledger import Actor
from members.enums import AccountKind
from members.models import (
    Account,
    Approval,
    Card,
    CouponDefinition,
    FraudCase,
    FraudPattern,
    Hold,
    OpeningBatch,
    Shift,
    Staff,
)
from messaging.domain import budgets
from messaging.models import Conversation, VerificationLock
from tests.conftest import NOON, Enrol


def one_of_each(card: Card, *, cashier: Staff, manager: Staff, enrol: Enrol) -> dict[str, str]:
    """By the name of the address's parameter. All at the card's store; the card's principal is frozen afterwards."""
    till, office = (Actor(f"staff:{staff.pk}", staff.pk) for staff in (cashier, manager))
    when: dict[str, Any] = {"at": NOON, "store": card.store}
    friend, mover, once, twice = (enrol(f"1370013700{n}", name=f"Quill {n}", language="en") for n in range(4))
    hold = holds.authorise(
        actor=till, key="hold", card=card, amount_minor=100, until=NOON + timedelta(days=1), **when
    ).operation
    transfer = transfers.propose(
        is_confirmed=True, actor=till, key="gift", card=card, receiver=friend, amount_minor=100, **when
    )
    change = phone_changes.change_phone(
        actor=office, key="move", member=mover, phone="13700137009", reason="lost", **when
    )
    merge = merging.merge(actor=office, key="merge", kept=once, merged=twice, reason="same", **when)
    definition = CouponDefinition.objects.create(name="Quillcoupon", off_minor=2000)
    definition.stores.set([card.store])
    coupon = coupons.issue(definition=definition, member=card.member, key="c", actor=till, **when)
    handout = handouts.begin(
        key="many", actor=office, definition=definition, audience=Audience(), reason="Quillreason", **when
    )
    things = {
        "handout": handout,
        "hold": Hold.objects.get(operation=hold),
        "transfer": transfer,
        "change": change,
        "merge": merge,
        "definition": definition,
        "coupon": coupon,
        **talk_of(card),
        **papers_of(card, maker=cashier),
    }
    frozen = card.accounts.get(kind=AccountKind.PRINCIPAL)
    Account.objects.filter(pk=frozen.pk).update(is_frozen=True)
    budget = budgets.set_budget(
        scope="store",
        store=card.store,
        period="month",
        amount_minor=100,
        protected_percent=0,
        by=manager,
        at=NOON,
    )
    things["budget"] = budget
    ids = {name: str(thing.public_id) for name, thing in things.items()}
    of_the_store = {"store": str(card.store.public_id), "kind": "principal", "on": NOON.date().isoformat()}
    return ids | of_the_store | {"account": str(frozen.pk), "what": "marketing"}


def talk_of(card: Card) -> dict[str, Any]:
    """A conversation, and a number that gets no codes for now."""
    member = card.member
    return {
        "conversation": Conversation.objects.create(
            phone=member.phone,
            phone_hash=member.phone_hash,
            member=member,
            store=card.store,
            opened_at=NOON,
            last_at=NOON,
        ),
        "lock": VerificationLock.objects.create(
            kind="number", key_hash=member.phone_hash, opened_at=NOON, until=NOON + timedelta(days=999)
        ),
    }


def papers_of(card: Card, *, maker: Staff) -> dict[str, Any]:
    """A request for a second person, opening balances, a shift and a case to look at."""
    asked = {"asked_at": NOON, "expires_at": NOON + timedelta(days=999), "payload_hash": b""}
    return {
        "approval": Approval.objects.create(
            deed="adjust", payload={}, member=card.member, store=card.store, maker=maker, **asked
        ),
        "batch": OpeningBatch.objects.create(
            product=card.product, money_minor=1, points=0, handed_in_at=NOON, store=card.store, maker=maker
        ),
        "shift": Shift.objects.filter(store=card.store).latest("pk"),
        "case": FraudCase.objects.create(
            pattern=FraudPattern.NO_REFERENCE,
            subject=f"card:{card.pk}",
            store=card.store,
            from_on=NOON.date(),
            member=card.member,
            staff=maker,
            found_at=NOON,
        ),
    }
