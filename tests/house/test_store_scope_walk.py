"""People of another store walk through every address there is: nothing of Riverside is shown, nothing is changed.

The addresses come from the URL resolver (addresses.py), so that a new one is walked by itself.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from campaigns.domain import drafting, launching, runs
from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind
from campaigns.models import Campaign, Run
from crm.api.models import ApiKey
from crm.seeding.setting_up import write_texts
from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.events import publish
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import ConsentSource, Role, TenderType
from members.models import (
    CardProduct,
    Member,
    MembershipEvent,
    Operation,
    RechargePlan,
    Reward,
    Staff,
    StaffRole,
    Store,
)
from messaging.models import Gateway, InboundText, Message
from tests.conftest import NOON, Enrol, log_in
from tests.house.addresses import Address, every_address, rows_of
from tests.house.things import one_of_each
from tests.house.traces import added_to, changed, snapshot

NAME, DIGITS, SHOWN = "Li Quillfeather", "13655501273", "136 5550 1273"
# numbers and words that stand anywhere
NAMES_NOTHING = {"plan", "reward", "account", "kind", "on", "what", "language", "number"}
PHONE = "+86 136-5550-1273"  # as a visitor types it: not how any page would show it


@dataclass
class Riverside:
    """One of each thing of Riverside's, and the words by which it would be recognised."""

    store: Store
    ids: dict[str, list[str]]
    marks: list[str]


@pytest.fixture
def theirs(
    riverside: Store, chen: Staff, mei: Staff, at_till: Actor, enrol: Enrol, product: CardProduct
) -> Riverside:
    """Riverside with a member, a card, deeds, texts, a campaign with a run, a plan, a reward, a gateway, a key."""
    deed = {"actor": at_till, "at": NOON, "store": riverside}
    quill = enrol(DIGITS, name=NAME, language="en", tags=["Quilltag"])
    Member.objects.filter(pk=quill.pk).update(notes="Quillnote")
    card, _ = open_card(key="o", member=quill, product=product, **deed)
    recharge_card(key="r", card=card, tender=TenderPaid(TenderType.CASH, 50000), **deed)
    write_texts(mei, chen, NOON)
    sale = spend(key="s", card=card, amount_minor=12345, **deed).operation
    facts = {"service": "Quillcut", "starts_at": "2026-11-25T14:30:00+08:00"}
    publish("booking_made", member=quill, store=riverside, source="api:x", key="b", at=NOON, payload=facts)
    plan = RechargePlan.objects.create(name="Quillplan", store=riverside, pay_minor=50000)
    reward = Reward.objects.create(name="Quillreward", store=riverside, points=1)
    run = sent_campaign(riverside, mei, chen)
    gateway = Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="x")
    InboundText.objects.create(
        gateway=gateway, phone=quill.phone, text="Quillquestion", member=quill, received_at=NOON
    )
    ApiKey.objects.create_key(name="Quillkey")[0].stores.set([riverside])
    things = one_of_each(card, cashier=chen, manager=mei, enrol=enrol)
    ids = {name: [each] for name, each in things.items()} | {
        "member": [str(quill.public_id)],
        "card": [str(card.public_id)],
        "operation": [str(pk) for pk in Operation.objects.values_list("public_id", flat=True)],
        "event": [str(pk) for pk in MembershipEvent.objects.values_list("public_id", flat=True)],
        "message": [str(pk) for pk in Message.objects.values_list("public_id", flat=True)],
        "campaign": [str(run.campaign.public_id)],
        "run": [str(run.public_id)],
        "template": [str(run.campaign.template.public_id)],
        "language": ["en"],
        "number": ["1"],
        "plan": [str(plan.pk)],
        "reward": [str(reward.pk)],
        "sale": [str(sale.public_id)],
    }
    named = [value for name, values in ids.items() if name not in NAMES_NOTHING for value in values]
    marks = ["Quill", DIGITS, SHOWN, card.number, quill.member_no, "123.45", *named]
    return Riverside(riverside, ids, marks)


def sent_campaign(store: Store, author: Staff, approver: Staff) -> Run:
    campaign = drafting.create_draft(kind=CampaignKind.PUSH, store=store, name="Quillcampaign", by=author)
    campaign = drafting.save_plan(
        campaign=campaign, audience=Audience(), wording={"en": "20% off at {store}"}, changes={}
    )
    drafting.submit(campaign=campaign, by=author, at=NOON)
    drafting.approve(campaign=campaign, by=approver, at=NOON)
    run = launching.launch(campaign=Campaign.objects.get(pk=campaign.pk), by=author, at=NOON)
    runs.freeze(run_id=run.pk)
    runs.expand(run_id=run.pk, chunk=0, at=NOON)
    return run


# --- what is sent along


def form_of(theirs: Riverside) -> dict[str, Any]:
    """A form that says everything a page may ask, about Riverside's things."""
    ids = {name: values[0] for name, values in theirs.ids.items()}
    return ids | {
        "amount": "1",
        "tender": "cash",
        "outside": "0",
        "operation": theirs.ids["sale"][0],
        "idempotency_key": str(uuid4()),
        "store": str(theirs.store.pk),
        "home_store": str(theirs.store.pk),
        "phone": PHONE,
        "name": "Wang was here",
        "purpose": "marketing",
        "given": "0",
        "kind": "push",
        "language": "en",
        "username": "chen",
        "password1": "hilltop takes over",
        "password2": "hilltop takes over",
        "note": "Wang was here",
        "action": "delete_selected",
        "post": "yes",
        "format": "0",
        "q": "quillfeather",
        "seen": "1",
    }


