"""What a member sees: their own card, statement and texts, and nothing of anybody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone

from crm.portal.correspondence import WHY
from crm.portal.holdings import holdings_of
from crm.portal.statement import statement_page
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import TenderPaid
from members.domain.refunds import refund
from members.domain.rewards import redeem_points
from members.domain.spending import spend
from members.enums import CardStatus, TenderType
from members.event_types import EVENT_TYPES
from members.models import Card, Operation, RechargePlan, Reward
from messaging.domain.outbox import Draft, enqueue
from messaging.enums import Cause, MessageClass
from messaging.models import Gateway, InboundText, Message
from messaging.states import State
from tests.conftest import NOON

DAY = timedelta(days=1)


@pytest.fixture
def plan(db) -> RechargePlan:
    return RechargePlan.objects.create(
        name="500 + 80", pay_minor=50000, bonus_minor=8000, bonus_valid_days=90
    )


@pytest.fixture
def busy_card(card, at_till, riverside, plan) -> Card:
    """580.00 paid in with bonus, 128.00 spent of which 28.00 in cash, 50.00 of it refunded, a reward taken."""
    common = {"actor": at_till, "store": riverside, "card": card}
    recharge_card(**common, key="in", at=NOON, tender=TenderPaid(TenderType.CASH, 50000), plan=plan)
    paid = TenderPaid(TenderType.CASH, 2800)
    bought = spend(**common, key="out", at=NOON + DAY, amount_minor=12800, tenders=[paid])
    refund(
        actor=at_till,
        key="back",
        at=NOON + DAY,
        store=riverside,
        operation=bought.operation,
        amount_minor=5000,
    )
    tea = Reward.objects.create(name="Pot of tea", points=50)
    redeem_points(**common, key="tea", at=NOON + DAY, reward=tea)
    return card


@pytest.fixture
def at_home(visit, li_lei, busy_card) -> Client:
    return visit(li_lei)


def text_of(page: bytes) -> str:
    """What is read on the page, tags taken out, spaces made one."""
    body = re.sub(r"(?s)<(script|svg|template|style).*?</\1>", " ", page.decode())
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_home_shows_the_card_with_balances_points_and_what_ends_when(at_home, busy_card):
    page = at_home.get("/portal/")

    said = text_of(page.content)
    held = holdings_of(busy_card.member, at=NOON + 2 * DAY)
    assert held.cards[0].balance_minor == 58000 - 10000 + 3906
    for amount in (held.cards[0].principal_minor, held.cards[0].bonus_minor, held.cards[0].balance_minor):
        assert f"¥{amount / 100:,.2f}" in said
    assert "until Feb 18, 2027" in said, "the bonus ends ninety days after the recharge"
    assert "until Nov 21, 2027" in said, "points end a year after they were earned"
    assert b'class="qrline"' in page.content
    assert " style=" not in page.content.decode()


def test_the_statement_is_like_a_banks(at_home):
    said = text_of(at_home.get("/portal/statement/").content)

    assert "November 2026" in said
    order = [
        said.index(word)
        for word in ("Points redeemed: Pot of tea", "Refund", "Spend", "Recharge", "Card opened")
    ]
    assert order == sorted(order), "newest first"
    assert "+¥580.00 Balance ¥580.00" in said
    assert "Principal +¥500.00 Bonus +¥80.00" in said
    assert "−¥100.00 Balance ¥480.00" in said
    assert "Points +128" in said


def test_every_line_of_the_statement_leads_on_from_the_one_before(li_lei, busy_card):
    lines = statement_page(li_lei).lines

    for newer, older in zip(lines, lines[1:], strict=False):
        assert newer.balance_after == older.balance_after + newer.money_minor
        assert newer.points_after == older.points_after + newer.points
    assert lines[0].balance_after == holdings_of(li_lei, at=NOON).cards[0].balance_minor
    assert lines[-1].balance_after == 0


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_the_statement_says_the_same_however_it_is_paged(li_lei, busy_card, size):
    whole = statement_page(li_lei).lines

    paged, before = [], None
    while True:
        page = statement_page(li_lei, before=before, size=size)
        paged += page.lines
        if page.older is None:
            break
        before = Operation.objects.get(public_id=page.older)

    assert [(line.operation.pk, line.after) for line in paged] == [
        (line.operation.pk, line.after) for line in whole
    ]


def test_each_card_has_its_own_balance(li_lei, busy_card, product, at_till, riverside):
    second, _ = open_card(
        actor=at_till, key="second", at=NOON + 2 * DAY, store=riverside, member=li_lei, product=product
    )
    recharge_card(
        actor=at_till,
        key="second-in",
        at=NOON + 2 * DAY,
        store=riverside,
        card=second,
        tender=TenderPaid(TenderType.CASH, 10000),
    )

    newest, opened = statement_page(li_lei, size=2).lines

    assert (newest.balance_after, newest.points_after) == (10000, opened.points_after)
    assert (opened.balance_after, opened.points_after) == (0, 128 - 50 - 50)


def test_one_line_shows_what_paid_the_bill_and_what_was_left(at_home):
    bought = Operation.objects.get(kind="spend")
    page = at_home.get(f"/portal/statement/{bought.public_id}/")

    said = text_of(page.content)
    assert "Bill ¥128.00" in said
    assert "Cash ¥28.00" in said
    assert "Balance ¥480.00" in said
    assert "Refunded ¥50.00" in said
    assert str(bought.public_id)[:8].upper() in said


def test_the_shops_own_note_on_a_deed_stays_with_the_shop(visit, li_lei, loaded_card, at_till, riverside):
    spend(
        actor=at_till,
        key="noted",
        at=NOON,
        store=riverside,
        card=loaded_card,
        amount_minor=100,
        note="argued about the price",
    )
    browser = visit(li_lei)
    public_id = Operation.objects.get(key="noted").public_id

    assert b"argued" not in browser.get("/portal/statement/").content
    assert b"argued" not in browser.get(f"/portal/statement/{public_id}/").content


def test_the_older_page_of_the_statement_is_one_link_away(visit, li_lei, loaded_card, at_till, riverside):
    for number in range(30):
        spend(actor=at_till, key=f"s{number}", at=NOON, store=riverside, card=loaded_card, amount_minor=100)
    browser = visit(li_lei)

    newest = browser.get("/portal/statement/").content.decode()
    older = browser.get(
        "/portal/statement/" + re.search(r'href="(\?before=[^"]+)"', newest)[1]
    ).content.decode()

    assert newest.count("entries__link") == 25
    assert older.count("entries__link") == 7
    assert 'rel="next"' not in older


def test_what_cannot_be_used_is_said(visit, li_lei, loaded_card):
    Card.objects.update(status=CardStatus.FROZEN)

    said = text_of(visit(li_lei).get("/portal/").content)

    assert "This card cannot be used." in said
    assert "Frozen (lost)" in said


@pytest.mark.parametrize(
    ("days", "is_soon", "is_over"),
    [(31, False, False), (30, True, False), (1, True, False), (0, False, True)],
)
def test_what_ends_soon_stands_out(li_lei, busy_card, days, is_soon, is_over):
    ends = NOON + 90.5 * DAY  # the store’s midnight after day 90

    ending = holdings_of(li_lei, at=ends - days * DAY).cards[0].endings[0]

    assert (ending.is_soon, ending.is_over) == (is_soon, is_over)


def test_somebody_without_a_card_is_told_what_to_do(visit, han):
    browser = visit(han)

    assert "Ask at the till" in text_of(browser.get("/portal/").content)
    assert "Nothing here yet" in text_of(browser.get("/portal/statement/").content)


def draft(member, cause, cause_id, text, message_class, *, event=None) -> Draft:
    return Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        store_id=member.home_store_id,
        message_class=message_class,
        text=text,
        encoding="UCS-2",
        parts=1,
        cause=cause,
        cause_id=cause_id,
        event_id=event.pk if event else None,
        timezone="Asia/Shanghai",
    )


@pytest.mark.parametrize(
    ("cause", "message_class", "has_event", "why"),
    [
        (Cause.RULE, MessageClass.NOTIFICATION, True, "Because your card was recharged on Nov 20, 2026."),
        (Cause.API, MessageClass.NOTIFICATION, False, "Because a system that works for the shop reported"),
        (Cause.REPLY, MessageClass.TRIGGER, False, "Because you texted us."),
        (Cause.RUN, MessageClass.NOTIFICATION, False, "Because the shop had news for its members."),
    ],
)
def test_every_text_says_why_it_came(visit, li_lei, loaded_card, cause, message_class, has_event, why):
    event = li_lei.events.get(type="card_recharged") if has_event else None
    enqueue([draft(li_lei, cause, 1, "Hello Li Lei", message_class, event=event)], at=NOON)

    said = text_of(visit(li_lei).get("/portal/messages/").content)

    assert f"Hello Li Lei {why}" in said


def test_every_event_has_its_reason_in_the_members_words():
    assert set(WHY) == set(EVENT_TYPES)


def test_an_offer_names_the_day_the_member_agreed(visit, li_lei):
    enqueue([draft(li_lei, Cause.RUN, 1, "Tea is back", MessageClass.MARKETING)], at=NOON)
    Message.objects.update(state=State.SUBMITTING, submitted_at=NOON)

    said = text_of(visit(li_lei).get("/portal/messages/").content)

    assert "Because you agreed to marketing texts on Nov 20, 2026 (Till)." in said


@pytest.mark.parametrize(
    ("message_class", "moves", "is_shown"),
    [
        (MessageClass.NOTIFICATION, [], True),
        (MessageClass.NOTIFICATION, [State.SUPPRESSED], False),
        (MessageClass.NOTIFICATION, [State.EXPIRED], False),
        (MessageClass.NOTIFICATION, [State.SUBMITTING, State.ACCEPTED, State.DELIVERED], True),
        (MessageClass.MARKETING, [], False),
        (MessageClass.MARKETING, [State.CANCELLED], False),
        (MessageClass.MARKETING, [State.SUBMITTING], True),
    ],
)
def test_what_never_left_is_not_shown(visit, li_lei, message_class, moves, is_shown):
    enqueue([draft(li_lei, Cause.RUN, 1, "Tea is back", message_class)], at=NOON)
    for state in moves:
        Message.objects.update(state=state)

    assert (b"Tea is back" in visit(li_lei).get("/portal/messages/").content) is is_shown


def test_a_code_is_never_shown_again(visit, li_lei):
    browser = visit(li_lei)
    code = re.search(r"\d{6}", Message.objects.get().text)[0]

    page = browser.get("/portal/messages/").content.decode()

    assert code not in page
    assert "••••" in page
    assert "Because a code was asked for this number." in page


def test_what_the_member_wrote_stands_between_the_answers(visit, li_lei):
    gateway = Gateway.objects.create(name="g", host="h", port=1, system_id="s")
    for minute, text in enumerate(["balance", "points"]):
        InboundText.objects.create(
            gateway=gateway,
            phone=li_lei.phone,
            text=text,
            member=li_lei,
            received_at=NOON + timedelta(minutes=2 * minute),
        )
        at = NOON + timedelta(minutes=2 * minute + 1)
        enqueue([draft(li_lei, Cause.REPLY, minute, f"answer to {text}", MessageClass.TRIGGER)], at=at)

    said = text_of(visit(li_lei).get("/portal/messages/").content)

    order = [said.index(text) for text in ("answer to points", "points", "answer to balance")]
    assert order == sorted(order)


def test_the_texts_page_by_page_are_all_the_texts_once(visit, li_lei):
    drafts = [
        draft(li_lei, Cause.RULE, number, f"text {number:02d}.", MessageClass.NOTIFICATION)
        for number in range(45)
    ]
    enqueue(drafts[:30], at=NOON)  # in one moment
    for number in range(30, 45):
        enqueue([drafts[number]], at=NOON - number * DAY)
    browser = visit(li_lei)
    Message.objects.filter(cause="code").delete()

    seen, url = [], "/portal/messages/"
    while url:
        page = browser.get(url).content.decode()
        seen += re.findall(r"text \d\d\.", page)
        older = re.search(r'href="(\?before=[^"]+)" rel="next"', page)
        url = f"/portal/messages/{older[1]}" if older else ""

    assert sorted(seen) == sorted(one.text for one in drafts)


def portal_addresses(operation: Operation) -> list[tuple[str, str]]:
    """Every address of the portal by name, with the ids of this operation where one is needed."""
    found = []
    for name, patterns in get_resolver("crm.portal.urls").reverse_dict.lists():
        if isinstance(name, str):
            path, parameters = patterns[0][0][0]
            filled = path % dict.fromkeys(parameters, operation.public_id)
            found.append((name, f"/portal/{filled}"))
    return found


def secrets_of(card: Card) -> list[str]:
    """What must never be on another member's page."""
    operations = Operation.objects.filter(member=card.member).values_list("public_id", flat=True)
    return [
        card.member.name,
        card.number,
        card.member.member_no,
        "Pot of tea",
        "Tea for Li Lei",
        *map(str, operations),
    ]


