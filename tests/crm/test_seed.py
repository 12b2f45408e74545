"""The demo is lively, sound and made once; the sample is the same each time."""

import io
import json
import re
import stat

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Sum
from django.test import RequestFactory, override_settings
from django.utils.timezone import now

from campaigns.domain.drafting import is_approved
from campaigns.models import Campaign, RuleFiring, TriggerRule
from crm.api.models import ApiKey
from crm.seeding.synthetic import seed_synthetic
from crm.seeding.texts import WORDINGS
from members.domain.verify import verify
from members.enums import OperationKind, Role
from members.event_types import EVENT_TYPES
from members.models import (
    Account,
    Entry,
    Lot,
    Member,
    MemberFacts,
    MembershipEvent,
    Operation,
    Purchase,
    Staff,
    StaffRole,
    Store,
)
from messaging.enums import MessageClass, VersionStatus
from messaging.linter import lint
from messaging.models import Gateway, Message, Template, TemplateVersion
from messaging.secrets import decrypt_secret
from messaging.states import OPEN

pytestmark = pytest.mark.django_db


def seed(**options) -> str:
    out = io.StringIO()
    call_command("seed", stdout=out, **options)
    return out.getvalue()


@pytest.fixture(scope="class")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    with override_settings(DATA_DIR=folder):
        yield folder


@pytest.fixture(scope="class")
def demo(django_db_setup, django_db_blocker, folder):
    """Made once for the class, in a transaction around those of its tests."""
    with django_db_blocker.unblock(), transaction.atomic():
        seed(demo=True)
        yield json.loads((folder / "demo.json").read_text())
        transaction.set_rollback(True)


@pytest.mark.xdist_group("demo")
class TestTheDemo:
    def test_the_demo_is_lively_and_sound(self, demo):
        kinds = set(Operation.objects.values_list("kind", flat=True))
        assert Store.objects.count() == 3
        assert Store.objects.values("timezone").distinct().count() == 2
        assert Member.objects.count() == 306
        assert set(Member.objects.values_list("language", flat=True)) == {"en", "zh-hans"}
        assert 150 < Member.objects.filter(has_marketing_consent=True).count() < 290
        assert kinds == set(OperationKind)
        assert not Lot.objects.filter(remaining__gt=F("held"), expires_at__lte=now()).exists()
        assert Purchase.objects.count() > 1500
        assert (now() - Operation.objects.earliest("at").at).days > 300
        assert not Operation.objects.filter(at__gt=now()).exists()
        assert not MembershipEvent.objects.filter(at__gt=now()).exists()
        assert not Message.objects.filter(state__in=OPEN).exists(), "nothing of it waits to be sent"
        assert Message.objects.count() == RuleFiring.objects.count() > 200

        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the guards of the database itself
        report = verify()
        assert report.is_sound, report.faults
        assert report.counts["entries"] > 8000

        spent = Purchase.objects.aggregate(total=Sum("amount_minor"))["total"]
        refunded = Operation.objects.filter(kind=OperationKind.REFUND).aggregate(total=Sum("amount_minor"))[
            "total"
        ]
        facts = MemberFacts.objects.aggregate(visits=Sum("visits"), spend=Sum("spend_minor"))
        assert facts == {"visits": Purchase.objects.count(), "spend": spent - refunded}

    def test_the_demo_is_set_up_to_be_used_and_made_once(self, demo, folder, settings):
        path = folder / "demo.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert set(StaffRole.objects.values_list("role", flat=True)) == set(Role)
        assert authenticate(RequestFactory().post("/"), **_credentials(demo["logins"][0]))
        assert {login["user"] for login in demo["logins"]} == set(
            Staff.objects.values_list("username", flat=True)
        )
        assert ApiKey.objects.get_from_key(demo["api_key"]).stores.count() == 3
        assert Member.objects.filter(phone__in=demo["members"]).count() == len(demo["members"]) > 3

        told = set(EVENT_TYPES) - {"member_enrolled"}
        assert set(TriggerRule.objects.filter(is_on=True).values_list("event_type", flat=True)) == told
        approved = TemplateVersion.objects.filter(status=VersionStatus.APPROVED)
        assert (
            approved.count() == 2 * Template.objects.count() == 2 * (len(WORDINGS) + Campaign.objects.count())
        )
        marketing = approved.filter(template__message_class=MessageClass.MARKETING)
        assert all(version.approved_by_id not in (None, version.written_by_id) for version in marketing)

        gateway = Gateway.objects.get()
        assert (gateway.host, gateway.port) == ("127.0.0.1", settings.REGULARS_SMSC_PORT)
        assert decrypt_secret(gateway.secret)
        assert set(Campaign.objects.values_list("status", flat=True)) == {"draft"}
        assert all(is_approved(campaign) for campaign in Campaign.objects.all()), "one press launches them"

        before = path.read_text()
        assert "Nothing was done" in seed(demo=True)
        assert path.read_text() == before and Store.objects.count() == 3