def body_of(theirs: Riverside) -> dict[str, Any]:
    """The same for the API."""
    return {
        "member": theirs.ids["member"][0],
        "store": str(theirs.store.public_id),
        "amount_minor": 100,
        "tender": "cash",
        "phone": PHONE,
        "type": "customer_arrived",
        "data": {"place": "Lobby"},
    }


def asked(theirs: Riverside) -> dict[str, str]:
    """Filters and searches for Riverside's things."""
    return {
        "q": "quillfeather",
        "phone": PHONE,
        "card": theirs.ids["card"][0],
        "operation": theirs.ids["sale"][0],
        "before": theirs.ids["sale"][0],
        "run": theirs.ids["run"][0],
    }


def told_by(response: HttpResponse) -> str:
    """All words of an answer, also those packed in a spreadsheet."""
    raw = b"".join(response.streaming_content) if response.streaming else response.content
    if raw[:2] == b"PK":
        book = zipfile.ZipFile(BytesIO(raw))
        return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return raw.decode("utf-8", "replace")


def walk(client: Client, theirs: Riverside, addresses: list[Address] | None = None) -> dict[str, str]:
    """Try every address (or these) with every method; what was shown of Riverside, by address.

    What the visitor said is no news when a page repeats it.
    """
    shown, answers = {}, Counter()
    for address in addresses or every_address(theirs.ids):
        for method, said, response in visits(client, address, theirs):
            answers[response.status_code] += 1
            if response.status_code >= 500:
                shown[f"{method} {address.path} ({address.name})"] = f"broke: {response.status_code}"
            if 200 <= response.status_code < 300:
                words = told_by(response)
                hits = [mark for mark in theirs.marks if mark in words and mark not in said]
                if hits:
                    shown[f"{method} {address.path} ({address.name})"] = ", ".join(hits)
    print(dict(answers))
    assert addresses or answers.total() > 400
    return shown


def visits(client: Client, address: Address, theirs: Riverside) -> Iterator[tuple[str, str, HttpResponse]]:
    """(method, what was said, answer) for each way to knock at an address."""
    path = address.path
    yield "GET", path, client.get(path)
    yield "GET?", path + json.dumps(asked(theirs)), client.get(path, asked(theirs))
    if not path.startswith("/api/"):
        form = form_of(theirs) | {"_selected_action": rows_of(address.name)}
        yield "POST", path + json.dumps(form), client.post(path, form)
        return
    for method in ("post", "put", "patch", "delete"):
        body = json.dumps(body_of(theirs))
        headers = {"Idempotency-Key": str(uuid4())}
        answer = getattr(client, method)(path, body, content_type="application/json", headers=headers)
        yield method.upper(), path + body, answer


# --- who walks


@pytest.fixture
def own_member(hilltop: Store) -> Member:
    """Han Meimei, a member of Hilltop."""
    consents = Consents(True, True, "2026-11", ConsentSource.TILL)
    return enrol_member(
        actor=Actor("till"),
        key="h",
        at=NOON,
        store=hilltop,
        phone="13900139000",
        consents=consents,
        name="Han",
    )


def wang_at_the_till(wang: Staff, **_: Any) -> Client:
    return logged_in(wang)


def wang_with_every_role_at_hilltop(wang: Staff, hilltop: Store, **_: Any) -> Client:
    roles = [StaffRole(staff=wang, store=hilltop, role=role) for role in Role if role != Role.CASHIER]
    StaffRole.objects.bulk_create(roles)
    Staff.objects.filter(pk=wang.pk).update(is_staff=True)
    return logged_in(Staff.objects.get(pk=wang.pk))


def the_booking_system_of_hilltop(hilltop: Store, **_: Any) -> Client:
    key, secret = ApiKey.objects.create_key(name="Hilltop bookings")
    key.stores.set([hilltop])
    return Client(raise_request_exception=False, headers={"Authorization": f"Api-Key {secret}"})


def a_member_of_hilltop(own_member: Member, **_: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.post("/portal/login/", {"phone": own_member.phone})
    text = Message.objects.get(member=own_member, cause="code").text
    entered = client.post("/portal/login/code/", {"code": re.search(r"\d{6}", text)[0]})
    assert entered.status_code == 302
    return client


def nobody(**_: Any) -> Client:
    return Client(raise_request_exception=False)


def logged_in(staff: Staff) -> Client:
    client = Client(raise_request_exception=False)
    log_in(client, staff)
    return client


VISITORS = [
    wang_at_the_till,
    wang_with_every_role_at_hilltop,
    the_booking_system_of_hilltop,
    a_member_of_hilltop,
    nobody,
]


@pytest.mark.parametrize("visitor", VISITORS)
def test_nothing_of_riverside_is_shown_or_changed(visitor, theirs, wang, hilltop, own_member):
    client = visitor(wang=wang, hilltop=hilltop, own_member=own_member)
    before = snapshot()
    own = {"members_staff": {str(wang.pk)}, "members_member": {str(own_member.pk)}}

    shown = walk(client, theirs)

    assert shown == {}
    assert changed(before, except_of=own) == []
    assert added_to(before) == []


def test_chen_herself_is_shown_what_the_others_are_not(theirs, chen):
    """The walk can see: on the same addresses Riverside's own cashier finds Riverside's things."""
    telling = {"till_member", "member_detail", "message_detail", "find_member", "recharge_card"}
    addresses = [address for address in every_address(theirs.ids) if address.name.split(":")[-1] in telling]

    shown = walk(logged_in(chen), theirs, addresses)

    assert telling <= {page.rsplit("(", 1)[1].rstrip(")").split(":")[-1] for page in shown}