def test_a_member_sees_only_their_own_rows(visit, han, li_lei, busy_card):
    enqueue([draft(li_lei, Cause.RULE, 1, "Tea for Li Lei", MessageClass.NOTIFICATION)], at=NOON)
    her_deed = Operation.objects.filter(member=li_lei).first()
    stranger, owner = visit(han), visit(li_lei)
    addresses = portal_addresses(her_deed)

    assert {name for name, _ in addresses} >= {
        "home",
        "statement",
        "statement_line",
        "messages",
        "preferences",
    }
    for name, address in addresses:
        if name == "logout":
            continue
        for page in (stranger.get(address), stranger.post(address, {"before": her_deed.public_id})):
            leaked = [secret for secret in secrets_of(busy_card) if secret in page.content.decode()]
            assert not leaked, f"{address} shows {leaked}"
    assert stranger.get(f"/portal/statement/{her_deed.public_id}/").status_code == 404
    assert stranger.get("/portal/statement/", {"before": her_deed.public_id}).status_code == 404
    assert owner.get(f"/portal/statement/{her_deed.public_id}/").status_code == 200


def test_whoever_is_not_logged_in_sees_nothing(client, busy_card):
    for name, address in portal_addresses(Operation.objects.first()):
        for page in (client.get(address), client.post(address)):
            leaked = [secret for secret in secrets_of(busy_card) if secret in page.content.decode()]
            assert not leaked, f"{name} shows {leaked}"


