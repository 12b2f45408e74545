"""The back office's pages: money as money, texts with their samples, secrets that stay inside."""

import re
from datetime import date

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Run, TriggerRule
from crm.api.models import ApiKey
from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import Role, TenderType
from members.models import (
    AuditEntry,
    CustomEventType,
    EarningRule,
    Member,
    Operation,
    RechargePlan,
    Reward,
    Staff,
    StaffLimit,
    Store,
    StoreAcceptance,
)
from messaging.domain.outbox import enqueue
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass, VersionStatus
from messaging.models import Gateway, InboundText, Message, Template, TemplateVersion
from messaging.secrets import decrypt_secret
from tests.conftest import NOON, employ
from tests.crm.admin.conftest import at_desk, draft_to
from tests.crm.admin.test_scope import EVERYWHERE, address, told

pytestmark = pytest.mark.django_db


def test_every_page_opens_in_both_languages(boss, of_riverside):
    for language in ("en", "zh-hans"):
        boss.cookies["django_language"] = language
        assert boss.get("/admin/").status_code == 200
        for model in EVERYWHERE:
            for page in ("changelist", "add"):
                assert boss.get(address(model, page)).status_code in (200, 403), model
            row = of_riverside.get(model._meta.label)
            if row is not None:
                for page in ("change", "history"):
                    assert boss.get(address(model, page, row.pk)).status_code == 200, model


def test_a_page_of_many_rows_asks_no_more_than_a_page_of_one(boss, of_riverside, product, riverside, mei):
    one = {label: queries_of_list(boss, row) for label, row in of_riverside.items()}

    for number in (1, 2):
        neighbours(number, riverside, mei, product)

    for label, row in of_riverside.items():
        assert type(row).objects.count() >= 3, label
        assert queries_of_list(boss, row) == one[label], label


def queries_of_list(desk, row) -> int:
    desk.get(address(type(row), "changelist"))
    with CaptureQueriesContext(connection) as asked:
        desk.get(address(type(row), "changelist"))
    return len(asked)


def neighbours(number: int, riverside, mei, product) -> None:
    """Another store and one more of everything, each with its own people, cards, texts and rules."""
    store = Store.objects.create(name=f"Store {number}", sms_signature="S")
    clerk = employ(store, f"clerk{number}", Role.CASHIER)
    at_till = Actor(f"staff:{clerk.pk}", clerk.pk)
    member = enrol_member(
        actor=at_till,
        key="e",
        at=NOON,
        store=store,
        phone=f"1390013900{number}",
        consents=Consents(True, True, "1", "till"),
    )
    card, _ = open_card(actor=at_till, key="o", at=NOON, store=store, member=member, product=product)
    recharge_card(
        actor=at_till, key="r", at=NOON, store=store, card=card, tender=TenderPaid(TenderType.CASH, 50000)
    )
    spend(actor=at_till, key="s", at=NOON, store=store, card=card, amount_minor=12000)
    RechargePlan.objects.create(name="P", store=store, pay_minor=100)
    Reward.objects.create(name="R", store=store, points=1)
    EarningRule.objects.create(name="E", store=store, points=1)
    StaffLimit.objects.create(deed="refund", role=Role.CASHIER, store=store, amount_max=number)
    StoreAcceptance.objects.create(issuer=store, server=riverside)
    template = Template.objects.create(
        key=f"k{number}", name="N", message_class="trigger", event_type="card_spent", store=store
    )
    save_draft(template=template, language="en", text="{name}: {amount} paid.", by=clerk, at=NOON)
    TriggerRule.objects.create(name="N", event_type="card_spent", template=template, store=store)
    campaign = Campaign.objects.create(name="C", store=store, created_by=mei)
    Run.objects.create(campaign=campaign, window="once", as_of=NOON, started_at=NOON)
    key, _secret = ApiKey.objects.create_key(name="K")
    key.stores.set([store, riverside])
    gateway = Gateway.objects.create(name=f"G{number}", host="h", port=1, system_id="s")
    InboundText.objects.create(gateway=gateway, phone=member.phone, text="hello", member=member)
    enqueue([draft_to(member, store)], at=NOON)


