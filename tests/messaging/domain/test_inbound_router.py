"""The order in which a text is understood, who takes it, and what only a person may settle."""

from __future__ import annotations

from datetime import timedelta

import pytest
from constance.test import override_config

from members.domain.coupons import issue
from members.domain.enrolment import phone_hash
from members.enums import CardStatus, ConsentSource
from members.models import AuditEntry, CouponDefinition, MembershipEvent, Operation
from messaging.domain import inbound_registry
from messaging.domain.inbound import give_up_parts
from messaging.domain.inbound_registry import Question, Words
from messaging.domain.suppressions import suppress
from messaging.enums import MessageClass
from messaging.inbound_grammar import PRECEDENCE
from messaging.models import Conversation, InboundText, Message, Suppression, VerificationCode
from messaging.system_texts import SYSTEM_TEXTS
from tests.conftest import NOON
from tests.messaging.domain.desk import message
from tests.messaging.domain.test_inbound import is_suppressed, replies, says  # noqa: F401
from tests.messaging.test_verification import ask, texted_code

MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)
DEBIT = "【常客】12:00消费100.00元，余额400.00元。非本人请回复0。"


@pytest.fixture
def registered():
    """Registrations of this test, taken back afterwards."""
    names: list[str] = []
    yield names.append
    for name in names:
        inbound_registry.forget(name)


def survey(taken: list[str], asked_at=NOON, name: str = "survey", answers=("1", "2", "3", "4", "5", "N")):
    def source(sender, at):
        def take(text: InboundText, answer: str, at) -> bool:
            taken.append(f"{name} {answer}")
            return True

        yield Question(name, dict.fromkeys(answers, ""), asked_at, take)

    inbound_registry.ask_questions(name, source)


def keyword(taken: list[str], *words: str) -> None:
    def take(text: InboundText, said: str, at) -> bool:
        taken.append(f"keyword {said}")
        return True

    inbound_registry.take_keywords("draw", lambda: words, take)


@pytest.mark.parametrize(
    ("text", "taken_by", "intent"),
    [
        ("STOP", [], "opt_out"),
        ("HELP", [], "help"),
        ("4分", ["survey 4"], "answer"),
        ("N", ["survey N"], "answer"),
        ("MOON 3", ["keyword MOON 3"], "keyword"),
        ("points", ["keyword POINTS"], "keyword"),  # a keyword comes before a query
        ("balance", [], "query"),
        ("几点开门", [], "human"),
        ("4 but stop texting me", [], "opt_out"),
    ],
)
def test_who_gets_a_text_when_everything_is_open(says, loaded_card, registered, text, taken_by, intent):  # noqa: F811
    taken: list[str] = []
    registered("survey")
    registered("draw")
    survey(taken)
    keyword(taken, "moon", "points")

    stored = says(text)

    assert (taken, stored.intent) == (taken_by, intent)
    assert Conversation.objects.exists() == (intent == "human" or "but" in text)


def test_the_published_order():
    assert PRECEDENCE == ("opt_out", "opt_in", "help", "answer", "keyword", "query", "human")


def test_the_newest_question_that_owns_the_answer_gets_it(says, li_lei, registered):  # noqa: F811
    taken: list[str] = []
    for name in ("survey", "booking"):
        registered(name)
    survey(taken, NOON - HOURS)
    survey(taken, NOON - MINUTES, "booking", ("1", "2", "3"))

    says("1")
    says("5", at=NOON + MINUTES)

    assert taken == ["booking 1", "survey 5"]


def test_what_a_handler_does_not_take_is_for_a_person(says, li_lei, registered):  # noqa: F811
    registered("shy")
    inbound_registry.ask_questions(
        "shy", lambda sender, at: [Question("shy", {"7": ""}, NOON, lambda text, answer, at: False)]
    )

    stored = says("7")

    assert (stored.handled_at, Conversation.objects.get().member) == (None, li_lei)


def test_an_upper_package_answers_a_topic_in_the_members_language(says, enrol, registered):  # noqa: F811
    han = enrol("13900139000", language="zh-hans")
    registered("booking")
    inbound_registry.answer_topic(
        "booking",
        lambda member, at: Words({"en": "{when}", "zh-hans": "您的预约：{when}"}, {"when": "周六10点"}),
    )

    says("我的预约", han.phone)

    assert replies() == ["【常客】您的预约：周六10点"]


