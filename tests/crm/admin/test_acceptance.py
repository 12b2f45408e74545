"""The grid of whose value is honoured where."""

import pytest

from members.enums import AccountKind, Role
from members.models import AuditEntry, StoreAcceptance
from tests.conftest import employ
from tests.crm.admin.conftest import at_desk

WHERE = "/admin/members/storeacceptance/"
KINDS = (AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.SERVICES)


def box(issuer, server, kind) -> str:
    return f"take-{issuer.pk}-{server.pk}-{kind}"


@pytest.fixture
def all_boxes(riverside, hilltop) -> dict[str, str]:
    pairs = ((riverside, hilltop), (hilltop, riverside))
    return {box(*pair, kind): "on" for pair in pairs for kind in KINDS}


def test_a_box_taken_away_is_an_exception_and_given_back_is_none(boss, riverside, hilltop, all_boxes):
    without = {name: on for name, on in all_boxes.items() if name != box(riverside, hilltop, "bonus")}

    boss.post(WHERE, without)
    row = StoreAcceptance.objects.get()
    boss.post(WHERE, all_boxes)

    assert (row.issuer, row.server, row.takes_principal, row.takes_bonus) == (riverside, hilltop, True, False)
    assert not StoreAcceptance.objects.exists()
    assert AuditEntry.objects.filter(subject_type="acceptance").count() == 2


def test_nothing_changed_writes_nothing(boss, riverside, hilltop, all_boxes):
    boss.post(WHERE, all_boxes)

    assert not StoreAcceptance.objects.exists()
    assert not AuditEntry.objects.filter(subject_type="acceptance").exists()


def test_an_owner_decides_what_their_store_takes_and_no_more(riverside, hilltop):
    owner = employ(hilltop, "olga", Role.OWNER)
    owner.roles.create(store=riverside, role=Role.MANAGER)

    at_desk(owner).post(WHERE, {})

    assert list(StoreAcceptance.objects.values_list("server__name", flat=True)) == ["Hilltop"]


def test_a_manager_reads_and_changes_nothing(riverside, hilltop, mei):
    assert at_desk(mei).get(WHERE).status_code == 200
    assert at_desk(mei).post(WHERE, {}).status_code == 403
    assert not StoreAcceptance.objects.exists()


def test_a_stranger_does_not_see_the_names_of_other_stores(riverside, hilltop):
    stranger = at_desk(employ(hilltop, "olga", Role.OWNER))

    assert "Riverside" not in stranger.get(WHERE).content.decode()
