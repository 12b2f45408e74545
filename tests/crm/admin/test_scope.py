"""The back office, walked whole: who may enter, what they see, and what nobody changes."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

import crm.urls  # noqa: F401  with which the pages register
from campaigns.models import TriggerRule
from crm.api.models import ApiKey
from members.enums import Role
from members.models import (
    CouponDefinition,
    Entry,
    Member,
    Operation,
    RechargePlan,
    Reward,
    Staff,
    StaffRole,
    Store,
)
from messaging.models import Template
from tests.conftest import employ
from tests.crm.admin.conftest import at_desk

pytestmark = pytest.mark.django_db

EVERYWHERE = sorted(admin.site._registry, key=lambda model: model._meta.label)
# Whose rows belong to the house, not to a store: set up by a superuser, no store's secret.
OF_THE_HOUSE = {
    "members.FraudRule",
    "members.CardProduct",
    "members.CustomEventType",
    "members.GoodsCategory",
    "members.ServiceGroup",
    "members.TierScheme",
    "messaging.Gateway",
    "messaging.Route",
    "messaging.Region",
    "messaging.GatewayPrice",
    "messaging.Qualification",
    "messaging.Signature",
    "messaging.Contact",
    "messaging.Registration",
    "messaging.ProviderTemplate",
    "constance.Config",
    "django_celery_beat.PeriodicTask",
    "django_celery_beat.IntervalSchedule",
    "django_celery_beat.CrontabSchedule",
    "django_celery_beat.ClockedSchedule",
}
READ_ONLY = (
    "members.Card", "members.Operation", "members.MembershipEvent", "members.Purchase",
    "messaging.Message", "messaging.InboundText", "messaging.TemplateVersion", "campaigns.Campaign", "campaigns.Run",
)  # fmt: skip
# Words that would give Riverside away. Its shared things (the product, the gateway) are the house's.
TELLTALE = ("Riverside", "Li Lei", "138****8000", "13800138000", "Chen")


def address(model: type, page: str, *args: object) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=args)


def told(response) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


def test_every_page_of_the_admin_is_walked(of_riverside):
    """A new admin needs a row of Riverside's here, or a place among the house's."""
    assert {model._meta.label for model in EVERYWHERE} == OF_THE_HOUSE | set(of_riverside)


# Who may enter


@pytest.mark.parametrize("role", [Role.MANAGER, Role.MARKETER, Role.OWNER, Role.AUDITOR])
def test_these_roles_enter_without_a_flag(riverside, role):
    desk = at_desk(employ(riverside, "somebody", role))

    assert desk.get("/admin/").status_code == 200


def test_a_flag_alone_opens_nothing(db):
    staff = Staff.objects.create_user("flagged", password="a long enough word", is_staff=True)

    assert at_desk(staff).get("/admin/").status_code == 403


def test_somebody_who_left_does_not_enter(riverside, mei):
    desk = at_desk(mei)
    Staff.objects.filter(pk=mei.pk).update(is_active=False)

    assert desk.get("/admin/").status_code == 302


def test_a_stranger_logs_in_at_the_one_log_in(db):
    first = Client().get("/admin/members/store/", follow=True)

    assert first.redirect_chain[-1][0] == "/login/?next=%2Fadmin%2Fmembers%2Fstore%2F"


# Cashiers


def test_a_cashier_opens_no_page_of_the_admin(wang, chen, of_riverside):
    for cashier in (wang, chen):
        desk = at_desk(cashier)
        for model in EVERYWHERE:
            pages = [address(model, "changelist"), address(model, "add")]
            row = of_riverside.get(model._meta.label)
            if row is not None:
                pages += [address(model, page, row.pk) for page in ("change", "delete", "history")]
            for page in pages:
                for answer in (desk.get(page), desk.post(page, {"post": "yes"})):
                    assert answer.status_code == 403, page
        for page in (
            "/admin/",
            "/admin/search/?s=river",
            "/admin/jsi18n/",
            "/admin/autocomplete/",
            "/admin/members/",
        ):
            assert desk.get(page).status_code == 403, page


# A manager of another store


def test_the_neighbour_sees_nothing_of_riverside_in_any_list(neighbour, of_riverside):
    for model in EVERYWHERE:
        answer = neighbour.get(address(model, "changelist"))
        if answer.status_code == 200:
            page = told(answer)
            assert not [word for word in TELLTALE if word in page], model
            assert str(of_riverside.get(model._meta.label) or "no row of this kind") not in page
        else:
            assert answer.status_code == 403, model


def test_searching_finds_nothing_of_riverside(neighbour, of_riverside):
    for model in EVERYWHERE:
        for query in ("?q=Riverside", "?q=Li+Lei", "?q=13800138000", "?store__id__exact=1"):
            answer = neighbour.get(address(model, "changelist") + query, follow=True)
            if answer.status_code == 200:
                page = told(answer).replace(query.removeprefix("?q=").replace("+", " "), "")
                assert not [
                    word for word in TELLTALE if word in page and word not in query.replace("+", " ")
                ], model


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_the_neighbour_opens_no_row_of_riverside(neighbour, of_riverside, page):
    for label, row in of_riverside.items():
        for answer in (
            neighbour.get(address(type(row), page, row.pk)),
            neighbour.post(address(type(row), page, row.pk), {"post": "yes", "name": "taken over"}),
        ):
            assert answer.status_code in (403, 404, 405), (label, answer.status_code)
            assert "Li Lei" not in told(answer)
    assert Store.objects.filter(name="Riverside").exists()


def test_forms_offer_no_row_of_riverside(neighbour, of_riverside):
    for model in EVERYWHERE:
        answer = neighbour.get(address(model, "add"))
        if answer.status_code == 200:
            assert not [word for word in TELLTALE if word in told(answer)], model


def test_a_posted_foreign_store_is_refused(neighbour, riverside, hilltop):
    plan = {"name": "Mine", "pay_minor": "500", "bonus_minor": "80", "points": "0", "is_active": "on"}

    refused = neighbour.post(address(RechargePlan, "add"), {**plan, "store": riverside.pk})
    nobodys = neighbour.post(address(RechargePlan, "add"), {**plan, "store": ""})
    taken = neighbour.post(address(RechargePlan, "add"), {**plan, "store": hilltop.pk})

    assert "Select a valid choice" in told(refused) and "This field is required" in told(nobodys)
    assert taken.status_code == 302
    assert [(plan.store, plan.pay_minor, plan.bonus_minor) for plan in RechargePlan.objects.all()] == [
        (hilltop, 50000, 8000)
    ]


def test_a_posted_foreign_text_is_refused(neighbour, hilltop, welcome):
    rule = {"name": "Mine", "event_type": "card_spent", "store": hilltop.pk, "dedupe_seconds": "0"}

    answer = neighbour.post(address(TriggerRule, "add"), {**rule, "template": welcome.pk})

    assert "Select a valid choice" in told(answer)
    assert not TriggerRule.objects.exists()


def test_an_offer_cannot_be_moved_to_another_store(neighbour, riverside, hilltop):
    reward = Reward.objects.create(name="Tea", store=hilltop, points=100)

    neighbour.post(
        address(Reward, "change", reward.pk), {"name": "Tea", "store": riverside.pk, "points": "100"}
    )

    reward.refresh_from_db()
    assert reward.store == hilltop


def test_an_action_leaves_the_rules_of_others_alone(neighbour, of_riverside, welcome):
    house = Template.objects.create(key="h", name="House", message_class="trigger", event_type="card_spent")
    everywhere = TriggerRule.objects.create(name="Everywhere", event_type="card_spent", template=house)
    theirs = of_riverside["campaigns.TriggerRule"]

    neighbour.post(
        address(TriggerRule, "changelist"),
        {"action": "switch_off", "_selected_action": [theirs.pk, everywhere.pk]},
    )

    assert set(TriggerRule.objects.values_list("name", "is_on")) == {
        ("Riverside rule", True),
        ("Everywhere", True),
    }


def test_an_autocomplete_finds_only_ones_own(neighbour, of_riverside):
    asked = 0
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.many_to_one and field.concrete:
                query = {
                    "term": "",
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": field.name,
                }
                answer = neighbour.get("/admin/autocomplete/", query)
                if answer.status_code == 200:
                    asked += 1
                    assert not [word for word in TELLTALE if word in told(answer)], field
                else:
                    assert answer.status_code in (403, 404), field
    assert asked > 10


def test_a_cashier_elsewhere_stays_a_cashier_there(riverside, hilltop, li_lei):
    """Hana manages Hilltop and helps out at Riverside's till: the back office shows her Hilltop only."""
    hana = employ(hilltop, "hana", Role.MANAGER)
    StaffRole.objects.create(staff=hana, store=riverside, role=Role.CASHIER)

    page = told(at_desk(hana).get(address(Member, "changelist")))

    assert "Li Lei" not in page


