"""What no form sends but somebody may: answered plainly, never with a server error, and nothing half done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members.enums import Role
from members.models import Approval, AuditEntry, CouponDefinition, DayClose, Member
from messaging.models import Conversation
from tests.conftest import NOON, employ
from tests.crm.staff.conftest import at_work, text_of
from tests.house.things import talk_of

FAR_DAYS = [
    {"until": "9999-12-31"},
    {"until": "0001-01-01"},
    {"since": "0001-01-01"},
    {"since": "9999-12-31"},
]


@pytest.fixture
def owner(riverside):
    return at_work(employ(riverside, "olga", Role.OWNER))


@pytest.mark.parametrize("name", ["message_list", "export_messages", "audit_log", "export_audit"])
@pytest.mark.parametrize("asked", FAR_DAYS)
def test_a_day_that_no_shop_has_had_asks_nothing(owner, name, asked):
    answer = owner.get(reverse(f"staff:{name}"), asked)

    assert answer.status_code == 200
    list(answer)


@pytest.mark.parametrize(
    "after",
    ["2026-13-45T00:00:00Z_1", "2026-11-20T00:00:00Z_²", "2026-11-20T00:00:00Z_" + "9" * 5000, "x"],
)
def test_a_cursor_that_is_none_shows_the_first_page_of_the_inbox(cashier, after):
    assert cashier.get(reverse("staff:inbox"), {"after": after}).status_code == 200


def test_a_store_of_five_thousand_digits_does_not_exist(cashier):
    assert cashier.post(reverse("staff:choose_store"), {"store": "9" * 5000}).status_code == 404


@pytest.mark.parametrize("name", ["find_member", "export_members", "export_messages", "export_audit"])
def test_nul_in_an_address_is_a_bad_request(owner, name):
    assert owner.get(reverse(f"staff:{name}"), {"q": "\x00a"}).status_code == 400


def test_nul_in_a_form_is_a_bad_request(owner):
    signed = owner.post(reverse("staff:money_day", args=["2026-11-20"]), {"deed": "close", "note": "\x00"})

    assert (signed.status_code, DayClose.objects.count()) == (400, 0)


def test_a_decision_that_is_neither_yes_nor_no_decides_nothing(manager, chen, riverside, li_lei):
    request = Approval.objects.create(
        deed="adjust",
        payload={},
        payload_hash=b"",
        member=li_lei,
        store=riverside,
        maker=chen,
        asked_at=NOON,
        expires_at=timezone.now() + timedelta(days=9),
    )

    answer = manager.post(
        reverse("staff:decide_approval", args=[request.public_id]), {"password": "a long enough word"}
    )

    request.refresh_from_db()
    assert (answer.status_code, request.status) == (404, "pending")


@pytest.mark.parametrize(("to", "code", "said"), [("nobody here", 404, ""), ("", 302, "It is nobody’s now.")])
def test_a_conversation_given_to_nobody_is_told_so(cashier, chen, card, to, code, said):
    found = talk_of(card)["conversation"]
    Conversation.objects.update(owner=chen)
    where = reverse("staff:manage_conversation", args=[found.public_id])

    answer = cashier.post(where, {"deed": "assign", "to": to})

    found.refresh_from_db()
    assert (answer.status_code, found.owner) == (code, chen if code == 404 else None)
    assert said in text_of(cashier.get(reverse("staff:inbox")))


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", ",50000,"), ("KWD", ",50.000,"), ("CNY", ",500.00,")]
)
def test_a_file_writes_money_with_the_places_of_its_currency(owner, loaded_card, settings, currency, shown):
    settings.REGULARS_CURRENCY = currency

    assert shown in text_of(owner.get(reverse("staff:money_liability"), {"format": "csv"}))


def saved_columns(asked: CaptureQueriesContext, table: str) -> str:
    """The assignments of the one UPDATE of a table."""
    (sql,) = [q["sql"] for q in asked.captured_queries if q["sql"].startswith(f'UPDATE "{table}"')]
    return sql.partition(" SET ")[2].partition(" WHERE ")[0]


def test_a_profile_writes_what_was_changed_and_no_consent_that_moved_meanwhile(cashier, li_lei):
    Member.objects.filter(pk=li_lei.pk).update(tags=["vip"])
    form = {"name": "Li Lei", "language": "zh-hans", "tags": "vip", "notes": "", "gender": "", "birthday": ""}

    with CaptureQueriesContext(connection) as asked:
        cashier.post(reverse("staff:member_profile", args=[li_lei.public_id]), form)

    assert saved_columns(asked, "members_member") == "\"language\" = 'zh-hans'"
    assert AuditEntry.objects.get(verb="changed").after == {"fields": ["language"]}


def test_a_changed_coupon_leaves_the_counts_to_the_till(manager, riverside):
    coupon = CouponDefinition.objects.create(name="Spring", off_minor=1000)
    coupon.stores.set([riverside])
    form = {
        "name": "Summer",
        "kind": "amount",
        "off_minor": "10",
        "stores": [riverside.pk],
        "is_active": "on",
    }

    with CaptureQueriesContext(connection) as asked:
        where = reverse("staff:coupon_edit", args=[coupon.public_id])
        manager.post(where, {**form, "refund_policy": coupon.refund_policy})

    written = saved_columns(asked, "members_coupondefinition")
    assert "Summer" in written
    assert '"issued"' not in written and '"taken_minor"' not in written
