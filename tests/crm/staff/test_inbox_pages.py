"""The inbox: who sees what, an answer that goes out once, and what is written down."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.enums import ConsentSource, Role
from members.models import AuditEntry
from messaging.domain.conversations import wake_conversations
from messaging.domain.inbound import Received, receive
from messaging.domain.suppressions import suppress
from messaging.enums import MessageClass, VersionStatus
from messaging.gateways.base import InboundSms
from messaging.models import Conversation, Message, StaffReply, Template, TemplateVersion
from messaging.models.template import content_hash
from messaging.states import State
from tests.conftest import employ, log_in
from tests.crm.staff.conftest import text_of
from tests.messaging.domain.desk import main_gateway

STRANGER = "+8613700137000"


@pytest.fixture
def says(db):
    gateway = main_gateway()

    def _says(text: str, phone: str = "+8613800138000") -> Conversation:
        assert receive([Received(gateway.pk, InboundSms(phone, "1069", text, ""))], at=timezone.now()) == [
            True
        ]
        return Conversation.objects.get(phone=phone)

    return _says


def browser_of(staff) -> Client:
    browser = Client()
    log_in(browser, staff)
    return browser


@pytest.fixture
def desk(chen) -> Client:
    return browser_of(chen)


def answer(desk: Client, found: Conversation, text: str, key=None):
    return desk.post(f"/inbox/{found.public_id}/answer/", {"text": text, "key": str(key or uuid4())})


def manage(desk: Client, found: Conversation, **what):
    return desk.post(f"/inbox/{found.public_id}/manage/", what)


def test_a_question_waits_with_a_clock_and_the_number_stands_in_the_navigation(says, li_lei, desk):
    found = says("营业到几点？")

    page = desk.get("/inbox/").content.decode()

    assert "Li Lei" in page
    assert "138 •••• 8000" in page and "13800138000" not in page
    assert timedelta(minutes=59) < found.due_at - timezone.now() <= timedelta(minutes=60)
    assert 'badge tone-wait">1</span>' in page
    desk.get(f"/inbox/{found.public_id}/")
    assert 'badge tone-wait">1</span>' not in desk.get("/inbox/").content.decode()


def test_the_member_and_what_they_have_stand_beside_the_text(says, loaded_card, desk):
    page = desk.get(f"/inbox/{says('how much is a haircut?').public_id}/").content.decode()

    assert "how much is a haircut?" in page
    assert "500.00" in page


def test_an_answer_goes_out_once_as_a_trigger_and_it_is_the_members_turn(says, li_lei, desk, chen):
    found, key = says("营业到几点？"), uuid4()
    suppress(bytes(li_lei.phone_hash), ConsentSource.TEXT, at=timezone.now())

    first, again = (
        answer(desk, found, "We close at nine.", key),
        answer(desk, found, "We close at nine.", key),
    )

    found.refresh_from_db()
    sent = Message.objects.get(cause="reply")
    assert (first.status_code, again.status_code) == (302, 302)
    assert (sent.text, sent.message_class, sent.state) == (
        "【常客】We close at nine.",
        MessageClass.TRIGGER,
        State.QUEUED,
    )
    assert (found.status, found.owner, found.is_unread) == ("waiting", chen, False)
    assert found.answered_at is not None
    assert AuditEntry.objects.filter(verb="conversation_answered", staff=chen).count() == 1
    assert "nine" not in str(AuditEntry.objects.get(verb="conversation_answered").after)
    page = desk.get(f"/inbox/{found.public_id}/thread/").content.decode()
    assert "We close at nine." in page and "Chen" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  ", "Write an answer."),
        ("全场八折，限时抢购，快来吧", "This reads like marketing"),
        ("x" * 1001, ""),
    ],
)
def test_what_may_not_go_out_is_said_beside_the_field_and_kept(says, li_lei, desk, text, said):
    found = says("几点开门")

    refused = answer(desk, found, text)

    if said:
        assert refused.status_code == 422
        assert said in refused.content.decode()
        assert text.strip() in refused.content.decode()
        assert not Message.objects.exists()


def test_a_new_text_opens_it_again(says, li_lei, desk):
    found = says("几点开门")
    answer(desk, found, "At nine.")

    says("thank you, and on Sunday?")

    found.refresh_from_db()
    assert (found.status, found.is_unread, found.answered_at) == ("open", True, None)
    assert Conversation.objects.count() == 1


def test_who_reads_that_no_offers_are_wanted_ends_them_with_one_button(says, li_lei, desk):
    found = says("stawp 😭😭 too many")
    button = 'value="silence"'
    before = desk.get(f"/inbox/{found.public_id}/").content.decode()

    done = manage(desk, found, deed="silence")

    found.refresh_from_db()
    li_lei.refresh_from_db()
    assert (done.status_code, found.status, li_lei.has_marketing_consent) == (302, "done", False)
    assert button in before
    manage(desk, found, deed="reopen")
    assert button not in desk.get(f"/inbox/{found.public_id}/").content.decode()


def test_in_a_dispute_a_cashier_ends_the_offers_and_not_the_dispute(says, li_lei, desk, manager, chen, mei):
    found = says("stop texting, and this was not me")
    Conversation.objects.update(concern="dispute", owner=mei)

    answered = manage(desk, found, deed="silence")

    found.refresh_from_db()
    li_lei.refresh_from_db()
    page = text_of(desk.get(answered.url))
    assert answered.url == f"/inbox/{found.public_id}/", "it is still there to be seen to"
    assert not li_lei.has_marketing_consent
    assert (found.status, found.concern, found.owner, found.done_at) == ("open", "dispute", mei, None)
    assert "“This was not me” stays open until a manager or owner ends it." in page
    assert "<p>No more offers go to this number.</p>" in page
    assert 'value="silence"' not in page
    assert AuditEntry.objects.get(verb="offers_stopped").staff == chen
    assert manage(desk, found, deed="done").status_code == 422
    assert manage(manager, found, deed="done").status_code == 302


def test_nobody_ends_a_dispute_by_ending_the_offers(says, li_lei, manager):
    found = says("stop texting, and this was not me")
    Conversation.objects.update(concern="dispute")

    manage(manager, found, deed="silence")

    found.refresh_from_db()
    assert (found.status, found.done_at) == ("open", None)


def test_done_put_off_given_on_and_opened_again(says, li_lei, desk, chen, mei):
    found = says("几点开门")

    manage(desk, found, deed="assign", to=str(mei.public_id))
    found.refresh_from_db()
    assert found.owner == mei
    manage(desk, found, deed="snooze", **{"for": "hour"})
    found.refresh_from_db()
    assert (found.status, wake_conversations(at=timezone.now())) == ("waiting", 0)
    assert wake_conversations(at=timezone.now() + timedelta(minutes=61)) == 1
    found.refresh_from_db()
    assert (found.status, found.is_unread) == ("open", True)
    manage(desk, found, deed="done")
    found.refresh_from_db()
    assert found.status == "done"
    manage(desk, found, deed="reopen")

    found.refresh_from_db()
    verbs = list(
        AuditEntry.objects.filter(subject_type="conversation").order_by("seq").values_list("verb", flat=True)
    )
    assert found.status == "open"
    assert verbs == [f"conversation_{verb}" for verb in ("assigned", "snoozed", "done", "reopened")]


def test_of_another_store_there_is_nothing(says, li_lei, wang):
    found, there = says("几点开门"), browser_of(wang)

    pages = [
        there.get(f"/inbox/{found.public_id}/"),
        there.get(f"/inbox/{found.public_id}/thread/"),
        answer(there, found, "At nine."),
        manage(there, found, deed="done"),
    ]

    assert [page.status_code for page in pages] == [404] * 4
    assert "Li Lei" not in there.get("/inbox/").content.decode()
    assert not StaffReply.objects.exists()


def test_a_strangers_text_lies_in_the_pool_until_somebody_in_charge_takes_it(says, desk, mei, riverside):
    found, manager = says("are you hiring?", STRANGER), browser_of(mei)

    assert found.store is None
    assert desk.get(f"/inbox/{found.public_id}/").status_code == 404
    assert "No store yet" in manager.get("/inbox/").content.decode()
    assert "Give it to a store first" in answer(manager, found, "Yes").content.decode()
    manage(manager, found, deed="store", store=str(riverside.public_id))
    answer(desk, found, "Yes, ask for Mei.")
    assert Message.objects.get().phone == STRANGER


def test_an_auditor_does_not_answer(says, li_lei, riverside):
    found, auditor = says("几点开门"), browser_of(employ(riverside, "an", Role.AUDITOR))

    assert auditor.get("/inbox/").status_code == 403
    assert answer(auditor, found, "At nine.").status_code == 403


def test_answers_at_hand_are_approved_triggers_in_the_members_language(says, enrol, desk, riverside, hilltop):
    han = enrol("13900139000", name="韩梅梅", language="zh-hans")

    def canned(key: str, text: str, language: str, store=None, message_class=MessageClass.TRIGGER):
        template, _ = Template.objects.get_or_create(
            key=key, defaults={"name": key, "message_class": message_class, "store": store}
        )
        hashed = content_hash(message_class, language, text)
        TemplateVersion.objects.create(
            template=template,
            language=language,
            number=1,
            text=text,
            content_hash=hashed,
            approved_hash=hashed,
            status=VersionStatus.APPROVED,
        )

    canned("hours", "{name|Hello}, {store} is open from 9 to 21.", "en")
    canned("hours", "{name|您好}，{store}营业时间9点到21点。", "zh-hans")
    canned("theirs", "only hilltop", "en", store=hilltop)
    canned("promo", "八折", "zh-hans", message_class=MessageClass.MARKETING)
    canned("asks_more", "{balance}", "zh-hans")
    found = says("几点开门", han.phone)

    page = desk.get(f"/inbox/{found.public_id}/").content.decode()

    assert "韩梅梅，Riverside营业时间9点到21点。" in page
    assert all(word not in page for word in ("is open from 9", "only hilltop", "asks_more"))
    answer(desk, found, "韩梅梅，Riverside营业时间9点到21点。")
    assert StaffReply.objects.get().template_version.language == "zh-hans"


@pytest.mark.parametrize("address", ["/inbox/", "thread"])
def test_more_rows_cost_no_more_queries(says, enrol, desk, address):
    counts = []
    for number in range(1, 4):
        member = enrol(f"1390013900{number}", name=f"N{number}")
        found = says(f"question {number}", member.phone)
        says("and another one", "+8613900139001")
        where = (
            address if address.startswith("/") else f"/inbox/{Conversation.objects.first().public_id}/thread/"
        )
        desk.get(where)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(where).status_code == 200
        counts.append(len(queries))
    assert found
    assert counts[0] == counts[-1]


def test_pages_continue_after_the_last_row_and_filters_stand_in_the_address(says, enrol, desk, li_lei, chen):
    says("stop bothering me please, all of you")  # sounds like it: stopped, and read by a person
    for number in range(60):
        Conversation.objects.create(
            phone=f"+86139001{number:05d}",
            phone_hash=b"%016d" % number,
            store=li_lei.home_store,
            opened_at=timezone.now(),
            last_at=timezone.now() - timedelta(minutes=number),
        )

    first = desk.get("/inbox/")
    older = first.context["page"].older_url
    second = desk.get(older)
    silenced = desk.get("/inbox/?concern=silence")

    assert len(first.context["rows"]) == 50
    assert len(second.context["rows"]) == 11
    assert not {row.pk for row in first.context["rows"]} & {row.pk for row in second.context["rows"]}
    assert [row.member for row in silenced.context["rows"]] == [li_lei]
    assert desk.get("/inbox/?whose=mine").context["rows"] == []
    assert desk.get("/inbox/?status=x&concern=y&after=z&whose=w").status_code == 200


def test_a_lost_card_and_a_dispute_stand_before_newer_questions_and_pages_go_on_behind_them(
    says, enrol, desk, monkeypatch
):
    monkeypatch.setattr("crm.staff.inbox_pages.PAGE_ROWS", 2)
    texts = ["I lost my card", "When do you open?", "someone used my card", "Do you do nails?", "几点关门"]
    for number, text in enumerate(texts):
        phone = f"1380013810{number}"
        enrol(phone)
        says(text, f"+86{phone}")

    def told(address: str) -> list[str]:
        seen = []
        while address:
            shown = desk.get(address).context["page"]
            seen += [row.last_text for row in shown.rows]
            address = shown.older_url
        return seen

    assert told("/inbox/") == [texts[2], texts[0], texts[4], texts[3], texts[1]]
    Conversation.objects.update(status="done")
    assert told("/inbox/?status=done") == texts[::-1], "nothing is urgent any more"


def test_the_rows_alone_come_when_the_page_asks_again(says, li_lei, desk):
    says("几点开门")

    rows = desk.get("/inbox/", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in rows
    assert "Li Lei" in rows
