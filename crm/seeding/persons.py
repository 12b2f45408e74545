"""Two members who are plainly one person, and a phone change that waits: to be merged, and to be stopped."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm.seeding.people import phone_number
from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor, TenderPaid
from members.domain.phone_changes import change_phone
from members.enums import ConsentSource, Role, TenderType
from members.models import Card, Member, Staff

_DOUBLE, _NEW = phone_number(99_001), phone_number(99_002)
_SEED = Actor(scope="demo")


def open_persons(cards: list[Card], *, at: datetime) -> None:
    """The first card's member once more, under another number; the second's wants to change theirs."""
    if len(cards) < 2:
        return
    _double(cards[0], at)
    _change(cards[1].member, at)


def _double(card: Card, at: datetime) -> None:
    consents = Consents(service=True, marketing=False, wording_version="2026-11", source=ConsentSource.TILL)
    double = enrol_member(
        actor=_SEED,
        key="double",
        at=at - timedelta(days=2),
        store=card.member.home_store,
        phone=_DOUBLE,
        consents=consents,
        name=card.member.name,
        language=card.member.language,
    )
    opened, _outcome = open_card(
        actor=_SEED, key="double-card", at=at, store=double.home_store, member=double, product=card.product
    )
    recharge_card(
        actor=_SEED,
        key="double-recharge",
        at=at,
        store=double.home_store,
        card=opened,
        tender=TenderPaid(TenderType.WECHAT, 20_000, "DEMO-DOUBLE"),
    )


def _change(member: Member, at: datetime) -> None:
    home = member.home_store
    in_charge = Staff.objects.filter(roles__store=home, roles__role__in=(Role.MANAGER, Role.OWNER)).first()
    if in_charge is None:
        return
    change_phone(
        actor=Actor(f"staff:{in_charge.pk}", in_charge.pk),
        key="demo-phone",
        at=at - timedelta(hours=3),
        store=home,
        member=member,
        phone=_NEW,
        reason="手机丢失 / Phone lost",
    )