# Money


def test_money_is_typed_and_shown_as_money(manager, riverside):
    form = {"name": "500 + 80.50", "store": riverside.pk, "points": "0", "is_active": "on"}

    manager.post(address(RechargePlan, "add"), {**form, "pay_minor": "５００", "bonus_minor": "80.5"})

    plan = RechargePlan.objects.get()
    assert (plan.pay_minor, plan.bonus_minor) == (50000, 8050)
    assert "¥500.00" in told(manager.get(address(RechargePlan, "changelist")))
    assert 'value="80.50"' in told(manager.get(address(RechargePlan, "change", plan.pk)))


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("0", "must be more than zero"),
        ("-5", "must be more than zero"),
        ("10.005", "too many decimal places"),
        ("1e9", "not an amount"),
        ("99999999999", "too large"),
        ("", "This field is required"),
    ],
)
def test_a_wrong_amount_is_said_beside_the_field(manager, riverside, typed, complaint):
    form = {"name": "Plan", "store": riverside.pk, "points": "0", "bonus_minor": "", "pay_minor": typed}

    answer = manager.post(address(RechargePlan, "add"), form)

    assert complaint in told(answer) and f'value="{typed}"' in told(answer).replace(
        'value=""', f'value="{typed}"'
    )
    assert not RechargePlan.objects.exists()


def test_a_reader_sees_money_too(auditor, of_riverside):
    plan = of_riverside["members.RechargePlan"]

    assert "¥500.00" in told(auditor.get(address(RechargePlan, "change", plan.pk)))
    operation = told(auditor.get(address(Operation, "change", of_riverside["members.Operation"].pk)))
    assert "¥120.00" in operation and "¥380.00" in operation, "the entry and the balance after it"


# Members


def identity_form(day: str) -> dict[str, str]:
    return {"identity_checked_on": day, "name": "Somebody else", "has_marketing_consent": ""}


def test_the_day_of_the_identity_check_is_written_down_and_audited(manager, mei, li_lei):
    answer = manager.post(address(Member, "change", li_lei.pk), identity_form("2026-11-20"))

    written = Member.objects.get(pk=li_lei.pk)
    assert (answer.status_code, written.identity_checked_on) == (302, date(2026, 11, 20))
    assert (written.name, written.has_marketing_consent) == ("Li Lei", True), "nothing else is written"
    entry = AuditEntry.objects.get(subject_type="member", subject_id=str(li_lei.pk), verb="changed")
    assert (entry.staff, entry.store) == (mei, li_lei.home_store)
    assert entry.before == {"identity_checked_on": None}
    assert entry.after == {"identity_checked_on": "2026-11-20"}


@pytest.mark.parametrize(
    ("day", "complaint"), [("2999-01-01", "has not come yet"), ("yesterday", "Enter a valid date")]
)
def test_a_day_that_cannot_be_is_said_beside_the_field(manager, li_lei, day, complaint):
    answer = manager.post(address(Member, "change", li_lei.pk), identity_form(day))

    assert complaint in told(answer)
    assert Member.objects.get(pk=li_lei.pk).identity_checked_on is None


@pytest.mark.parametrize("role", [Role.MARKETER, Role.AUDITOR])
def test_who_only_reads_checks_no_identity(riverside, li_lei, role):
    reader = at_desk(employ(riverside, "reader", role))

    answer = reader.post(address(Member, "change", li_lei.pk), identity_form("2026-11-20"))

    assert (answer.status_code, Member.objects.get(pk=li_lei.pk).identity_checked_on) == (403, None)


# Texts and rules


def test_a_template_shows_its_placeholders_and_how_it_reads(manager, welcome):
    page = told(manager.get(address(Template, "change", welcome.pk)))

    assert "{points_balance}" in page and "points after" in page
    assert re.search(r"【常客】李雷: \S*¥120.00 paid, balance \S*¥580.00. Questions\? 021 5555 0100", page)


