"""Codes under a crowd: many requests at the same moment, on connections of their own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from members.domain.enrolment import phone_hash
from members.models import Member, Store
from messaging.domain.verification import TooManyCodes
from messaging.models import Message, VerificationCode
from tests.messaging.test_verification import ask, check, texted_code


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, for the other connections. Named so that pytest-django makes the test database."""


@pytest.fixture
def committed_member(db: None) -> Iterator[Member]:
    """Li Lei as other connections see her."""
    store = Store.objects.create(name="Riverside", sms_signature="常客", language="en")
    yield Member.objects.create(
        member_no="R1", phone="+8613800138000", phone_hash=phone_hash("+8613800138000"), home_store=store
    )


@pytest.mark.xdist_group("crowds")
def test_of_64_right_checks_at_once_one_wins(committed_member):
    ask(committed_member.phone)
    code = texted_code(committed_member)
    together = Barrier(64)

    def one_check(number: int) -> bool:
        try:
            together.wait(timeout=30)
            return check(committed_member.phone, code, ip=f"192.0.{number}.2").is_right
        finally:
            connection.close()

    with ThreadPoolExecutor(64) as pool:
        results = list(pool.map(one_check, range(64)))

    assert sum(results) == 1
    assert VerificationCode.objects.get().checks <= 5


def test_of_16_requests_at_once_one_gets_a_code(committed_member):
    together = Barrier(16)

    def one_ask(number: int) -> bool:
        try:
            together.wait(timeout=30)
            ask(committed_member.phone, ip=f"192.0.{number}.2")
            return True
        except TooManyCodes:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(one_ask, range(16)))

    assert sum(results) == 1
    assert Message.objects.count() == 1
