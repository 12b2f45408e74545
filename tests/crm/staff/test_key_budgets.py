"""What a partner's key may cost in texts: set, shown and ended by who owns all the stores it is bound to."""

from __future__ import annotations

import pytest
from django.urls import reverse

from crm.api.models import ApiKey
from crm.staff.access import Access
from crm.staff.budget_pages import _meant
from members.enums import Role
from messaging.domain.budgets import WrongBudget
from messaging.models import Budget
from tests.crm.staff.conftest import at_work
from tests.crm.staff.test_reach import employ, queries_of, told

WHERE = "staff:money_budget"


def give_key(name: str, *stores) -> ApiKey:
    key, _secret = ApiKey.objects.create_key(name=name)
    key.stores.set(stores)
    return key


def asked(key: ApiKey) -> dict[str, str]:
    return {
        "scope": f"api_key:{key.prefix}",
        "period": "month",
        "amount": "50",
        "protected_percent": "0",
    }


@pytest.fixture
def owner(riverside):
    return at_work(employ(riverside, "olivia", Role.OWNER))


def test_an_owner_caps_a_key_and_takes_the_cap_away(owner, riverside):
    key = give_key("Bookings", riverside)
    assert "API key “Bookings”" in told(owner.get(reverse(WHERE)))

    owner.post(reverse(WHERE), asked(key))

    budget = Budget.objects.get()
    assert (budget.scope, budget.subject, budget.amount_minor) == ("api_key", key.source, 5000)
    owner.post(reverse("staff:end_budget", args=[budget.public_id]))
    budget.refresh_from_db()
    assert budget.until_at is not None


def test_a_key_that_serves_another_store_too_is_not_this_owners(owner, riverside, hilltop):
    shared = give_key("Whole chain", riverside, hilltop)

    answer = owner.post(reverse(WHERE), asked(shared))

    assert (answer.status_code, Budget.objects.count()) == (422, 0)
    assert "Whole chain" not in told(owner.get(reverse(WHERE)))


def test_a_revoked_key_is_offered_no_more(owner, riverside):
    key = give_key("Old till", riverside)
    key.revoked = True
    key.save()

    assert "Old till" not in told(owner.get(reverse(WHERE)))


def test_the_keys_are_asked_for_at_once_however_many_there_are(owner, riverside):
    give_key("one", riverside)
    one = queries_of(owner, reverse(WHERE))
    for name in ("two", "three"):
        give_key(name, riverside)

    assert queries_of(owner, reverse(WHERE)) == one


def test_what_was_revoked_while_the_form_was_sent_never_becomes_the_houses_budget(riverside):
    olivia = employ(riverside, "olivia", Role.OWNER)
    access = Access(
        olivia, (riverside,), riverside, frozenset({Role.OWNER}), frozenset({(riverside.pk, Role.OWNER)})
    )

    with pytest.raises(WrongBudget):
        _meant("api_key:gone", access)
