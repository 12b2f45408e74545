"""A key of Hilltop sees, finds and changes nothing of Riverside: the answers are those for nothing at all."""

import json

import pytest

from members.models import CardProduct, MembershipEvent, Operation, RechargePlan, Reward
from messaging.models import Message

NOBODY = "00000000-0000-0000-0000-000000000000"
READS = [
    "members/{member}",
    "members/{member}/balances",
    "members/{member}/statement",
    "members/{member}/coupons",
    "cards/{card}",
    "holds/{hold}",
    "messages/{text}",
]
WRITES = [
    ("cards/{card}/recharge", {"amount_minor": 100, "tender": "cash"}),
    ("cards/{card}/spend", {"amount_minor": 100}),
    ("cards/{card}/redeem", {"reward": 1}),
    ("cards/{card}/code", {}),
    ("cards/{card}/holds", {"amount_minor": 100, "until": "2126-11-21T04:00:00Z"}),
    ("cards/{card}/services/take", {}),
    ("holds/{hold}/capture", {"amount_minor": 100}),
    ("holds/{hold}/release", {}),
    ("operations/{sale}/services/return", {}),
    ("operations/{sale}/refund", {}),
]


@pytest.fixture
def ids(partner, loaded_card, rule) -> dict[str, str]:
    """The public ids of Li Lei, the card, a sale and its text, all at Riverside."""
    rule("card_spent", "Thank you.")
    partner.post(f"cards/{loaded_card.public_id}/spend", {"amount_minor": 1000})
    until = "2126-11-21T04:00:00Z"
    held = partner.post(f"cards/{loaded_card.public_id}/holds", {"amount_minor": 100, "until": until}).json()
    return {
        "hold": held["hold"]["id"],
        "member": str(loaded_card.member.public_id),
        "card": str(loaded_card.public_id),
        "sale": str(Operation.objects.get(kind="spend").public_id),
        "text": str(Message.objects.get().public_id),
    }


def told(response) -> tuple[int, dict]:
    return response.status_code, {**json.loads(response.content), "request_id": "…"}


@pytest.mark.parametrize("path", READS)
def test_reads_answer_as_if_there_were_nothing(partner, stranger, ids, path):
    nobody = dict.fromkeys(ids, NOBODY)

    assert partner.get(path.format(**ids)).status_code == 200
    assert told(stranger.get(path.format(**ids))) == told(stranger.get(path.format(**nobody)))
    assert stranger.get(path.format(**ids)).status_code == 404


@pytest.mark.parametrize(("path", "body"), WRITES)
def test_writes_answer_as_if_there_were_nothing(stranger, ids, path, body):
    deeds = Operation.objects.count()
    nobody = dict.fromkeys(ids, NOBODY)

    foreign = told(stranger.post(path.format(**ids), body))

    assert foreign == told(stranger.post(path.format(**nobody), body))
    assert (foreign[0], Operation.objects.count()) == (404, deeds)


def test_lists_show_nothing_of_the_other_store(stranger, ids, hilltop):
    assert stranger.get("members").json() == {"data": [], "next": None}
    assert stranger.get("members?phone=13800138000").json() == {"data": [], "next": None}
    assert [store["id"] for store in stranger.get("stores").json()["data"]] == [str(hilltop.public_id)]


@pytest.mark.parametrize("who", [{"phone": "13800138000"}, {"phone": "13900139000"}, {"member": NOBODY}])
def test_events_know_only_own_members(stranger, li_lei, who):
    response = stranger.post("events", {"type": "customer_arrived", "data": {"place": "Lobby"}, **who})

    assert (response.status_code, response.json()["code"]) == (404, "member_not_found")
    assert not MembershipEvent.objects.filter(type="customer_arrived").exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("cards/{card}/recharge", {"amount_minor": 100, "tender": "cash"}),
        ("cards/{card}/spend", {"amount_minor": 100}),
        ("operations/{sale}/refund", {}),
        ("members", {"phone": "13900139000", "consents": {"service": True, "marketing": True}}),
        ("events", {"type": "customer_arrived", "phone": "13800138000", "data": {"place": "Lobby"}}),
    ],
)
def test_a_foreign_store_cannot_be_named(partner, ids, hilltop, path, body):
    foreign = partner.post(path.format(**ids), body | {"store": str(hilltop.public_id)})
    absent = partner.post(path.format(**ids), body | {"store": NOBODY})

    assert told(foreign) == told(absent)
    assert (foreign.status_code, foreign.json()["code"]) == (422, "store_unknown")


def test_a_foreign_member_gets_no_card(stranger, li_lei, product):
    response = stranger.post("cards", {"member": str(li_lei.public_id), "product": product.pk})

    assert (response.status_code, response.json()["code"]) == (422, "member_unknown")


def test_offers_of_another_store_are_neither_shown_nor_sold(stranger, partner, riverside, loaded_card):
    plan = RechargePlan.objects.create(name="Riverside only", store=riverside, pay_minor=100)
    Reward.objects.create(name="Riverside only", store=riverside, points=1)
    RechargePlan.objects.create(name="Everywhere", pay_minor=200)

    assert [row["name"] for row in stranger.get("plans").json()["data"]] == ["Everywhere"]
    assert [row["name"] for row in partner.get("plans").json()["data"]] == ["Riverside only", "Everywhere"]
    assert stranger.get("rewards").json() == {"data": []}
    assert plan.pk in [row["id"] for row in partner.get("plans").json()["data"]]


def test_products_are_those_on_offer(partner, product):
    CardProduct.objects.create(name="Old card", is_active=False)

    assert [row["name"] for row in partner.get("products").json()["data"]] == ["House card"]


def test_a_key_of_two_stores_says_which(group, ids, riverside):
    spend = f"cards/{ids['card']}/spend"

    unsaid = group.post(spend, {"amount_minor": 100})
    said = group.post(spend, {"amount_minor": 100, "store": str(riverside.public_id)})

    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "store_required")
    assert (said.status_code, said.json()["operation"]["store"]) == (201, str(riverside.public_id))


def test_an_event_without_a_store_happened_at_the_members_own(group, li_lei, riverside):
    arrived = group.post(
        "events", {"type": "customer_arrived", "phone": li_lei.phone, "data": {"place": "Lobby"}}
    )

    assert (arrived.status_code, arrived.json()["store"]) == (201, str(riverside.public_id))


def test_what_a_card_of_another_store_did_is_not_in_the_statement(partner, group, ids, product, hilltop):
    there = group.post(
        "cards", {"member": ids["member"], "product": product.pk, "store": str(hilltop.public_id)}
    )
    body = {"amount_minor": 77700, "tender": "cash", "store": str(hilltop.public_id)}
    group.post(f"cards/{there.json()['card']['id']}/recharge", body)

    amounts = [row["amount"] for row in partner.get(f"members/{ids['member']}/statement").json()["data"]]
    cards = partner.get(f"members/{ids['member']}/balances").json()["cards"]

    assert 77700 not in amounts and 50000 in amounts
    assert [card["id"] for card in cards] == [ids["card"]]


def test_a_store_taken_from_a_key_is_gone_with_the_next_call(partner, ids, riverside, hilltop):
    partner.key.stores.set([hilltop])

    assert partner.get(f"members/{ids['member']}").status_code == 404