def _credentials(login: dict[str, str]) -> dict[str, str]:
    return {"username": login["user"], "password": login["password"]}


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.key)
def test_industry_texts_pass_the_linter_and_promotions_do_not(wording):
    for _language, text in wording.by_language():
        verdict = lint(text)
        if wording.message_class == MessageClass.MARKETING:
            assert verdict.is_promotional
        else:
            assert not verdict.needs_review, [finding.word for finding in verdict.findings]
        assert not re.search(r"STOP|退订|拒收", text), "the engine adds the opt-out text"


# The sample for measurements


def summary() -> list:
    entries = Entry.objects.order_by("id").values_list("account_kind", "amount", "seq", "balance_after")
    people = Member.objects.order_by("id").values_list("member_no", "phone", "name", "has_marketing_consent")
    return [list(entries), list(people)]


def test_a_sample_is_sound_and_its_numbers_are_told():
    told = seed(members=400, months=12)

    assert "400 members" in told
    assert verify().is_sound
    assert Entry.objects.count() > 2500
    assert MemberFacts.objects.aggregate(n=Sum("visits"))["n"] == Purchase.objects.count()
    assert Account.objects.filter(kind="principal", balance__gt=0).exists()
    assert not Purchase.objects.filter(at__gt=now()).exists()


def test_a_large_sample_builds_its_indexes_at_the_end_and_they_are_all_back():
    before = indexes()

    seed_synthetic(members=60, months=6, seed=3, at=now(), rebuild_from=1)

    assert indexes() == before and verify().is_sound


def indexes() -> set:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
        found = set(cursor.fetchall())
        cursor.execute("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint")
        found |= set(cursor.fetchall())
    return {(name, without_casts(definition)) for name, definition in found}


def without_casts(definition: str) -> str:
    """PostgreSQL writes the same cast another way when it reads its own words."""
    return re.sub(r"::(?:character varying|text)(?:\[\])?|[()]", "", definition)


def test_the_next_sample_goes_beside_the_first_and_the_same_one_is_refused():
    seed(members=50, months=6, seed=1)
    seed(members=50, months=6, seed=2)

    assert Member.objects.count() == 100 and verify().is_sound
    with pytest.raises(CommandError, match="already"):
        seed(members=50, months=6, seed=2)


def test_the_same_seed_number_gives_the_same_data():
    summaries = []
    for _ in range(2):
        with transaction.atomic():
            seed(members=60, months=9, seed=5)
            summaries.append(summary())
            transaction.set_rollback(True)

    assert summaries[0] == summaries[1] and summaries[0][0]


@pytest.mark.parametrize(
    "options", [{}, {"demo": True, "members": 5}, {"members": -1}, {"members": 5, "months": 0}]
)
def test_what_to_seed_must_be_said(options):
    with pytest.raises(CommandError):
        seed(**options)