def test_a_rule_shows_how_its_text_reads(manager, of_riverside):
    page = told(manager.get(address(TriggerRule, "change", of_riverside["campaigns.TriggerRule"].pk)))

    assert "¥120.00 paid" in page and "{bonus_balance}" in page


def template_form(template: Template, **changes) -> dict[str, str]:
    return {
        "key": template.key,
        "name": template.name,
        "message_class": template.message_class,
        "event_type": template.event_type,
        "store": template.store_id or "",
        "text_en": "",
        "text_zh": "",
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
        **changes,
    }


@pytest.mark.parametrize(
    ("wording", "complaints"),
    [
        ("{nmae}: paid", ["This event does not have: {nmae}."]),
        ("{name: paid", ["A { is opened here and never closed."]),
        ("会员日全场五折，优惠多多，快来抢购！", ["This reads like marketing.", "“"]),
    ],
)
def test_a_wrong_wording_is_judged_beside_the_field(manager, welcome, wording, complaints):
    answer = manager.post(address(Template, "change", welcome.pk), template_form(welcome, text_zh=wording))

    assert answer.status_code == 200
    errors = " ".join(map(str, answer.context["adminform"].form.errors["text_zh"]))
    assert all(complaint in errors for complaint in complaints)
    assert welcome.versions.count() == 1


def test_a_new_wording_is_a_new_version(manager, welcome):
    wording = "{name}: {amount} paid, {points} points earned, balance {balance}."

    manager.post(address(Template, "change", welcome.pk), template_form(welcome, text_en=wording))

    assert list(welcome.versions.order_by("number").values_list("text", flat=True))[-1] == wording
    assert welcome.versions.count() == 2


def test_marketing_needs_two_people(manager, mei, riverside, welcome):
    push = Template.objects.create(
        key="push", name="Push", message_class=MessageClass.MARKETING, store=riverside
    )
    draft = save_draft(template=push, language="en", text="Half price today!", by=mei, at=NOON)
    approve = {"action": "approve_selected", "_selected_action": [draft.pk]}
    desk = address(TemplateVersion, "changelist")

    own = manager.post(desk, approve, follow=True)
    draft.refresh_from_db()
    assert "Somebody else has to approve" in told(own) and draft.status == VersionStatus.DRAFT

    at_desk(employ(riverside, "olga", Role.OWNER)).post(desk, approve)
    draft.refresh_from_db()
    assert (draft.status, str(draft.approved_by)) == (VersionStatus.APPROVED, "Olga")


@pytest.mark.parametrize("role", [Role.MARKETER, Role.AUDITOR])
def test_a_marketer_and_an_auditor_approve_nothing(role, mei, riverside):
    push = Template.objects.create(key="push", name="Push", message_class="marketing", store=riverside)
    draft = save_draft(template=push, language="en", text="Half price today!", by=mei, at=NOON)

    at_desk(employ(riverside, "somebody", role)).post(
        address(TemplateVersion, "changelist"),
        {"action": "approve_selected", "_selected_action": [draft.pk]},
    )

    draft.refresh_from_db()
    assert draft.status == VersionStatus.DRAFT


def test_rules_are_switched_from_the_list(manager, of_riverside):
    rule = of_riverside["campaigns.TriggerRule"]

    manager.post(address(TriggerRule, "changelist"), {"action": "switch_off", "_selected_action": [rule.pk]})

    rule.refresh_from_db()
    assert not rule.is_on


def test_a_text_of_another_event_cannot_be_chosen(manager, welcome, riverside):
    form = {"name": "R", "event_type": "card_opened", "template": welcome.pk, "dedupe_seconds": "0"}

    answer = manager.post(address(TriggerRule, "add"), {**form, "store": riverside.pk})

    assert "This text belongs to another event." in told(answer)


def test_a_shop_declares_an_event_in_plain_lines(boss):
    boss.post(
        address(CustomEventType, "add"),
        {"name": "parcel", "label": "Parcel", "declared": "room text\ndue money"},
    )

    wrong = boss.post(address(CustomEventType, "add"), {"name": "x", "label": "X", "declared": "Room colour"})

    assert CustomEventType.objects.get().fields == {"room": "text", "due": "money"}
    assert "not a name and a kind" in told(wrong)