def test_a_key_for_two_stores_is_not_one_owners_business(owner, riverside, hilltop):
    key, _secret = ApiKey.objects.create_key(name="Both stores")
    key.stores.set([riverside, hilltop])

    assert "Both stores" not in told(owner.get(address(ApiKey, "changelist")))


def test_an_offer_may_leave_open_where_its_bonus_pays_but_not_name_a_store_of_others(
    owner, riverside, hilltop
):
    plan = {"name": "Mine", "store": riverside.pk, "pay_minor": "500", "points": "0", "is_active": "on"}

    everywhere = owner.post(address(RechargePlan, "add"), plan)
    foreign = owner.post(address(RechargePlan, "add"), {**plan, "bonus_stores": [hilltop.pk]})
    own = owner.post(address(RechargePlan, "add"), {**plan, "bonus_stores": [riverside.pk]})

    assert (everywhere.status_code, own.status_code) == (302, 302)
    assert "Select a valid choice" in told(foreign)
    assert [list(plan.bonus_stores.all()) for plan in RechargePlan.objects.order_by("pk")] == [
        [],
        [riverside],
    ]


def test_an_offer_gives_no_coupon_of_another_store(neighbour, riverside, hilltop):
    coupon = CouponDefinition.objects.create(name="Riverside coupon", off_minor=2000)
    coupon.stores.set([riverside])
    plan = {"name": "Mine", "store": hilltop.pk, "pay_minor": "500", "points": "0", "is_active": "on"}

    answer = neighbour.post(address(RechargePlan, "add"), {**plan, "coupon": coupon.pk})

    assert "Select a valid choice" in told(answer) and "Riverside coupon" not in told(answer)


