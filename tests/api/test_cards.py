"""The till's verbs through the API. Money in fen."""

import pytest

from members.models import Card, Operation, RechargePlan, Reward


@pytest.fixture
def plan(db) -> RechargePlan:
    return RechargePlan.objects.create(name="3000+1000", pay_minor=300000, bonus_minor=100000)


def test_open(partner, li_lei, product, riverside):
    response = partner.post("cards", {"member": str(li_lei.public_id), "product": product.pk})

    shown = response.json()["card"]
    assert response.status_code == 201
    assert (shown["member"], shown["store"], shown["status"]) == (
        str(li_lei.public_id),
        str(riverside.public_id),
        "active",
    )
    assert shown["balances"] == {"principal_minor": 0, "bonus_minor": 0, "points": 0, "services": 0}
    assert partner.get(f"cards/{shown['id']}").json() == shown | {"sharers": []}


def test_recharge_with_a_plan_spend_and_refund(partner, card, plan, rule):
    rule("card_recharged", "Balance {balance}.")
    path = f"cards/{card.public_id}"

    recharged = partner.post(
        f"{path}/recharge", {"amount_minor": 300000, "tender": "wechat", "plan": plan.pk}
    ).json()
    spent = partner.post(f"{path}/spend", {"amount_minor": 100000, "note": "Cut and colour"}).json()
    refunded = partner.post(f"operations/{spent['operation']['id']}/refund", {}).json()

    assert recharged["balances"] == {
        "principal_minor": 300000,
        "bonus_minor": 100000,
        "points": 0,
        "services": 0,
    }
    assert recharged["firings"][0]["message"]["state"] == "queued"
    assert spent["balances"] == {
        "principal_minor": 225000,
        "bonus_minor": 75000,
        "points": 1000,
        "services": 0,
    }
    assert (spent["operation"]["amount_minor"], spent["operation"]["note"]) == (100000, "Cut and colour")
    assert refunded["balances"] == {
        "principal_minor": 300000,
        "bonus_minor": 100000,
        "points": 0,
        "services": 0,
    }
    assert refunded["operation"]["reverses"] == spent["operation"]["id"]


def test_a_bill_half_in_cash(partner, loaded_card):
    body = {"amount_minor": 12000, "tenders": [{"type": "cash", "amount_minor": 6000}]}

    spent = partner.post(f"cards/{loaded_card.public_id}/spend", body).json()

    assert spent["balances"]["principal_minor"] == 44000


def test_a_part_is_refunded_and_no_more_than_is_left(partner, loaded_card):
    spent = partner.post(f"cards/{loaded_card.public_id}/spend", {"amount_minor": 30000}).json()
    refund = f"operations/{spent['operation']['id']}/refund"

    part = partner.post(refund, {"amount_minor": 20000})
    more = partner.post(refund, {"amount_minor": 10001})

    assert part.json()["balances"]["principal_minor"] == 40000
    assert (more.status_code, more.json()["code"]) == (422, "refund_exceeds_original")
    assert more.json()["refundable_minor"] == 10000


def test_redeem(partner, loaded_card):
    reward = Reward.objects.create(name="Head massage", points=250)
    partner.post(f"cards/{loaded_card.public_id}/spend", {"amount_minor": 30000})

    redeemed = partner.post(f"cards/{loaded_card.public_id}/redeem", {"reward": reward.pk})

    assert (redeemed.status_code, redeemed.json()["balances"]["points"]) == (201, 50)


@pytest.mark.parametrize(
    ("verb", "body", "code", "pointer"),
    [
        ("spend", {"amount_minor": 50001}, "insufficient_balance", "/amount_minor"),
        (
            "spend",
            {"amount_minor": 1, "tenders": [{"type": "cash", "amount_minor": 2}]},
            "amount_invalid",
            "/amount_minor",
        ),
        (
            "spend",
            {"amount_minor": 1, "tenders": [{"type": "shells", "amount_minor": 1}]},
            "validation_failed",
            "/tenders/0/type",
        ),
        (
            "spend",
            {"amount_minor": 1, "tenders": [{"type": "cash", "amount_minor": 0}]},
            "validation_failed",
            "/tenders/0/amount_minor",
        ),
        (
            "spend",
            {"amount_minor": 1, "tenders": [{"type": "cash"}]},
            "validation_failed",
            "/tenders/0/amount_minor",
        ),
        (
            "spend",
            {"amount_minor": 9, "tenders": [{"type": "cash", "amount_minor": 1}] * 6},
            "validation_failed",
            "/tenders",
        ),
        ("spend", {"amount_minor": 1, "note": "x" * 201}, "validation_failed", "/note"),
        ("recharge", {"amount_minor": 1}, "validation_failed", "/tender"),
        ("recharge", {"amount_minor": 1, "tender": "shells"}, "validation_failed", "/tender"),
        ("recharge", {"amount_minor": 1, "tender": "cash", "plan": 0}, "validation_failed", "/plan"),
        ("recharge", {"amount_minor": 1, "tender": "cash", "plan": 999999}, "not_offered", "/plan"),
        ("recharge", {"amount_minor": 1, "tender": "cash", "plan": 2**63}, "validation_failed", "/plan"),
        (
            "recharge",
            {"amount_minor": 1, "tender": "cash", "reference": "x" * 65},
            "validation_failed",
            "/reference",
        ),
        ("redeem", {"reward": 999999}, "not_offered", "/reward"),
        ("redeem", {"reward": "1"}, "validation_failed", "/reward"),
    ],
)
def test_deeds_that_are_refused_change_nothing(partner, loaded_card, verb, body, code, pointer):
    deeds = Operation.objects.count()

    response = partner.post(f"cards/{loaded_card.public_id}/{verb}", body)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert Operation.objects.count() == deeds


def test_a_plan_is_sold_at_its_price(partner, card, plan):
    body = {"amount_minor": 100, "tender": "cash", "plan": plan.pk}

    assert partner.post(f"cards/{card.public_id}/recharge", body).json()["code"] == "amount_invalid"


def test_a_payment_pays_once(partner, card):
    body = {"amount_minor": 100, "tender": "wechat", "reference": "wx-4200001"}
    partner.post(f"cards/{card.public_id}/recharge", body)

    again = partner.post(f"cards/{card.public_id}/recharge", body)

    assert (again.status_code, again.json()["code"]) == (422, "payment_ref_used")


def test_a_frozen_card_takes_nothing(partner, loaded_card):
    Card.objects.update(status="frozen")

    response = partner.post(f"cards/{loaded_card.public_id}/spend", {"amount_minor": 1})

    assert (response.status_code, response.json()["code"]) == (422, "card_not_usable")


def test_only_a_spend_is_refunded(partner, loaded_card):
    recharge = Operation.objects.get(kind="recharge")

    response = partner.post(f"operations/{recharge.public_id}/refund", {})

    assert (response.status_code, response.json()["code"]) == (422, "not_refundable")
