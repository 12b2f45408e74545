"""The people and places every test may use: a shop in Shanghai, its staff, its regulars."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pgtrigger
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client, override_settings
from django.utils import timezone, translation
from django.utils.crypto import get_random_string
from pytest_django import DjangoDbBlocker

from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor, TenderPaid
from members.enums import ConsentSource, Role, TenderType
from members.models import Card, CardProduct, Member, Staff, StaffRole, Store
from messaging.models import TemplateVersion
from tests.journeys.browser_chromium import quit_chromium

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # midday in Shanghai

# What migrations and post_migrate put in; every other table is emptied after a test on the committed database.
KEPT_TABLES = frozenset(
    {
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "members_postingrule",
        "messaging_sendingwindow",
        "messaging_closedday",
    }
)


class QuickArgon2(Argon2PasswordHasher):
    """As in the house, for a hundredth of the cost: its hashes are good in the house's own processes too."""

    time_cost, memory_cost, parallelism = 1, 8, 1


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """`make test` has migrated one database: each test process copies it."""
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get("REGULARS_TEST_TEMPLATE")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """No commit waits for the disk: a test's database need not outlive its server. Who kills one has it to himself."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.close()  # those opened from now on have it


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Nobody's password takes a tenth of a second in a test, and no code a fortieth."""
    with override_settings(
        PASSWORD_HASHERS=[f"{__name__}.{QuickArgon2.__name__}"], REGULARS_CODE_HASH_COST=2**4
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def house_log_unread() -> None:
    """pytest tells what a failed test has logged: no line is put into words for standard error as well."""
    logging.getLogger().handlers.clear()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Seven thousand tests stay: looking through them again and again for garbage was a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    if "PYTEST_XDIST_WORKER" in os.environ:
        alone = [
            item
            for item in session.items
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid
        ]
        assert not alone, (
            "pytest and xdist no longer agree on groups: crowds and journeys would run beside each other"
        )


@pytest.fixture(scope="session", autouse=True)
def own_cache(worker_id: str) -> Iterator[None]:
    """Two test processes have members, cards and texts of the same numbers: neither finds the other's in the cache."""
    own = settings.CACHES["default"] | {"KEY_PREFIX": f"regulars-{worker_id}"}
    with override_settings(CACHES={"default": own}):
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_unlisted() -> Iterator[None]:
    """Each browser of a test is a web server of its own: it looks a static file up when asked, and lists none before."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def no_browser_left() -> Iterator[None]:
    """The tests of a process share one browser, started by the first that wants it."""
    yield
    quit_chromium()


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A test that read in Chinese leaves no Chinese behind for the next one."""
    yield
    translation.deactivate()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database without a transaction around the test: other processes see what the test writes.

    For fixtures of this file, let the module say `@pytest.fixture def db(committed_db): ...`. Emptied afterwards as
    a replica would be, since the append-only tables refuse TRUNCATE. Refuses any database that is not a test's:
    pytest-django makes one only if some chosen test asks for `db`, else the connection is the real one.
    """
    name = str(connection.settings_dict["NAME"])
    if not name.startswith("test_"):
        pytest.fail(f"{name} is not a test database: the test has to ask for `db` as well")
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            empty_tables()


def empty_tables() -> None:
    """Delete what stands in the tables, guards asleep, and count from 1 again.

    Only where something stands: TRUNCATE of every table makes every file anew, which costs more than most tests.
    """
    quote = connection.ops.quote_name
    tables = sorted(set(connection.introspection.table_names()) - KEPT_TABLES)
    filled = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quote(name)})" for name in tables
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(filled)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quote(name)}")
        cursor.execute(
            "SELECT setval(s.seqrelid::regclass, s.seqstart, false) FROM pg_sequence s"
            " JOIN pg_depend d ON d.objid = s.seqrelid AND d.deptype IN ('a', 'i')"
            " JOIN pg_class t ON t.oid = d.refobjid"
            " WHERE t.relname <> ALL(%s) AND pg_sequence_last_value(s.seqrelid) IS NOT NULL",
            [sorted(KEPT_TABLES)],
        )


def reworded(versions: QuerySet[TemplateVersion], text: str) -> None:
    """Change wordings that stand, behind the engine's back: the database refuses it to everybody else."""
    with pgtrigger.ignore("messaging.TemplateVersion:template_text_stays"):
        versions.update(text=text)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def riverside(db: None) -> Store:
    return Store.objects.create(
        name="Riverside", phone="021 5555 0100", sms_signature="常客", language="en", timezone="Asia/Shanghai"
    )


@pytest.fixture
def hilltop(db: None) -> Store:
    return Store.objects.create(name="Hilltop", sms_signature="常客", language="zh-hans")


def employ(store: Store, username: str, *roles: Role) -> Staff:
    staff = Staff.objects.create_user(username, password="a long enough word", display_name=username.title())
    StaffRole.objects.bulk_create([StaffRole(staff=staff, store=store, role=role) for role in roles])
    return staff


def log_in(client: Client, staff: Staff) -> None:
    """This person came in a while ago: a session is all of it that is written, with one query in place of nineteen."""
    key = get_random_string(32)
    said = {
        SESSION_KEY: str(staff.pk),
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: staff.get_session_auth_hash(),
    }
    ends_at = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    Session.objects.create(session_key=key, session_data=Session.objects.encode(said), expire_date=ends_at)
    client.cookies[settings.SESSION_COOKIE_NAME] = key


@pytest.fixture
def chen(riverside: Store) -> Staff:
    """Chen, cashier at Riverside."""
    return employ(riverside, "chen", Role.CASHIER)


@pytest.fixture
def mei(riverside: Store) -> Staff:
    """Mei, manager and marketer at Riverside."""
    return employ(riverside, "mei", Role.MANAGER, Role.MARKETER)


@pytest.fixture
def wang(hilltop: Store) -> Staff:
    """Wang, cashier at Hilltop: a stranger to Riverside."""
    return employ(hilltop, "wang", Role.CASHIER)


@pytest.fixture
def at_till(chen: Staff) -> Actor:
    return Actor(scope=f"staff:{chen.pk}", staff_id=chen.pk)


@pytest.fixture
def product(db: None) -> CardProduct:
    return CardProduct.objects.create(name="House card", points_per_unit=1, points_valid_days=365)


Enrol = Callable[..., Member]


@pytest.fixture
def enrol(riverside: Store, at_till: Actor) -> Enrol:
    """Enrol somebody at Riverside: `enrol("13800138000", name="Li Lei", marketing=False)`."""

    def _enrol(
        phone: str, *, marketing: bool = True, service: bool = True, store: Store = riverside, **more
    ) -> Member:
        consents = Consents(service, marketing, "2026-11", ConsentSource.TILL)
        return enrol_member(
            actor=at_till, key=f"enrol-{phone}", at=NOON, store=store, phone=phone, consents=consents, **more
        )

    return _enrol


@pytest.fixture
def li_lei(enrol: Enrol) -> Member:
    return enrol("13800138000", name="Li Lei", language="en")


@pytest.fixture
def card(li_lei: Member, at_till: Actor, riverside: Store, product: CardProduct) -> Card:
    """Li Lei's card, empty."""
    card, _ = open_card(actor=at_till, key="open", at=NOON, store=riverside, member=li_lei, product=product)
    return card


@pytest.fixture
def loaded_card(card: Card, at_till: Actor, riverside: Store) -> Card:
    """Li Lei's card with 500.00 of principal."""
    recharge_card(
        actor=at_till,
        key="first-recharge",
        at=NOON,
        store=riverside,
        card=card,
        tender=TenderPaid(TenderType.CASH, 50000),
    )
    return card
