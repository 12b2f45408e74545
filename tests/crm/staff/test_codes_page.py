"""Locks and breakers of verification codes: who sees whose, who lets in again, and that it is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.enums import Role
from members.models import AuditEntry
from messaging.models import VerificationLock
from tests.conftest import employ, log_in


def locked(kind: str = "number", key: bytes = b"k", **facts: str) -> VerificationLock:
    now = timezone.now()
    until = None if kind in ("failures", "conversion") else now + timedelta(hours=1)
    return VerificationLock.objects.create(kind=kind, key_hash=key, opened_at=now, until=until, facts=facts)


def browser_of(staff) -> Client:
    browser = Client()
    log_in(browser, staff)
    return browser


def release(browser: Client, lock: VerificationLock, reason: str = "she is at the till"):
    return browser.post(f"/codes/{lock.public_id}/release/", {"reason": reason})


def test_a_manager_lets_a_member_of_the_store_in_again(li_lei, mei):
    lock, desk = locked(key=bytes(li_lei.phone_hash)), browser_of(mei)

    page = desk.get("/codes/").content.decode()
    assert release(desk, lock, "").status_code == 302
    assert not AuditEntry.objects.filter(verb="codes_released").exists(), "without a reason nothing is done"
    release(desk, lock)

    lock.refresh_from_db()
    assert "Li Lei" in page and "Release" in page
    assert lock.released_by == mei
    assert AuditEntry.objects.get(verb="codes_released").after["reason"] == "she is at the till"
    assert release(desk, lock).status_code == 404, "it is over"


@pytest.mark.parametrize("kind", ["number", "span", "failures"])
def test_what_is_nobodys_is_an_owners(riverside, mei, kind):
    lock, owner = locked(kind), employ(riverside, "ou", Role.OWNER)

    assert release(browser_of(mei), lock).status_code == 404
    assert release(browser_of(owner), lock).status_code == 302


def test_another_stores_member_is_neither_named_nor_released(li_lei, hilltop):
    lock, there = locked(key=bytes(li_lei.phone_hash)), browser_of(employ(hilltop, "ou", Role.OWNER))

    assert "Li Lei" not in there.get("/codes/").content.decode()
    assert release(there, lock).status_code == 404


def test_a_cashier_does_not_see_it(chen):
    assert browser_of(chen).get("/codes/").status_code == 403


def test_more_locks_cost_no_more_queries(mei, enrol):
    desk, counts = browser_of(mei), []
    for number in range(3):
        locked(key=bytes(enrol(f"1390013900{number}").phone_hash))
        desk.get("/codes/")
        with CaptureQueriesContext(connection) as queries:
            assert desk.get("/codes/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[-1]
