"""What phones send us, and what comes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from constance.test import override_config

from members.domain.enrolment import phone_hash, record_consent
from members.enums import ConsentSource, Purpose
from members.models import ConsentEntry
from messaging.domain.inbound import Received, advertised_in, give_up_parts, receive
from messaging.domain.suppressions import suppress
from messaging.domain.sweeps import sweep_messages
from messaging.enums import Cause, MessageClass
from messaging.gateways.base import InboundSms
from messaging.models import Conversation, Gateway, InboundPart, InboundText, Message, Suppression
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import main_gateway, message

MARKETING, NOTIFICATION = MessageClass.MARKETING, MessageClass.NOTIFICATION
STRANGER = "+8613700137000"


@pytest.fixture
def says(db):
    """A phone texts us: `says("STOP")` is Li Lei."""
    gateway = main_gateway()

    def _says(text: str, phone: str = "+8613800138000", *, at=NOON, part=None) -> InboundText | None:
        assert receive([Received(gateway.pk, InboundSms(phone, "1069", text, "", part))], at=at) == [True]
        return InboundText.objects.first()

    return _says


def replies() -> list[str]:
    return list(Message.objects.filter(cause=Cause.REPLY).order_by("id").values_list("text", flat=True))


def is_suppressed(phone: str) -> bool:
    return Suppression.objects.filter(phone_hash=phone_hash(phone), lifted_at=None).exists()


def test_stop_suppresses_withdraws_and_stops_what_waits(says, li_lei):
    waiting = message(li_lei, MARKETING, NOON)
    notice = message(li_lei, NOTIFICATION, NOON, run=2)

    stored = says("STOP")

    li_lei.refresh_from_db()
    waiting.refresh_from_db()
    notice.refresh_from_db()
    assert is_suppressed(li_lei.phone)
    assert (li_lei.has_marketing_consent, li_lei.has_service_consent) == (False, True)
    assert ConsentEntry.objects.latest("id").source == ConsentSource.TEXT
    assert (waiting.state, waiting.reason) == (State.SUPPRESSED, Reason.OPTED_OUT)
    assert notice.state == State.QUEUED
    assert (stored.member, stored.intent, stored.handled_at) == (li_lei, "opt_out", NOON)


def test_one_confirmation_in_24_hours(says, li_lei):
    says("STOP")
    says("退订", at=NOON + timedelta(hours=23))
    assert len(replies()) == 1

    says("STOP", at=NOON + timedelta(hours=48))
    assert len(replies()) == 2


def test_the_confirmation_speaks_the_members_language(says, enrol):
    han = enrol("13900139000", language="zh-hans")

    says("退订", han.phone)

    assert "已为您退订" in replies()[0]


def test_a_stranger_who_says_stop_is_suppressed_in_silence(says, riverside):
    says("STOP", STRANGER)

    assert is_suppressed(STRANGER)
    assert replies() == []


@pytest.mark.parametrize("question", ["balance", "余额", "how much is left on my card"])
def test_a_stranger_who_asks_for_a_balance_gets_nothing(says, riverside, question):
    stored = says(question, STRANGER)

    assert replies() == []
    assert stored.handled_at is None, "a person reads it"


def test_the_balance_is_the_ledgers_at_that_instant(says, loaded_card):
    says("balance")

    assert "500.00" in replies()[0]


def test_an_opted_out_member_still_gets_the_balance_and_stays_out(says, loaded_card, li_lei):
    says("STOP")

    says("余额", at=NOON + timedelta(minutes=1))

    assert len(replies()) == 2
    assert Message.objects.order_by("id").last().state == State.QUEUED
    assert is_suppressed(li_lei.phone)


def test_two_machines_do_not_talk_for_ever(says, loaded_card):
    words = ["balance", "points", "my card", "余额", "积分", "coupons", "bal", "my points"]
    for minute, word in enumerate(words):
        says(word, at=NOON + timedelta(minutes=minute))

    assert len(replies()) == 5
    assert InboundText.objects.filter(handled_at=None).count() == 3


def test_the_same_text_again_and_again_is_answered_three_times_an_hour(says, loaded_card):
    for minute in range(6):
        says("Balance ", at=NOON + timedelta(minutes=minute))
    assert len(replies()) == 3

    says("balance", at=NOON + timedelta(minutes=66))
    assert len(replies()) == 4


@pytest.mark.parametrize(
    "text",
    [
        "Auto-reply: I am out of the office until Monday.",
        "I'm driving with Do Not Disturb While Driving turned on. I'll get back to you later.",
        "[自动回复] 您好，我现在有事不在，一会再和您联系。",
        "我正在开会，稍后回复您",
    ],
)
def test_a_machine_is_not_answered_and_nobody_has_to_read_it(says, li_lei, text):
    stored = says(text)

    assert (stored.intent, stored.handled_at, replies()) == ("auto", NOON, [])
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("text", ["Non-stop music?", "when do you start?", "你们几点开门", "1"])
def test_small_talk_changes_nothing_and_waits_for_a_person(says, li_lei, text):
    stored = says(text)

    assert (stored.handled_at, replies(), is_suppressed(li_lei.phone)) == (None, [], False)


def test_start_undoes_a_stop_by_text(says, li_lei):
    says("STOP")

    says("START", at=NOON + timedelta(hours=1))

    li_lei.refresh_from_db()
    last = ConsentEntry.objects.filter(purpose=Purpose.MARKETING).latest("id")
    assert li_lei.has_marketing_consent
    assert (last.is_given, last.source, last.wording_version) == (True, ConsentSource.TEXT, "2026-11")
    assert not is_suppressed(li_lei.phone)


def test_start_of_somebody_who_never_agreed_is_for_a_person(says, enrol):
    han = enrol("13900139000", marketing=False)

    stored = says("START", han.phone)

    han.refresh_from_db()
    assert (han.has_marketing_consent, stored.handled_at, stored.intent) == (False, None, "opt_in")


def test_start_does_not_undo_what_was_withdrawn_in_the_portal(says, li_lei):
    suppress(bytes(li_lei.phone_hash), ConsentSource.PORTAL, at=NOON)

    stored = says("START")

    li_lei.refresh_from_db()
    assert (li_lei.has_marketing_consent, stored.handled_at) == (False, None)


def test_start_does_not_bring_back_a_consent_withdrawn_since(says, li_lei):
    says("STOP")
    record_consent(
        member=li_lei,
        purpose=Purpose.MARKETING,
        is_given=False,
        source=ConsentSource.TILL,
        wording_version="",
        at=NOON,
    )

    says("START")

    assert is_suppressed(li_lei.phone)


def test_help_names_the_store_and_its_phone(says, li_lei):
    says("HELP")

    assert "Riverside" in replies()[0]
    assert "021 5555 0100" in replies()[0]


def test_a_letter_opts_out_only_if_the_last_promotion_named_it(says, li_lei):
    says("R")
    assert not is_suppressed(li_lei.phone)

    message(
        li_lei, MARKETING, NOON, text="【常客】周末八折 拒收请回复R", state="delivered", submitted_at=NOON
    )
    says("R")

    assert is_suppressed(li_lei.phone)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("【常客】周末八折 拒收请回复R", {"R"}),
        ("【常客】周末八折，回T退订", {"T"}),
        ("Ten off today. Reply STOP to opt out", {"STOP"}),
        ("Ten off today. Txt N to end", {"N"}),
        ("Reply YES to book your table", set()),
        ("周末八折", set()),
    ],
)
def test_the_opt_out_words_a_text_names(text, words):
    assert advertised_in(text) == words


def test_a_number_written_without_its_country_is_the_same_member(says, li_lei):
    assert says("STOP", "13800138000").member == li_lei


def test_a_name_instead_of_a_number_is_kept_for_a_person(says, db):
    stored = says("Your parcel is here", "CARRIER")

    assert (stored.phone, stored.member, stored.handled_at) == ("CARRIER", None, None)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 3, 1)])
def test_a_long_text_is_read_only_as_a_whole(says, li_lei, order):
    pieces = {1: "Please take me ", 2: "off your ", 3: "list"}

    for number in order:
        says(pieces[number], part=(9, 3, number))

    assert InboundText.objects.get().text == "Please take me off your list"
    assert is_suppressed(li_lei.phone)
    assert not InboundPart.objects.exists()


def test_pieces_whose_others_never_come_go_to_a_person_after_a_day(says, li_lei):
    says("STOP ", part=(9, 2, 1))

    assert give_up_parts(at=NOON + timedelta(hours=23)) == 0
    assert give_up_parts(at=NOON + timedelta(hours=24)) == 1

    stored = InboundText.objects.get()
    assert (stored.text, stored.intent, stored.handled_at) == ("STOP …", "human", None)
    assert not is_suppressed(li_lei.phone)


def test_a_text_that_cannot_be_stored_is_asked_for_again(says, li_lei):
    gateway = Gateway.objects.get().pk

    stored = receive(
        [
            Received(gateway, InboundSms(li_lei.phone, "1069", "bad\0text", "")),
            Received(gateway, InboundSms(li_lei.phone, "1069", "balance", "")),
        ],
        at=NOON,
    )

    assert stored == [False, True]


def test_a_text_that_falls_over_takes_no_other_with_it(says, li_lei):
    gateway = Gateway.objects.get().pk

    with override_config(INBOX_ANSWER_MINUTES="soon"):
        stored = receive(
            [
                Received(gateway, InboundSms(li_lei.phone, "1069", "Nice place", "")),
                Received(gateway, InboundSms(li_lei.phone, "1069", "STOP", "")),
            ],
            at=NOON,
        )

    assert stored == [False, True]
    assert is_suppressed(li_lei.phone)


def test_pieces_that_fall_over_wait_and_hold_up_no_sweep(says, li_lei):
    says("STOP ", part=(9, 2, 1))
    day_after = NOON + timedelta(hours=24)

    with override_config(INBOX_ANSWER_MINUTES="soon"):
        assert sweep_messages(at=day_after)["inbound"] == 0

    assert sweep_messages(at=day_after)["inbound"] == 1
