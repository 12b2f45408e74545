"""Set-up of limits and of a person's own account, and that the set-up writes what it changes into the audit log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from members.domain.enrolment import phone_hash
from members.enums import Role
from members.models import AuditEntry, RechargePlan, Staff, StaffLimit, StaffRole
from tests.conftest import employ

ADD = "admin:members_stafflimit_add"


def limit_form(**more: Any) -> dict[str, Any]:
    return {"deed": "refund", "role": "cashier", "window_hours": "24", "at_most": "200.50", **more}


def test_an_owner_limits_their_own_store(owner, riverside):
    response = owner.post(reverse(ADD), limit_form(store=riverside.pk))

    assert response.status_code == 302
    limit = StaffLimit.objects.get()
    assert (limit.amount_max, limit.store, limit.role) == (20050, riverside, "cashier")


def test_points_are_typed_as_points(boss):
    boss.post(reverse(ADD), limit_form(deed="adjust_points", at_most="200"))

    assert StaffLimit.objects.get().amount_max == 200


def test_nothing_alone_is_a_limit_of_zero(boss):
    boss.post(reverse(ADD), limit_form(at_most="0"))

    assert StaffLimit.objects.get().amount_max == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_most": "x"},
        {"at_most": ""},
        {"at_most": "-5"},
        {"at_most": "1.005"},
        {"role": ""},
        {"deed": "steal"},
        {"window_hours": "7"},
        {"count_max": "-1"},
    ],
)
def test_a_limit_that_is_none_is_not_saved(boss, wrong):
    assert boss.post(reverse(ADD), limit_form(**wrong)).status_code == 200
    assert not StaffLimit.objects.exists()


def test_others_do_not_set_limits(manager, auditor, neighbour, riverside):
    for person in (manager, auditor):
        assert person.post(reverse(ADD), limit_form(store=riverside.pk)).status_code == 403
    neighbour.post(reverse(ADD), limit_form(store=riverside.pk))
    assert not StaffLimit.objects.exists()


def test_a_limit_is_changed_and_taken_away_with_a_trace(boss):
    boss.post(reverse(ADD), limit_form())
    limit = StaffLimit.objects.get()
    boss.post(reverse("admin:members_stafflimit_change", args=[limit.pk]), limit_form(at_most="300"))
    boss.post(reverse("admin:members_stafflimit_delete", args=[limit.pk]), {"post": "yes"})

    told = list(AuditEntry.objects.filter(subject_type="stafflimit").order_by("seq"))
    assert [entry.verb for entry in told] == ["added", "changed", "removed"]
    assert (told[1].before, told[1].after) == ({"at_most": "200.50"}, {"at_most": "300"})
    assert told[2].before["amount_max"] == 30000


def staff_form(staff: Staff, **more: Any) -> dict[str, Any]:
    formset = {f"roles-{name}": "0" for name in ("INITIAL_FORMS", "TOTAL_FORMS", "MIN_NUM_FORMS")}
    return {
        "username": staff.username,
        "display_name": staff.display_name,
        "is_active": "on",
        **formset,
        "roles-MAX_NUM_FORMS": "1000",
        **more,
    }


def change(client: Any, staff: Staff, **more: Any) -> Any:
    return client.post(reverse("admin:members_staff_change", args=[staff.pk]), staff_form(staff, **more))


def test_a_persons_own_number_is_kept_as_a_fingerprint(boss, chen):
    assert change(boss, chen, own_phone="138 0013 8000").status_code == 302

    chen.refresh_from_db()
    assert bytes(chen.phone_hash) == phone_hash("+8613800138000")
    written = json.dumps(list(AuditEntry.objects.values("before", "after")))
    assert "13800138000" not in written


def test_an_empty_number_keeps_the_one_there_is(boss, chen):
    change(boss, chen, own_phone="13800138000")
    change(boss, chen)

    chen.refresh_from_db()
    assert bytes(chen.phone_hash) == phone_hash("+8613800138000")


def test_a_persons_own_membership_is_named_by_its_number(boss, chen, li_lei):
    change(boss, chen, own_member_no=li_lei.member_no)

    chen.refresh_from_db()
    assert chen.member == li_lei


@pytest.mark.parametrize("wrong", [{"own_phone": "12"}, {"own_member_no": "R000"}])
def test_what_is_no_number_is_refused(boss, chen, wrong):
    assert change(boss, chen, **wrong).status_code == 200
    chen.refresh_from_db()
    assert chen.phone_hash is None and chen.member is None


def test_one_membership_is_one_persons(boss, chen, mei, li_lei):
    change(boss, chen, own_member_no=li_lei.member_no)

    assert change(boss, mei, own_member_no=li_lei.member_no).status_code == 200


# --- what the set-up changes is written


def test_a_role_given_and_taken_is_written_with_its_person(boss, chen, riverside):
    given = {"roles-TOTAL_FORMS": "1", "roles-0-store": riverside.pk, "roles-0-role": "owner"}
    change(boss, chen, **given | {"roles-0-staff": chen.pk})
    role = StaffRole.objects.get(staff=chen, role=Role.OWNER)
    taken = {
        "roles-TOTAL_FORMS": "1",
        "roles-INITIAL_FORMS": "1",
        "roles-0-id": role.pk,
        "roles-0-DELETE": "on",
    }
    change(
        boss,
        chen,
        **taken | {"roles-0-staff": chen.pk, "roles-0-store": riverside.pk, "roles-0-role": "owner"},
    )

    told = AuditEntry.objects.filter(verb__in=("role_given", "role_taken")).order_by("seq")
    assert [(e.verb, e.subject_type, e.subject, e.store) for e in told] == [
        ("role_given", "staff", "Chen", riverside),
        ("role_taken", "staff", "Chen", riverside),
    ]


def test_a_plan_changed_is_written_with_before_and_after(owner, riverside):
    plan = RechargePlan.objects.create(name="500", store=riverside, pay_minor=50000, bonus_minor=5000)
    where = reverse("admin:members_rechargeplan_change", args=[plan.pk])
    form = owner.get(where).context["adminform"].form
    asked = {name: form[name].value() for name in form.fields}
    asked = {name: value for name, value in asked.items() if value is not None and value is not False}
    response = owner.post(
        where, asked | {"pay_minor": "500", "bonus_minor": "80", "bonus_stores": riverside.pk}
    )
    assert response.status_code == 302, response.context["adminform"].form.errors

    entry = AuditEntry.objects.filter(subject_type="rechargeplan").latest("seq")
    assert entry.store == riverside
    assert (entry.before["bonus_minor"], entry.after["bonus_minor"]) == (5000, 8000)


def test_a_password_is_written_as_set_and_never_as_itself(boss, chen):
    where = reverse("admin:auth_user_password_change", args=[chen.pk])
    secret = "correct horse battery"
    boss.post(where, {"password1": secret, "password2": secret})

    entry = AuditEntry.objects.get(verb="password_set")
    assert entry.subject == "Chen"
    assert secret not in json.dumps([entry.before, entry.after])


def test_a_setting_is_written_with_who_changed_it(boss, riverside):
    page = boss.get(reverse("admin:constance_config_changelist"))
    asked = dict(page.context["form"].initial)
    boss.post(reverse("admin:constance_config_changelist"), asked | {"MARKETING_PER_DAY": 3})

    entry = AuditEntry.objects.get(verb="setting_changed", subject="MARKETING_PER_DAY")
    assert (entry.before, entry.after) == ({"MARKETING_PER_DAY": 1}, {"MARKETING_PER_DAY": 3})
    assert entry.staff is not None and entry.staff.username == "zhou"


def test_a_key_made_and_revoked_is_written(boss, riverside):
    boss.post(reverse("admin:api_apikey_add"), {"name": "Partner", "stores": [riverside.pk]})

    assert AuditEntry.objects.get(verb="key_created").subject == "Partner"


def test_a_stranger_sees_no_limits_of_riverside(neighbour, riverside):
    StaffLimit.objects.create(
        deed="refund", staff=employ(riverside, "pat", Role.CASHIER), store=riverside, amount_max=7
    )

    assert "Pat" not in neighbour.get(reverse("admin:members_stafflimit_changelist")).content.decode()


def test_the_first_store_set_up_by_hand_comes_with_limits(boss, riverside):
    riverside.delete()
    fields = {
        "name": "First",
        "timezone": "Asia/Shanghai",
        "language": "en",
        "sms_signature": "常客",
        "is_active": "on",
    }

    page = boss.post(reverse("admin:members_store_add"), fields, follow=True).content.decode()

    assert "The usual limits for staff are in" in page
    assert StaffLimit.objects.filter(store=None, deed="transfer_services", amount_max=10).exists()


def test_the_usual_limits_that_are_missing_are_put_in_by_a_button(boss, owner):
    where, usual = reverse("admin:members_stafflimit_changelist"), reverse("admin:members_stafflimit_usual")
    assert "Put in the usual limits" in boss.get(where).content.decode()
    assert "Put in the usual limits" not in owner.get(where).content.decode()
    assert owner.post(usual).status_code == 403
    assert boss.get(usual).status_code == 405

    page = boss.post(usual, follow=True).content.decode()

    assert "limits put in" in page and "Put in the usual limits" not in page
    assert StaffLimit.objects.count() > 12
