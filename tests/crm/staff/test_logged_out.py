"""Chen's log-in ends in the middle of her work: nothing is done, and nothing she typed is lost."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.crm.staff.conftest import send, text_of


def test_a_part_of_a_page_is_never_replaced_by_the_way_in(client: Client, card) -> None:
    client.defaults["HTTP_HX_REQUEST"] = "true"

    searched = client.get(reverse("staff:find_member"), {"q": "8000"})
    sent = send(client, "recharge_card", card, amount="500")

    assert (searched.status_code, sent.status_code) == (401, 401)
    assert (searched.content, sent.content) == (b"", b"")


def test_a_page_leads_to_the_way_in_and_back(client: Client) -> None:
    answer = client.get("/members/?tier=gold")

    assert answer.url == "/login/?next=/members/%3Ftier%3Dgold"


@pytest.mark.parametrize(
    ("before", "back"),
    [
        ("http://testserver/members/?tier=gold", "/members/%3Ftier%3Dgold"),
        ("http://elsewhere.example/members/", "/"),
        ("", "/"),
    ],
)
def test_a_form_that_comes_too_late_leads_back_to_its_page(client: Client, before, back) -> None:
    answer = client.post(
        reverse("staff:move_cash", args=[8 * "0" + "-0000-4000-8000-000000000000"]), HTTP_REFERER=before
    )

    assert answer.url == f"/login/?unsent=1&next={back}"
    assert "what you sent was not done" in text_of(client.get(answer.url))
