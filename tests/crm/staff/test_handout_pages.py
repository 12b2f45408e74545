"""Coupons for many in the staff web: tried, handed out, watched, taken back."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.domain.handouts import work
from members.models import AuditEntry, Coupon, CouponDefinition, CouponHandout, Member
from tests.crm.staff.conftest import text_of


@pytest.fixture
def definition(riverside) -> CouponDefinition:
    made = CouponDefinition.objects.create(name="20 off", off_minor=2000, budget_minor=3000)
    made.stores.set([riverside])
    return made


@pytest.fixture
def people(enrol, li_lei) -> None:
    enrol("13900139000", name="Han Mei")
    Member.objects.update(tags=["tea"])
    enrol("13900139001", name="Lucy")


def where(definition: CouponDefinition) -> str:
    return reverse("staff:hand_out", args=[definition.public_id])


def test_who_would_get_one_is_shown_and_nothing_happens(manager, definition, people):
    page = text_of(manager.post(where(definition), {"tags": "tea", "look": "1"}))

    assert "tagged tea" in page and "Han Mei" in page and "Lucy" not in page
    assert "There is 1 coupon for them within quota and budget" in page
    assert not CouponHandout.objects.exists()


def test_handed_out_watched_and_taken_back(manager, definition, people, django_capture_on_commit_callbacks):
    CouponDefinition.objects.update(budget_minor=None)
    form = {"tags": "tea", "reason": "Quiet week", "go": "1", "seen": "2", "idempotency_key": str(uuid4())}
    with django_capture_on_commit_callbacks() as jobs:
        first = manager.post(where(definition), form)
        second = manager.post(where(definition), form)
    assert (first.status_code, first["Location"], len(jobs)) == (302, second["Location"], 2)
    handout = CouponHandout.objects.get()
    page = text_of(manager.get(first["Location"]))
    assert "0 of 2" in page and 'hx-trigger="every 2s"' in page

    work(handout_id=handout.pk, at=timezone.now())
    page = text_of(manager.get(first["Location"]))
    assert "2 of 2" in page and "every 2s" not in page
    assert "Quiet week" in text_of(manager.get(reverse("staff:coupon_detail", args=[definition.public_id])))

    manager.post(reverse("staff:undo_handout", args=[handout.public_id]))
    work(handout_id=handout.pk, at=timezone.now())
    assert "Taken back" in text_of(manager.get(first["Location"]))
    assert set(Coupon.objects.values_list("state", flat=True)) == {"void"}


def test_how_many_get_it_and_what_it_may_cost_is_said_before_anything_begins(manager, definition, people):
    form = {
        "tags": "tea",
        "only_consenting": "on",
        "reason": "Quiet week",
        "go": "1",
        "idempotency_key": str(uuid4()),
    }

    page = text_of(manager.post(where(definition), form))

    assert "tagged tea" in page and "“Quiet week”" in page
    assert "Hand out 1 coupon" in page and "¥20.00" in page, "the budget of 30.00 pays for one of the two"
    assert 'name="seen" value="2"' in page
    assert 'name="tags" value="tea"' in page and 'name="only_consenting" value="True"' in page
    assert not CouponHandout.objects.exists()


def test_percent_without_a_most_says_that_nothing_bounds_the_cost(manager, riverside, people):
    tenth = CouponDefinition.objects.create(name="10%", kind="percent", percent=10)
    tenth.stores.set([riverside])

    page = text_of(
        manager.post(where(tenth), {"reason": "Quiet week", "go": "1", "idempotency_key": str(uuid4())})
    )

    assert "no upper limit is set" in page and "Hand out 3 coupons" in page


def test_other_numbers_than_were_agreed_to_are_shown_anew(manager, definition, people):
    form = {"tags": "tea", "reason": "Quiet week", "go": "1", "seen": "1", "idempotency_key": str(uuid4())}

    answer = manager.post(where(definition), form)

    assert answer.status_code == 422
    assert "There are other members now" in text_of(answer) and 'name="seen" value="2"' in text_of(answer)
    assert not CouponHandout.objects.exists()


def test_the_form_of_one_hand_out_is_none_for_other_members(manager, definition, people):
    form = {"tags": "tea", "reason": "Quiet week", "go": "1", "seen": "2", "idempotency_key": str(uuid4())}
    manager.post(where(definition), form)

    answer = manager.post(where(definition), form | {"tags": "", "seen": "3"})

    assert answer.status_code == 422
    assert "This form has handed out coupons already." in text_of(answer)
    assert CouponHandout.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tags": "tea"}, "required"),
        ({"tags": "nobody", "reason": "Why not"}, "Nobody meets these criteria."),
        ({"visits_min": "x", "reason": "Why not"}, "This must be a whole number."),
    ],
)
def test_what_is_wrong_stands_there_and_nothing_begins(manager, definition, people, fields, said):
    answer = manager.post(where(definition), {"go": "1", "idempotency_key": str(uuid4()), **fields})

    assert answer.status_code == 422 and said in text_of(answer)
    assert not CouponHandout.objects.exists()


def test_only_who_writes_coupons_there_hands_them_out(
    cashier, stranger, auditor, manager, definition, people, hilltop
):
    for person in (cashier, auditor):
        assert person.get(where(definition)).status_code == 403
    assert stranger.get(where(definition)).status_code in (403, 404)
    definition.stores.add(hilltop)
    assert manager.get(where(definition)).status_code == 403


def test_a_definition_is_stopped_and_started_with_a_trace(manager, cashier, definition):
    stop = reverse("staff:coupon_stop", args=[definition.public_id])
    assert cashier.post(stop).status_code == 403

    page = text_of(manager.post(stop, follow=True))
    definition.refresh_from_db()
    assert not definition.is_active and "Give out again" in page and "Hand out to many" not in page

    manager.post(stop, {"on": "1"})
    definition.refresh_from_db()
    assert definition.is_active
    assert AuditEntry.objects.filter(verb="changed", subject_type="coupondefinition").count() == 2
