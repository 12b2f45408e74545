"""Who sees what. A cashier of another store finds, sees and changes nothing of Riverside."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from crm.staff import urls
from members.enums import Role
from members.models import (
    Entry,
    Member,
    MembershipEvent,
    Operation,
)
from messaging.models import Message
from tests.conftest import employ
from tests.crm.staff.conftest import at_work, send, text_of
from tests.house.things import one_of_each

DAILY_WORK = [pattern for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)]
# Addresses that name nobody, and what they may show to a stranger.
WITHOUT_SUBJECT = {
    *(
        "home",
        "login",
        "logout",
        "choose_store",
        "till",
        "find_member",
        "enrol_member",
        "enrol_member_forecast",
    ),
    *("dashboard", "dashboard_owed", "dashboard_back"),
    *("member_list", "export_members", "message_list", "tier_board"),
    *("approval_list", "audit_log", "export_audit", "frozen_accounts", "opening_balances"),
    *("coupon_list", "coupon_new", "coupon_preview"),
    *("inbox", "codes", "text_list", "text_new", "check_new_text", "review_list"),
    *(
        "text_detail",
        "check_text",
        "take_out_offer",
        "review",
        "decide_text",
        "note_provider",
    ),  # the house's texts
    *("gateway_board", "gateway_live", "alert_list", "dead_letters", "decide_letters", "after_restore"),
    *("pause_texts", "resume_texts", "export_messages", "money_budget"),
    *(
        "money",
        "money_liability",
        "money_settlement",
        "money_days",
        "money_day",
        "money_shifts",
        "money_fraud",
    ),
}


@pytest.fixture
def riverside_ids(cashier, chen, mei, loaded_card, rule, enrol) -> dict[str, object]:
    """One of each thing of Riverside's that an address can name."""
    rule("card_spent", "{name}: {amount}.")
    send(cashier, "spend", loaded_card, amount="100")
    things = one_of_each(loaded_card, cashier=chen, manager=mei, enrol=enrol)
    return {
        "member": loaded_card.member.public_id,
        "card": loaded_card.public_id,
        "operation": Operation.objects.get(kind="spend").public_id,
        "event": MembershipEvent.objects.get(type="card_spent").public_id,
        "message": Message.objects.get().public_id,
        **{
            name: thing for name, thing in things.items() if name not in ("on", "what")
        },  # days and classes are nobody's
    }


def addresses(ids: dict[str, object]) -> list[tuple[str, str]]:
    """Every address of the staff web that names something, with Riverside's ids in it."""
    found = []
    for pattern in DAILY_WORK:
        names = list(getattr(pattern.pattern, "converters", {}))
        if pattern.name and names and set(names) <= set(ids):
            found.append(
                (pattern.name, reverse(f"staff:{pattern.name}", kwargs={name: ids[name] for name in names}))
            )
    return found


def test_every_address_names_something_or_is_known_to_name_nothing(riverside_ids):
    own = {pattern.name for pattern in DAILY_WORK}

    assert own - {name for name, _where in addresses(riverside_ids)} - WITHOUT_SUBJECT == set()


def test_to_a_stranger_nothing_of_riverside_exists(stranger, wang, hilltop, riverside_ids):
    wang.roles.create(store=hilltop, role=Role.OWNER)  # even with every right at home
    before = (Entry.objects.count(), Member.objects.count())
    answers = {}
    for name, where in addresses(riverside_ids):
        form = {
            "amount": "1",
            "tender": "cash",
            "idempotency_key": str(uuid4()),
            "given": "0",
            "purpose": "marketing",
        }
        answers[f"GET {name}"] = stranger.get(where).status_code
        answers[f"POST {name}"] = stranger.post(where, form).status_code

    assert {name: code for name, code in answers.items() if code not in (404, 405)} == {}
    assert (Entry.objects.count(), Member.objects.count()) == before


@pytest.mark.parametrize("query", ["13800138000", "8000", "Li Lei", "li"])
def test_a_stranger_does_not_find_riversides_members(stranger, hilltop, li_lei, query):
    found = text_of(stranger.get(reverse("staff:find_member"), {"q": query}))
    listed = text_of(stranger.get(reverse("staff:member_list"), {"q": query}))

    assert str(li_lei.public_id) not in found + listed


def test_a_strangers_lists_hold_nothing_of_riversides(stranger, hilltop, riverside_ids, li_lei):
    pages = [
        text_of(stranger.get(reverse(f"staff:{name}"))) for name in ("till", "member_list", "message_list")
    ]

    assert "Li Lei" not in "".join(pages)