# What nobody changes


@pytest.mark.parametrize("label", READ_ONLY)
def test_the_ledger_the_events_and_the_wire_are_read_only(boss, manager, owner, auditor, of_riverside, label):
    row = of_riverside[label]
    before = model_to_dict(row)
    for desk in (boss, manager, owner, auditor):
        assert desk.get(address(type(row), "change", row.pk)).status_code == 200
        for page, args in (("add", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
            assert desk.post(address(type(row), page, *args), {"post": "yes", "note": "x"}).status_code == 403
        desk.post(
            address(type(row), "changelist"),
            {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
        )
    row.refresh_from_db()
    assert model_to_dict(row) == before
    assert Operation.objects.count() == 3 and Entry.objects.exists()


def test_an_auditor_changes_nothing_at_all(auditor, of_riverside):
    for model in EVERYWHERE:
        assert auditor.post(address(model, "add"), {}).status_code == 403, model
        row = of_riverside.get(model._meta.label)
        if row is not None:
            for page in ("change", "delete"):
                assert auditor.post(address(model, page, row.pk), {"post": "yes"}).status_code == 403, model


def test_only_a_superuser_hires_and_promotes(manager, mei, riverside):
    changed = manager.post(address(Staff, "change", mei.pk), {"username": "mei", "is_superuser": "on"})
    password = manager.post(reverse("admin:auth_user_password_change", args=(mei.pk,)), {"password1": "x"})

    mei.refresh_from_db()
    assert (changed.status_code, password.status_code, mei.is_superuser) == (403, 403, False)