def test_a_topic_nobody_answers_is_for_a_person(says, li_lei):  # noqa: F811
    assert says("my booking").handled_at is None


@pytest.mark.parametrize(
    ("asks", "said"),
    [("my card", "…{end} ¥500.00"), ("coupons", "no coupons"), ("services left", "no count card")],
)
def test_self_help_from_the_ledger(says, loaded_card, asks, said):  # noqa: F811
    says(asks)

    assert said.format(end=loaded_card.number[-4:]) in replies()[0]


def test_coupons_that_can_be_used_now(says, li_lei, riverside, at_till):  # noqa: F811
    definition = CouponDefinition.objects.create(name="Ten off", off_minor=1000)
    definition.stores.set([riverside])
    issue(definition=definition, member=li_lei, key="c", actor=at_till, at=NOON, store=riverside)

    says("优惠券")

    assert "Coupons you can use now (1): Ten off." in replies()[0]


def test_a_code_sent_by_text_is_not_taken_and_not_kept(says, li_lei):  # noqa: F811
    ask(li_lei.phone)
    code = texted_code(li_lei)

    stored = says(f"{code[:3]} {code[3:]}", at=NOON + MINUTES)

    stored.refresh_from_db()
    assert code not in stored.text
    assert "type the code where you asked for it" in replies()[0]
    assert VerificationCode.objects.get().used_at is None
    assert not Conversation.objects.exists()


def debit(card, at=NOON, *, text: str = DEBIT) -> Message:
    operation = Operation.objects.filter(card=card).latest("pk")
    event = MembershipEvent.objects.filter(operation=operation).latest("pk")
    return message(
        card.member, MessageClass.NOTIFICATION, at, text=text, state="delivered", submitted_at=at,
        event=event, created_at=at,
    )  # fmt: skip


def test_not_you_reply_0_is_a_task_for_a_manager_and_freezes_nothing(says, loaded_card, chen, mei):  # noqa: F811
    notice = debit(loaded_card)

    says("0", at=NOON + 5 * MINUTES)

    found = Conversation.objects.get()
    loaded_card.refresh_from_db()
    assert (found.concern, found.about, found.status) == ("dispute", notice, "open")
    assert found.due_at == NOON + 20 * MINUTES
    assert loaded_card.status == CardStatus.ACTIVE
    assert "A manager looks into it" in replies()[0]
    assert AuditEntry.objects.get(verb="dispute_opened").after["is_frozen"] is False
    says("0", at=NOON + 6 * MINUTES)
    assert AuditEntry.objects.filter(verb="dispute_opened").count() == 1, "once for a notice"


@override_config(DISPUTE_FREEZES_CARD=True)
def test_not_you_freezes_the_card_where_the_house_says_so(says, loaded_card):  # noqa: F811
    debit(loaded_card)

    says("0", at=NOON + 5 * MINUTES)

    loaded_card.refresh_from_db()
    assert loaded_card.status == CardStatus.FROZEN
    assert "Your card is frozen" in replies()[0]


@override_config(DISPUTE_FREEZES_CARD=True)
def test_not_me_in_own_words_is_the_same_answer(says, loaded_card):  # noqa: F811
    notice = debit(loaded_card)

    says("不是我消费的，卡被盗刷了", at=NOON + 5 * MINUTES)

    found = Conversation.objects.get()
    loaded_card.refresh_from_db()
    assert (found.concern, found.about, found.due_at) == ("dispute", notice, NOON + 20 * MINUTES)
    assert loaded_card.status == CardStatus.FROZEN
    assert AuditEntry.objects.get(verb="dispute_opened").after["message"] == str(notice.public_id)


@override_config(DISPUTE_FREEZES_CARD=True)
def test_own_words_about_no_notice_of_ours_freeze_nothing_and_do_not_wait(says, loaded_card):  # noqa: F811
    says("我的余额怎么少了？", at=NOON)

    found = Conversation.objects.get()
    loaded_card.refresh_from_db()
    assert (found.concern, found.about, found.due_at) == ("dispute", None, NOON + 15 * MINUTES)
    assert loaded_card.status == CardStatus.ACTIVE
    assert "A manager looks into it" in replies()[0], "not the balance alone"