def test_a_stranger_cannot_choose_riverside(stranger, riverside, hilltop):
    assert stranger.post(reverse("staff:choose_store"), {"store": riverside.pk}).status_code == 404


def test_a_stranger_who_enrols_riversides_number_learns_nobodys_name(stranger, hilltop, li_lei):
    answer = send(stranger, "enrol_member", None, phone="13800138000", language="en")

    assert answer.status_code == 422
    assert "Li Lei" not in text_of(answer) and str(li_lei.public_id) not in text_of(answer)


def test_nobody_comes_in_without_a_log_in(riverside_ids):
    anonymous = Client()
    for name, where in addresses(riverside_ids):
        assert anonymous.get(where).status_code in (302, 405), name


DEEDS = ["recharge_card", "spend", "redeem_points", "refund"]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MARKETER])
@pytest.mark.parametrize("deed", DEEDS)
def test_who_only_reads_does_no_deed(riverside, card, role, deed):
    reader = at_work(employ(riverside, "reader", role))

    assert send(reader, deed, card, amount="100").status_code == 403
    assert reader.get(reverse("staff:till_member", args=[card.member.public_id])).status_code == 200


@pytest.mark.parametrize("name", ["member_consents", "member_profile", "reveal_phone"])
def test_who_only_reads_changes_no_member_and_sees_no_whole_number(auditor, li_lei, name):
    where = reverse(f"staff:{name}", args=[li_lei.public_id])

    assert (
        auditor.post(where, {"purpose": "marketing", "given": "0", "name": "X", "language": "en"}).status_code
        == 403
    )


def test_a_role_counts_in_its_own_store_only(riverside, hilltop, loaded_card, cashier):
    send(cashier, "spend", loaded_card, amount="100")
    both = employ(riverside, "both", Role.CASHIER)
    both.roles.create(store=hilltop, role=Role.MANAGER)
    browser = at_work(both)
    sale = Operation.objects.get(kind="spend").public_id

    browser.post(reverse("staff:choose_store"), {"store": riverside.pk})
    as_cashier = send(browser, "refund", loaded_card, operation=sale).status_code
    browser.post(reverse("staff:choose_store"), {"store": hilltop.pk})
    as_manager = send(browser, "refund", loaded_card, operation=sale).status_code

    assert (as_cashier, as_manager) == (403, 302)


def test_who_has_no_store_is_told_so(db, django_user_model):
    lost = at_work(django_user_model.objects.create_user("lost", password="a long enough word"))

    answer = lost.get(reverse("staff:till"))

    assert answer.status_code == 403
    assert "You have no store yet" in text_of(answer)


def test_showing_a_whole_number_is_written_down(cashier, chen, li_lei):
    answer = cashier.post(reverse("staff:reveal_phone", args=[li_lei.public_id]))

    assert "+8613800138000" in text_of(answer)
    assert chen.logentry_set.get().object_id == str(li_lei.pk)


def test_five_wrong_passwords_lock_the_name(chen):
    browser = Client()
    for _ in range(4):
        assert (
            browser.post(reverse("staff:login"), {"username": "chen", "password": "wrong"}).status_code == 422
        )
    fifth = browser.post(reverse("staff:login"), {"username": "chen", "password": "wrong"})
    right = browser.post(reverse("staff:login"), {"username": "chen", "password": "a long enough word"})

    assert (fifth.status_code, right.status_code) == (429, 429)
    assert "Wait a quarter of an hour" in text_of(right)


def test_logging_in_speaks_the_persons_language(chen):
    chen.language = "zh-hans"
    chen.save()

    answer = Client().post(reverse("staff:login"), {"username": "chen", "password": "a long enough word"})

    assert answer.url == reverse("staff:till")
    assert answer.cookies["django_language"].value == "zh-hans"


def test_a_changed_language_is_kept_for_the_next_log_in(cashier, chen):
    cashier.post(reverse("set_language"), {"language": "zh-hans", "next": "/till/"})

    chen.refresh_from_db()
    assert chen.language == "zh-hans"


def test_logging_out_takes_a_post(cashier):
    assert cashier.get(reverse("staff:logout")).status_code == 405
    cashier.post(reverse("staff:logout"))
    assert cashier.get(reverse("staff:till")).status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/"])
def test_choosing_a_store_leads_nowhere_else(cashier, riverside, elsewhere):
    answer = cashier.post(reverse("staff:choose_store"), {"store": riverside.pk, "next": elsewhere})

    assert answer.url == reverse("staff:till")
