"""`manage.py seed --demo`: three shops with a year behind them, in both languages, in a few seconds."""

from __future__ import annotations

import json
import os
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from campaigns.models import TriggerRule
from crm.seeding import loyalty, setting_up
from crm.seeding.book import Book
from crm.seeding.cards import open_cards
from crm.seeding.control import seed_control
from crm.seeding.coupons import open_coupons
from crm.seeding.history import YEAR, Life, Place, draw_life, live
from crm.seeding.money import plant_stories, sign_days
from crm.seeding.past_texts import write_past_texts
from crm.seeding.paying import open_payments
from crm.seeding.people import phone_number, somebody
from crm.seeding.persons import open_persons
from members.domain.enrolment import phone_hash
from members.domain.expiry import expire_lots
from members.enums import AccountKind, CardStatus, ConsentSource, OperationKind, Purpose
from members.models import Card, ConsentEntry, Member, MemberFacts, Operation, Purchase, Store

SEED = 2026
WORDING = "2026-11"


def seed_demo(*, at: datetime) -> dict[str, int] | None:
    """Fill an empty database; None when there is a store already. Writes the log-ins to DATA_DIR/demo.json (0600)."""
    if Store.objects.exists():
        return None
    with transaction.atomic():
        stores = setting_up.open_stores()
        staff, logins = setting_up.employ(stores)
        places = setting_up.open_places(staff)
        rules = setting_up.write_texts(staff["marketer"], staff["owner"], at - YEAR)
        TriggerRule.objects.update(is_on=False)  # until the texts of the demo's own deeds are written as past
        gateway = setting_up.connect_simulator()
        setting_up.draft_campaigns(stores, staff["marketer"], staff["owner"], at)
        loyalty.write_rules(places, at)
        lives = _enrol(places, at)
        book = Book()
        live(book, lives)
        _external_facts(book, lives, at)
        birthdays = loyalty.birthdays(book, lives, at)
        book.store_all()
        loyalty.say_why(birthdays)
        _count_facts(book, lives)
        shown = _cards_with(lives, 20_000)
        open_payments(stores, shown, at=at)
        open_cards(stores, spared=shown, at=at)
        loyalty.open_tiers(at)  # judged on all that was spent, not before the last of it
        plant_stories(stores, staff, at=at)
        open_coupons(stores, shown, at=at)
        open_persons(shown, at=at)
        seed_control(staff, stores[0], at=at)
        sign_days(stores, staff, at=at)
        expire_lots(at=at)  # before the schedule comes by
        TriggerRule.objects.update(is_on=True)
        messages = write_past_texts(rules, gateway, at)
        key = setting_up.give_key(stores)
    phones = [life.member.phone for life in lives if life.wallet and life.wallet.balance()][:8]
    write_private(settings.DATA_DIR / "demo.json", {"logins": logins, "api_key": key, "members": phones})
    return {"stores": len(stores), "members": len(lives), "messages": messages} | book.counts()


def _cards_with(lives: list[Life], minor: int) -> list[Card]:
    """The first two cards of the showcase with so much to spend."""
    shown = [life.member.pk for life in lives if life.wallet and life.wallet.balance()][:8]
    cards = Card.objects.filter(
        member__in=shown,
        status=CardStatus.ACTIVE,
        accounts__kind=AccountKind.PRINCIPAL,
        accounts__balance__gte=minor,
    )
    return list(cards.select_related("member", "store", "product").order_by("member_id")[:2])


def _enrol(places: list[Place], now: datetime) -> list[Life]:
    rng = random.Random(SEED)
    lives, index = [], 0
    for place in places:
        for _ in range(place.shop.members):
            index += 1
            own = random.Random(f"{SEED}:{index}")
            member = _member(place, own, index, now - timedelta(days=rng.uniform(3, YEAR.days)))
            lives.append(draw_life(member, place, own, now))
    Member.objects.bulk_create([life.member for life in lives])
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            member=life.member,
            purpose=purpose,
            is_given=given,
            wording_version=WORDING,
            source=ConsentSource.TILL,
            store=life.place.store,
            staff=life.place.cashier,
            at=life.member.enrolled_at,
        )
        for life in lives
        for purpose, given in (
            (Purpose.SERVICE, life.member.has_service_consent),
            (Purpose.MARKETING, life.member.has_marketing_consent),
        )
    )
    return lives


def _member(place: Place, rng: random.Random, index: int, enrolled_at: datetime) -> Member:
    person = somebody(rng, place.shop.chinese_share)
    phone = phone_number(index)
    return Member(
        member_no=f"R{10_000 + index}",
        phone=phone,
        phone_hash=phone_hash(phone),
        name=person.name,
        language=person.language,
        birthday=person.birthday if rng.random() < 0.8 else None,
        gender=person.gender,
        home_store=place.store,
        tags=sorted(rng.sample(place.shop.tags, rng.choice((0, 0, 1, 1, 2)))),
        source=ConsentSource.TILL,
        has_service_consent=rng.random() < 0.96,
        has_marketing_consent=rng.random() < 0.78,
        enrolled_at=enrolled_at,
    )


def _external_facts(book: Book, lives: list[Life], now: datetime) -> None:
    """What other systems reported lately: bookings, arrivals, missed calls."""
    rng = random.Random(SEED + 1)
    known = [
        life for life in lives if life.wallet and life.visits and life.visits[-1] > now - timedelta(days=60)
    ]
    for number, life in enumerate(rng.sample(known, min(45, len(known)))):
        at = now - timedelta(hours=rng.uniform(1, 24 * 20))
        local = (now + timedelta(days=rng.randint(1, 12))).astimezone(life.place.store.zone)
        starts = local.replace(
            hour=rng.randrange(*life.place.shop.hours), minute=rng.choice((0, 30)), second=0
        )
        name, payload = rng.choice(
            (
                (
                    "booking_made",
                    {
                        "service": rng.choice(life.place.shop.services),
                        "starts_at": starts.replace(microsecond=0).isoformat(),
                    },
                ),
                ("customer_arrived", {"place": "Wi-Fi"}),
                ("call_missed", {"called": life.place.store.phone}),
            )
        )
        if life.wallet:
            book.tell(name, life.wallet, payload, at, source="api:demo", key=f"demo-{number}")


def _count_facts(book: Book, lives: list[Life]) -> None:
    """MemberFacts from the purchases and refunds of the book."""
    facts = {life.member.pk: MemberFacts(member=life.member) for life in lives}
    for purchase in book.rows[Purchase]:
        known = facts[purchase.member_id]
        known.visits += 1
        known.spend_minor += purchase.amount_minor
        known.first_visit_at = known.first_visit_at or purchase.at
        known.last_visit_at = purchase.at
    for operation in book.rows[Operation]:
        if operation.kind == OperationKind.REFUND:
            facts[operation.member_id].spend_minor -= operation.amount_minor
    MemberFacts.objects.bulk_create(facts.values())


def write_private(path: Path, content: Any) -> None:
    """A file only its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, ensure_ascii=False, indent=1)