# Secrets


def test_a_gateway_password_goes_in_and_never_comes_out(boss, owner):
    form = {
        "name": "C",
        "kind": "smpp",
        "host": "h",
        "port": "2775",
        "system_id": "s",
        "window": "50",
        "rate": "0",
    }

    boss.post(address(Gateway, "add"), {**form, "price_minor": "0.04", "password": "s3cr3t!"})
    gateway = Gateway.objects.get()
    boss.post(address(Gateway, "change", gateway.pk), {**form, "price_minor": "0.05", "password": ""})

    gateway.refresh_from_db()
    assert decrypt_secret(gateway.secret) == "s3cr3t!", "an empty box keeps the one there is"
    assert gateway.price_minor == 5
    for desk in (boss, owner):
        page = told(desk.get(address(Gateway, "change", gateway.pk)))
        assert "s3cr3t!" not in page and gateway.secret not in page


def test_a_key_is_shown_once(boss, riverside):
    made = boss.post(address(ApiKey, "add"), {"name": "Partner", "stores": [riverside.pk]}, follow=True)

    key = ApiKey.objects.get()
    secret = re.search(rf"{key.prefix}\.[A-Za-z0-9]{{32}}\b(?!\$)", told(made)).group()
    assert key.is_valid(secret)
    for page in (address(ApiKey, "changelist"), address(ApiKey, "change", key.pk)):
        assert secret not in told(boss.get(page))


def test_nobody_reads_a_password_hash_or_a_code(boss, auditor, mei, of_riverside):
    mei.refresh_from_db()
    message = Message.objects.latest("pk")
    Message.objects.update(message_class=MessageClass.VERIFICATION, text="Your code is 482913.")

    for desk in (boss, auditor):
        assert "argon2" not in told(desk.get(address(Staff, "change", mei.pk)))
        page = told(desk.get(address(Message, "change", message.pk)))
        assert "Your code is" in page and "482913" not in page


def test_a_state_is_a_word_in_a_coloured_label(auditor, of_riverside):
    message = of_riverside["messaging.Message"]

    for page in (address(Message, "changelist"), address(Message, "change", message.pk)):
        assert re.search(r"bg-blue-100[^>]*>\s*Queued\s*<", told(auditor.get(page)))


def test_phones_are_masked(boss, of_riverside):
    for label in ("members.Member", "messaging.Message", "messaging.InboundText"):
        row = of_riverside[label]
        for page in (address(type(row), "changelist"), address(type(row), "change", row.pk)):
            assert "13800138000" not in told(boss.get(page))


# The frame


def test_only_the_admin_gets_the_looser_policy(boss):
    inside = boss.get("/admin/")["Content-Security-Policy"]

    assert (
        "script-src 'self' 'unsafe-eval'" in inside
        and "'unsafe-inline'" not in inside.split("script-src")[1].split(";")[0]
    )
    assert "unsafe" not in boss.get("/till/")["Content-Security-Policy"]
    assert "unsafe" not in boss.get("/admin/members/store/999/change/")["Content-Security-Policy"]


def test_the_menu_holds_what_one_may_see(manager, boss):
    assert "Periodic tasks" in told(boss.get("/admin/")) and "Rules of the house" in told(boss.get("/admin/"))
    assert "Periodic tasks" not in told(manager.get("/admin/"))
    assert 'href="/till/"' in told(manager.get("/admin/"))


@pytest.mark.parametrize(("clock", "is_taken"), [("10:30", True), ("9am", False), ("25:00", False)])
def test_a_sending_limit_must_be_a_time(boss, clock, is_taken):
    ContentType.objects.clear_cache()  # the settings' type is made on demand, and rolled back with its test
    shown = boss.get("/admin/constance/config/").context["form"]
    form = {field.name: field.value() for field in shown}

    answer = boss.post("/admin/constance/config/", {**form, "MARKETING_FROM": clock})

    assert (answer.status_code == 302) is is_taken
