"""`manage.py seed --members N --months M`: made-up members by COPY and set-based SQL, for measurements.

The same numbers give the same members, visits and amounts, whenever it is run: only the days are counted back from
now. Four in ten members hold a card with stored value, the others' visits are plain purchases.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.color import no_style
from django.db import connection, transaction

from crm.seeding.people import phone_number, somebody
from members.domain.verify import verify
from members.enums import SpendOrder
from members.models import (
    Account,
    Card,
    CardProduct,
    Entry,
    Lot,
    LotUse,
    Member,
    MembershipEvent,
    Operation,
    Purchase,
    Store,
    Tender,
)
from members.phones import keyed_hasher

SQL = Path(__file__).with_name("synthetic.sql")
TABLES = (Account, Card, Entry, Lot, LotUse, Member, MembershipEvent, Operation, Purchase, Tender)
LARGE = (Entry, Lot, LotUse, MembershipEvent, Operation, Purchase)
MEMBERS_PER_STORE = 20_000
FIRST_PHONE = 100_000
_MEMBER_COLUMNS = (
    "id, public_id, member_no, phone, phone_hash, name, language, birthday, gender, home_store_id, tags, notes, "
    "source, timezone, has_service_consent, has_marketing_consent, enrolled_at"
)


def seed_synthetic(
    *, members: int, months: int, seed: int, at: datetime, rebuild_from: int = 50_000
) -> dict[str, Any]:
    """Make the data in one transaction and check the ledger. Refuses a seed number that is there already.

    From `rebuild_from` members on, the indexes of the large tables are built once at the end; they are locked
    until then.
    """
    name = f"Sample {seed}"
    if Store.objects.filter(name__startswith=f"{name}-").exists():
        raise CommandError(f"The sample with the seed number {seed} is in this database already.")
    with transaction.atomic(), connection.cursor() as cursor:
        stores = _stores(name, max(1, min(50, members // MEMBERS_PER_STORE)))
        product = CardProduct.objects.create(
            name=name, spend_order=SpendOrder.PRINCIPAL_FIRST, points_valid_days=730
        )
        may_rebuild = _without_triggers(cursor) and members >= rebuild_from
        taken = _take_indexes(cursor) if may_rebuild else []
        first_member = _copy_members(cursor, members, months, seed, stores, at)
        values: dict[str, Any] = {
            "first": first_member,
            "seed": seed,
            "days": months * 365 // 12,
            "at": at,
            "product": product.pk,
            "stores": [store.pk for store in stores],
        }
        for statement in SQL.read_text().split(";\n"):
            if statement.strip():
                cursor.execute(statement, values)
        for statement in taken:
            cursor.execute(statement)
        for statement in connection.ops.sequence_reset_sql(no_style(), list(TABLES)):
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    report = verify()
    if not report.is_sound:
        raise CommandError(str(report.faults[0]))
    return {"stores": len(stores), "members": members, "purchases": Purchase.objects.count(), **report.counts}


def _without_triggers(cursor: Any) -> bool:
    """Ten million rows need no guard each: the whole is verified afterwards. Kept on when we may not switch."""
    cursor.execute("SET LOCAL work_mem = '128MB'")
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    cursor.execute("SET LOCAL synchronous_commit = off")
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    may_switch = bool(cursor.fetchone()[0])
    if may_switch:
        cursor.execute("SET LOCAL session_replication_role = replica")
    return may_switch


def _take_indexes(cursor: Any) -> list[str]:
    """Drop the indexes and unique constraints of the large tables; the statements that bring them back."""
    tables = [table._meta.db_table for table in LARGE]
    cursor.execute(
        """SELECT c.conname, c.conrelid::regclass::text, pg_get_constraintdef(c.oid) FROM pg_constraint c
           WHERE c.conrelid = ANY(%s::regclass[]) AND c.contype = 'u'""",
        [tables],
    )
    back = []
    for name, table, definition in cursor.fetchall():
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        back.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    cursor.execute(
        """SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
           WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisprimary""",
        [tables],
    )
    for name, definition in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
        back.append(definition)
    return back


def _stores(name: str, count: int) -> list[Store]:
    return Store.objects.bulk_create(
        Store(name=f"{name}-{number:02d}", sms_signature="Sample", language=("zh-hans", "en")[number % 2])
        for number in range(1, count + 1)
    )


def _copy_members(
    cursor: Any, members: int, months: int, seed: int, stores: list[Store], at: datetime
) -> int:
    """COPY the people; returns the first id. Eight in ten agreed to marketing."""
    rng = random.Random(seed)
    hashed = keyed_hasher(settings.REGULARS_PHONE_KEY.encode())
    people = [somebody(rng, 0.6) for _ in range(min(members, 5000))]
    cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM members_member")
    first = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM members_member WHERE phone LIKE '+861999%'")
    phone_index = FIRST_PHONE + cursor.fetchone()[0]
    enrolled = (at - timedelta(days=months * 365 // 12 + 1)).isoformat()
    homes = [store.pk for store in stores]
    with cursor.copy(f"COPY members_member ({_MEMBER_COLUMNS}) FROM STDIN") as copy:
        lines = []
        for place in range(members):
            person = people[rng.randrange(len(people))]
            phone = phone_number(phone_index + place)
            word = "t" if rng.random() < 0.8 else "f"
            lines.append(
                f"{first + place}\t{rng.getrandbits(128):032x}\tS{seed}-{place + 1:07d}\t{phone}\t"
                f"\\\\x{hashed(phone).hex()}\t{person.name}\t{person.language}\t{person.birthday}\t{person.gender}\t"
                f"{homes[place % len(homes)]}\t{{}}\t\tsample\t\tt\t{word}\t{enrolled}\n"
            )
            if len(lines) == 10_000:
                copy.write("".join(lines))
                lines.clear()
        copy.write("".join(lines))
    return first
