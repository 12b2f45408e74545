"""Members at their phones: browsers that are logged in the way a member logs in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from members.models import Card, Member
from messaging.models import Message
from tests.conftest import Enrol

Visit = Callable[[Member], Client]


def texted_code(member: Member) -> str:
    """The digits in the newest text to this member."""
    text = Message.objects.filter(member=member, cause="code").latest("id").text
    return re.search(r"\d{6}", text)[0]


@pytest.fixture
def visit(db: None) -> Visit:
    """A browser in which this member has logged in by code: `visit(li_lei).get("/portal/")`."""

    def _visit(member: Member) -> Client:
        browser = Client()
        browser.post("/portal/login/", {"phone": member.phone})
        answer = browser.post("/portal/login/code/", {"code": texted_code(member)})
        assert answer.status_code == 302, answer.content
        return browser

    return _visit


@pytest.fixture
def han(enrol: Enrol) -> Member:
    """Han Meimei, another member, without a card."""
    return enrol("13900139000", name="Han Meimei", language="en", marketing=False)


@pytest.fixture
def at_home(visit: Visit, li_lei: Member, loaded_card: Card) -> Client:
    """Li Lei's browser, logged in; 500.00 on the card."""
    return visit(li_lei)