def test_a_lost_card_does_not_wait_behind_questions(says, loaded_card):  # noqa: F811
    says("when do you open?", at=NOON)
    says("oh no I lost my card", at=NOON + MINUTES)

    found = Conversation.objects.get()
    assert (found.concern, found.due_at, found.is_urgent) == ("lost", NOON + 16 * MINUTES, True)


def test_a_stranger_who_raises_alarm_is_read_soon_and_told_nothing(says, riverside):  # noqa: F811
    says("that wasn't me!", "13900139777", at=NOON)

    assert (Conversation.objects.get().concern, replies()) == ("dispute", [])


@pytest.mark.parametrize(
    ("text", "later"),
    [("您的余额400.00元", 5 * MINUTES), (DEBIT, 73 * HOURS)],
    ids=["no offer in the notice", "after three days"],
)
def test_a_zero_out_of_nowhere_is_only_a_zero(says, loaded_card, text, later):  # noqa: F811
    debit(loaded_card, text=text)

    says("0", at=NOON + later)

    assert Conversation.objects.get().concern == "question"


def test_free_words_that_mean_stop_suppress_first_and_are_read_afterwards(says, li_lei):  # noqa: F811
    stored = says("leave me alone you clowns")

    assert is_suppressed(li_lei.phone)
    assert stored.handled_at == NOON
    assert Conversation.objects.get().concern == "silence"


def test_stop_alone_leaves_nothing_to_read(says, li_lei):  # noqa: F811
    says("STOP")

    assert not Conversation.objects.exists()


def test_pieces_that_never_came_stand_as_incomplete_in_the_inbox(says, li_lei):  # noqa: F811
    says("STOP ", part=(9, 2, 1))

    give_up_parts(at=NOON + 24 * HOURS)

    assert (Conversation.objects.get().concern, InboundText.objects.get().is_complete) == (
        "incomplete",
        False,
    )
    assert not is_suppressed(li_lei.phone)


def test_a_reference_that_comes_round_again_does_not_mix_two_texts(says, li_lei):  # noqa: F811
    says("yesterday's ", part=(9, 2, 1))
    says("Is the pool ", part=(9, 2, 1), at=NOON + 2 * HOURS)
    says("open today?", part=(9, 2, 2), at=NOON + 2 * HOURS)

    texts = list(InboundText.objects.order_by("id").values_list("text", "is_complete"))
    assert texts == [("yesterday's …", False), ("Is the pool open today?", True)]


def test_start_does_not_undo_a_carriers_blacklist(says, li_lei):  # noqa: F811
    suppress(bytes(li_lei.phone_hash), ConsentSource.CARRIER, at=NOON)

    says("START")

    assert is_suppressed(li_lei.phone)


def test_start_of_a_stranger_opens_nothing(says, riverside):  # noqa: F811
    says("START", "+8613700137000")

    assert not Suppression.objects.filter(phone_hash=phone_hash("+8613700137000"), lifted_at=None).exists()
    assert replies() == []


def test_stopped_by_text_and_by_the_till_start_lifts_nothing_of_the_till(says, li_lei):  # noqa: F811
    says("STOP")
    says("START", at=NOON + HOURS)
    assert not is_suppressed(li_lei.phone)
    says("STOP", at=NOON + 2 * HOURS)

    assert is_suppressed(li_lei.phone)


def test_a_handler_that_falls_over_leaves_the_text_to_a_person(says, registered, li_lei):  # noqa: F811
    def broken(text, said, at):
        Conversation.objects.all().delete()
        raise ValueError("a bug")

    inbound_registry.take_keywords("draw", lambda: ["moon"], broken)
    registered("draw")

    text = says("MOON")  # stored and acknowledged: the gateway goes on

    assert text.handled_at is None
    assert Conversation.objects.filter(phone=li_lei.phone).exists()


def test_an_opt_out_stands_though_its_confirmation_falls_over(says, li_lei, monkeypatch):  # noqa: F811
    message(li_lei, MessageClass.MARKETING, NOON)
    monkeypatch.setitem(SYSTEM_TEXTS, "opted_out", None)

    says("STOP")

    assert is_suppressed(li_lei.phone)
    assert Message.objects.get().state == "suppressed"