@pytest.mark.parametrize(
    "address",
    [
        "/portal/statement/?before=1",
        "/portal/statement/?before=00000000-0000-0000-0000-000000000000",
        "/portal/statement/not-an-id/",
        "/portal/messages/?before=yesterday",
        "/portal/messages/?before=2026-11-20",
        "/portal/messages/?before=2026-13-40T00:00:00Z",
        "/portal/messages/?before=2026-11-20T00:00:00",
    ],
)
def test_an_address_that_is_none_is_not_found(at_home, address):
    assert at_home.get(address).status_code == 404


@pytest.mark.parametrize("page", ["", "statement/", "messages/", "preferences/"])
def test_nothing_of_the_portal_stays_in_a_cache(at_home, page):
    assert "no-store" in at_home.get(f"/portal/{page}")["Cache-Control"]


def test_a_page_asks_the_database_the_same_number_of_times_however_long_the_history(
    at_home, busy_card, at_till, riverside
):
    limits = {"": 13, "statement/": 10, "messages/": 8, "preferences/": 9}
    few = {page: queries_of(at_home, page) for page in limits}
    for number in range(20):
        spend(actor=at_till, key=f"more{number}", at=NOON, store=riverside, card=busy_card, amount_minor=100)

    many = {page: queries_of(at_home, page) for page in limits}
    assert many == few
    assert {page: asked for page, asked in many.items() if asked > limits[page]} == {}


def queries_of(client, page: str) -> int:
    with CaptureQueriesContext(connection) as asking:
        client.get(f"/portal/{page}")
    return len(asking)


def test_the_portal_changes_nothing_in_the_ledger(at_home, capsys):
    for page in ("", "statement/", "messages/", "preferences/"):
        at_home.get(f"/portal/{page}")

    call_command("verify_ledger")

    assert timezone.get_current_timezone_name() == "UTC", "the member's zone ends with the page"


@pytest.mark.parametrize(("address", "start"), [("/portal/nowhere/", "/portal/"), ("/nowhere/", "/")])
def test_a_wrong_address_leads_back_to_where_one_belongs(at_home, address, start):
    answer = at_home.get(address)

    assert answer.status_code == 404
    assert f'class="button button--main" href="{start}"' in answer.content.decode()
