"""The back office's pages: money as money, texts with their samples, secrets that stay inside."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import TriggerRule
from crm.api.models import ApiKey
from members.enums import Role
from members.models import CustomEventType, Operation, RechargePlan, Staff
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass, VersionStatus
from messaging.models import Gateway, Message, Template, TemplateVersion
from messaging.secrets import decrypt_secret
from tests.conftest import NOON, employ
from tests.crm.admin.conftest import at_desk
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


def test_a_page_of_many_rows_asks_no_more_than_a_page_of_one(boss, of_riverside, enrol, riverside):
    first = queries_of_lists(boss)
    for number in range(3):
        RechargePlan.objects.create(name=f"More {number}", store=riverside, pay_minor=100)
        enrol(f"1390013900{number}", name=f"Han {number}")
        employ(riverside, f"new{number}", Role.CASHIER)
        for row in of_riverside.values():
            again(row, number)

    assert queries_of_lists(boss) == first


def queries_of_lists(desk) -> dict[str, int]:
    told = {}
    for model in EVERYWHERE:
        desk.get(address(model, "changelist"))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            desk.get(address(model, "changelist"))
        told[model._meta.label] = len(asked)
    return told


def again(row, number: int) -> None:
    """One more of the rows that can simply be copied."""
    if isinstance(row, TriggerRule):
        template = Template.objects.create(
            key=f"k{number}", name="N", message_class="trigger", event_type="card_spent", store=row.store
        )
        TriggerRule.objects.create(name="N", event_type="card_spent", template=template, store=row.store)
        save_draft(template=template, language="en", text="{name}: {amount} paid.", by=staff_of(row), at=NOON)


def staff_of(row) -> Staff:
    return Staff.objects.get(username="mei")


# Money


def test_money_is_typed_and_shown_as_money(manager, riverside):
    form = {"name": "500 + 80.50", "store": riverside.pk, "points": "0", "is_active": "on"}

    manager.post(address(RechargePlan, "add"), {**form, "pay_minor": "５００", "bonus_minor": "80.5"})

    plan = RechargePlan.objects.get()
    assert (plan.pay_minor, plan.bonus_minor) == (50000, 8050)
    assert "CN¥500.00" in told(manager.get(address(RechargePlan, "changelist")))
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

    assert "CN¥500.00" in told(auditor.get(address(RechargePlan, "change", plan.pk)))
    operation = told(auditor.get(address(Operation, "change", of_riverside["members.Operation"].pk)))
    assert "CN¥120.00" in operation and "CN¥380.00" in operation, "the entry and the balance after it"


# Texts and rules


def test_a_template_shows_its_placeholders_and_how_it_reads(manager, welcome):
    page = told(manager.get(address(Template, "change", welcome.pk)))

    assert "{points_balance}" in page and "points after" in page
    assert "【常客】李雷: CN¥120.00 paid, balance CN¥580.00. Questions? 021 5555 0100" in page


def test_a_rule_shows_how_its_text_reads(manager, of_riverside):
    page = told(manager.get(address(TriggerRule, "change", of_riverside["campaigns.TriggerRule"].pk)))

    assert "李雷: CN¥120.00 paid" in page and "{bonus_balance}" in page


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
    shown = told(made)
    secret = shown[shown.index(key.prefix + ".") :].split("<")[0].split()[0]
    assert key.is_valid(secret)
    for page in (address(ApiKey, "changelist"), address(ApiKey, "change", key.pk)):
        assert secret not in told(boss.get(page)) and key.hashed_key not in told(boss.get(page))


def test_nobody_reads_a_password_hash_or_a_code(boss, auditor, mei, of_riverside):
    mei.refresh_from_db()
    Message.objects.update(message_class=MessageClass.VERIFICATION)
    message = Message.objects.latest("pk")

    for desk in (boss, auditor):
        assert "argon2" not in told(desk.get(address(Staff, "change", mei.pk)))
        assert message.text not in told(desk.get(address(Message, "change", message.pk)))


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
    assert "Periodic tasks" in told(boss.get("/admin/")) and "Sending limits" in told(boss.get("/admin/"))
    assert "Periodic tasks" not in told(manager.get("/admin/"))
    assert 'href="/till/"' in told(manager.get("/admin/"))


@pytest.mark.parametrize(("clock", "is_taken"), [("10:30", True), ("9am", False), ("25:00", False)])
def test_a_sending_limit_must_be_a_time(boss, clock, is_taken):
    form = {
        "MARKETING_UNTIL": "21:00",
        "MARKETING_PER_DAY": "1",
        "MARKETING_PER_MONTH": "6",
        "CONSENT_WORDING": "1",
    }
    version = admin.site._registry and boss.get("/admin/constance/config/").context["form"]["version"].value()

    answer = boss.post("/admin/constance/config/", {**form, "MARKETING_FROM": clock, "version": version})

    assert (answer.status_code == 302) is is_taken
