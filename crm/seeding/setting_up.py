"""The demo's stores, staff, texts, rules, gateway and key: what a shop would set up in its first hour."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password

from campaigns.domain import drafting
from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind
from campaigns.models import TriggerRule
from crm.api.models import ApiKey
from crm.seeding.history import Place
from crm.seeding.shops import CASHIERS, SHOPS, STAFF, Person
from crm.seeding.texts import WORDINGS
from members.models import CardProduct, RechargePlan, Reward, Staff, StaffRole, Store
from messaging.domain import texts
from messaging.enums import VersionStatus
from messaging.models import Gateway, Template
from messaging.secrets import encrypt_secret

_WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fern",
    "grove",
    "heron",
    "iris",
    "juniper",
    "kite",
    "linden",
    "maple",
    "north",
    "olive",
    "pearl",
]


def open_places(staff: dict[str, Staff]) -> list[Place]:
    """The three shops with their card products, plans and rewards."""
    places = []
    for index, shop in enumerate(SHOPS):
        store = Store.objects.get(name=shop.name)
        product = CardProduct.objects.create(
            name=shop.product,
            spend_order=shop.spend_order,
            points_per_unit=shop.points_per_unit,
            points_valid_days=730,
        )
        plans = [
            RechargePlan(
                name=f"{plan.pay_minor // 100} + {plan.bonus_minor // 100}",
                store=store,
                pay_minor=plan.pay_minor,
                bonus_minor=plan.bonus_minor,
                bonus_valid_days=plan.bonus_valid_days,
                points=plan.points,
            )
            for plan in shop.plans
        ]
        rewards = [Reward(name=name, store=store, points=points) for name, points in shop.rewards]
        RechargePlan.objects.bulk_create(plans)
        Reward.objects.bulk_create(rewards)
        places.append(Place(shop, store, product, plans, rewards, staff[CASHIERS[index]]))
    return places


def open_stores() -> list[Store]:
    """The stores, in the order of SHOPS."""
    return Store.objects.bulk_create(
        Store(
            name=shop.name,
            address=shop.address,
            phone=shop.phone,
            timezone=shop.timezone,
            language=shop.language,
            sms_signature=shop.signature,
        )
        for shop in SHOPS
    )


def employ(stores: list[Store]) -> tuple[dict[str, Staff], list[dict[str, str]]]:
    """Staff of every role, with one password made for this installation; it is returned once."""
    password = f"{secrets.choice(_WORDS)}-{secrets.choice(_WORDS)}-{secrets.randbelow(9000) + 1000}"
    hashed = make_password(password)
    staff, logins, roles = {}, [], []
    for person in STAFF:
        staff[person.username] = Staff.objects.create(
            username=person.username,
            password=hashed,
            display_name=person.display_name,
            language=person.language,
            is_superuser=person.is_superuser,
            is_staff=True,
        )
        roles += [
            StaffRole(staff=staff[person.username], store=stores[place], role=role)
            for place, role in person.roles
        ]
        logins.append({"user": person.username, "password": password, "role": _in_words(person, stores)})
    StaffRole.objects.bulk_create(roles)
    return staff, logins


def _in_words(person: Person, stores: list[Store]) -> str:
    roles = ", ".join(dict.fromkeys(role.value for _place, role in person.roles))
    places = list(dict.fromkeys(place for place, _role in person.roles))
    where = (
        "all stores" if len(places) == len(stores) else " and ".join(stores[place].name for place in places)
    )
    return f"{roles}: {where}"


def write_texts(author: Staff, approver: Staff, at: datetime) -> list[TriggerRule]:
    """Every wording approved in both languages (the linter passes industry texts by itself), every rule on."""
    rules = []
    for wording in WORDINGS:
        template = Template.objects.create(
            key=wording.key, name=wording.name, message_class=wording.message_class, event_type=wording.event
        )
        for language, text in wording.by_language():
            version = texts.save_draft(template=template, language=language, text=text, by=author, at=at)
            if version.status != VersionStatus.APPROVED:
                texts.approve(version=version, by=approver, at=at)
        if wording.event:
            rules.append(
                TriggerRule(
                    name=wording.name,
                    event_type=wording.event,
                    template=template,
                    dedupe_seconds=wording.dedupe_seconds,
                )
            )
    return TriggerRule.objects.bulk_create(rules)


def connect_simulator() -> Gateway:
    """The gateway to the phone simulator of this machine."""
    return Gateway.objects.create(
        name="Phone simulator",
        host="127.0.0.1",
        port=settings.REGULARS_SMSC_PORT,
        system_id="regulars",
        secret=encrypt_secret("demo"),
        sender="10690088",
        price_minor=4,
    )


def draft_campaigns(stores: list[Store], author: Staff, approver: Staff, at: datetime) -> None:
    """A promotion and two wake-up programmes: planned, approved by a second person, waiting to be launched."""
    riverside, lantern, _northgate = stores
    plans = (
        (
            CampaignKind.PUSH,
            riverside,
            "Weekday afternoons",
            "promotion-weekday",
            Audience(seen_days=180, visits_min=3),
        ),
        (CampaignKind.WAKEUP, riverside, "We miss you", "wake-up", Audience()),
        (CampaignKind.WAKEUP, lantern, "老客回访", "wake-up", Audience()),
    )
    wordings = {wording.key: dict(wording.by_language()) for wording in WORDINGS}
    for kind, store, name, key, audience in plans:
        campaign = drafting.create_draft(kind=kind, store=store, name=name, by=author)
        campaign = drafting.save_plan(campaign=campaign, audience=audience, wording=wordings[key], changes={})
        drafting.submit(campaign=campaign, by=author, at=at)
        drafting.approve(campaign=campaign, by=approver, at=at)


def give_key(stores: list[Store]) -> str:
    """A partner's API key for all stores; shown once."""
    key, plain = ApiKey.objects.create_key(name="Demo partner")
    ApiKey.objects.get(pk=key.pk).stores.set(stores)
    return plain
