"""How fast a deed at the till is, from the domain verb to the queued text, beside TPC-B on the same server."""

from __future__ import annotations

import random
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection, transaction

from campaigns.models import TriggerRule
from crm.bench.batch import measure_batch
from crm.bench.clients import rate
from crm.bench.database import bench_database, pgbench, versions
from members.domain.cards import recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.domain.till_cards import card_for_deed
from members.enums import AccountKind, TenderType
from members.models import Account, Card, Entry, Lot, MembershipEvent, Operation, Staff, Store
from members.models import Tender as TenderRow
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template

SIZES = {"small": (200, 2.0, 1), "standard": (10_000, 6.0, 3), "large": (1_000_000, 10.0, 3)}
CLIENTS = 8
HOT_ROW = "UPDATE bench_hot SET balance = balance - 1 WHERE id = 1 AND balance >= 1;"


def measure(*, size: str, data_dir: Path | None = None) -> dict[str, Any]:
    """Deeds per second through the domain against TPC-B; details: one hot card, one store, plain ORM saves."""
    members, seconds, runs = SIZES[size]
    with bench_database("ledger", members=members):
        ready_rules()
        cards = list(Card.objects.order_by("id").values_list("id", flat=True)[:5000])
        limit = _repeat(runs, lambda: _tpcb(seconds))
        random_cards = _repeat(runs, lambda: rate(_deeds(cards), clients=CLIENTS, seconds=seconds))
        hot = _repeat(runs, lambda: rate(_deeds(cards[:1]), clients=CLIENTS, seconds=seconds))
        hot_limit = _repeat(runs, lambda: _hot_row(seconds))
        plain = _repeat(runs, lambda: rate(_plain_deeds(cards), clients=CLIENTS, seconds=seconds))
        batch = measure_batch(size, runs)
        details = versions()
    value = median(random_cards)
    return {
        "name": "ledger",
        "value": round(value, 1),
        "unit": "deeds/s",
        "limit": round(median(limit), 1),
        "ratio": round(value / median(limit), 3),
        "goal": 0.5,
        "details": details
        | {
            "size": size,
            "members": members,
            "clients": CLIENTS,
            "seconds": seconds,
            "random_cards": _spread(random_cards),
            "tpcb": _spread(limit),
            "hot_card": _spread(hot),
            "hot_row_one_statement": _spread(hot_limit),
            "hot_card_ratio": round(median(hot) / median(hot_limit), 3),
            "hot_card_goal": 0.4,
            "plain_orm": _spread(plain),
            "times_plain_orm": round(value / median(plain), 2),
            "times_plain_orm_goal": 5,
        }
        | batch,
    }


def _repeat(runs: int, once: Callable[[], float]) -> list[float]:
    return [once() for _ in range(runs)]


def _spread(values: list[float]) -> list[float]:
    return [round(min(values), 1), round(median(values), 1), round(max(values), 1)]


def _tpcb(seconds: float) -> float:
    pgbench("-i", "-q", "-s", "10")
    return pgbench("-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds)), "-M", "prepared")


def _hot_row(seconds: float) -> float:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_hot")
        cursor.execute(
            "CREATE TABLE bench_hot (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0))"
        )
        cursor.execute("INSERT INTO bench_hot VALUES (1, 1000000000)")
    connection.close()
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(HOT_ROW)
        script.flush()
        return pgbench(
            "-n", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds)), "-M", "prepared", "-f", script.name
        )


def ready_rules() -> None:
    """A rule and its text for both deeds, so that every deed also queues an SMS."""
    author = Staff.objects.create_user("bench")
    for name in ("card_recharged", "card_spent"):
        template, is_new = Template.objects.get_or_create(
            key=f"bench-{name}",
            defaults={"name": name, "message_class": MessageClass.NOTIFICATION, "event_type": name},
        )
        text = "{name|Dear member}: {amount} at {store}. Balance {balance}."
        save_draft(template=template, language="en", text=text, by=author, at=datetime.now(UTC))
        TriggerRule.objects.update_or_create(
            name=f"bench {name}", event_type=name, store=None, defaults={"template": template}
        )


def _deeds(cards: list[int]) -> Callable[[int, int], None]:
    """Recharge and spend in turn on random cards, the spend from the card and what it lacks in cash; each committed."""
    store = Store.objects.order_by("id")[0]
    spread = random.Random()

    def deed(client: int, number: int) -> None:
        if number == 0:
            spread.seed(client)
        card = card_for_deed(spread.choice(cards))
        actor = Actor(scope=f"bench:{client}")
        at, key = datetime.now(UTC), str(uuid.uuid4())
        if number % 2 == 0:
            tender = TenderPaid(TenderType.CASH, 1000)
            recharge_card(actor=actor, key=key, at=at, store=store, card=card, tender=tender)
        else:
            rest = TenderPaid(TenderType.CASH, 0)
            spend(actor=actor, key=key, at=at, store=store, card=card, amount_minor=1000, rest=rest)

    return deed


def _plain_deeds(cards: list[int]) -> Callable[[int, int], None]:
    """The same deed as a typical team writes it: fetch, change, save, row by row."""
    store = Store.objects.order_by("id")[0]
    spread = random.Random()

    def deed(client: int, number: int) -> None:
        if number == 0:
            spread.seed(1000 + client)
            with (
                connection.cursor() as cursor
            ):  # without the house's guards, which refuse books kept row by row
                cursor.execute("SET session_replication_role = replica")
        with transaction.atomic():
            _plain_recharge(spread.choice(cards), store, str(uuid.uuid4()))

    return deed


def _plain_recharge(card_id: int, store: Store, key: str) -> None:
    card = Card.objects.get(pk=card_id)
    account = Account.objects.select_for_update().get(card=card, kind=AccountKind.PRINCIPAL)
    counter, _ = Account.objects.get_or_create(store=store, kind=AccountKind.TENDER)
    now = datetime.now(UTC)
    operation = Operation.objects.create(
        kind="recharge",
        scope="plain",
        key=key,
        store=store,
        member=card.member,
        card=card,
        amount_minor=1000,
        at=now,
    )
    Lot.objects.create(account=account, operation=operation, source=operation, original=1000, remaining=1000)
    account.balance = (account.balance or 0) + 1000
    account.last_seq += 1
    account.save()
    common = {"operation": operation, "operation_kind": "recharge", "unit": "money"}
    gained = Entry(
        account=account,
        account_kind="principal",
        sign=1,
        amount=1000,
        seq=account.last_seq,
        balance_after=account.balance,
        hash=b"not chained",
        **common,
    )
    paid = Entry(account=counter, account_kind="tender", sign=-1, amount=-1000, **common)
    Entry.objects.bulk_create([gained, paid])
    TenderRow.objects.create(operation=operation, type="wechat", amount_minor=1000)
    event = MembershipEvent.objects.create(
        type="card_recharged",
        member=card.member,
        store=store,
        operation=operation,
        source="plain",
        key=key,
        at=now,
    )
    Message.objects.create(
        member=card.member,
        store=store,
        phone=card.member.phone,
        phone_hash=card.member.phone_hash,
        message_class="notification",
        priority=2,
        text="Recharged",
        encoding="GSM-7",
        parts=1,
        cause="rule",
        cause_id=event.pk,
        event=event,
        timezone="Asia/Shanghai",
        state="queued",
        due_at=now,
        expires_at=now,
    )
