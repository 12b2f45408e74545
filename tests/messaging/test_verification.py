"""Codes: right once, for five checks and five minutes, and alike for members and strangers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.domain.enrolment import phone_hash
from members.models import Member
from messaging.domain.texts import shown_text
from messaging.domain.verification import (
    BLANK,
    Checked,
    TooManyChecks,
    TooManyCodes,
    ask_code,
    check_code,
    forget_codes,
)
from messaging.enums import CodePurpose, MessageClass
from messaging.models import FailedCheck, Message, VerificationCode
from messaging.states import State
from tests.conftest import NOON

HERE, THERE = "203.0.113.7", "198.51.100.9"
STRANGER = "+8613999999999"
RIGHT = Checked(is_right=True, checks_left=0)
OVER = Checked(is_right=False, checks_left=0)
SECONDS, MINUTES, HOURS = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def ask(phone: str, at: datetime = NOON, *, ip: str = HERE, language: str = "en") -> None:
    ask_code(phone=phone, purpose=CodePurpose.LOGIN, language=language, store=None, at=at, ip=ip)


def check(phone: str, code: str, at: datetime = NOON, *, ip: str = HERE, purpose: str = "login") -> Checked:
    return check_code(phone=phone, purpose=purpose, code=code, at=at, ip=ip)


def texted_code(member: Member) -> str:
    """The digits in the newest text to this member."""
    text = Message.objects.filter(member=member).latest("id").text
    return re.search(r"\d{6}", text)[0]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_member_gets_the_code_by_text_and_it_is_right_once(li_lei):
    ask(li_lei.phone)
    code = texted_code(li_lei)

    first, second = check(li_lei.phone, code, NOON + MINUTES), check(li_lei.phone, code, NOON + MINUTES)

    assert (first, second) == (RIGHT, OVER)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "is your log-in code"), ("zh-hans", "您的登录验证码是"), ("fr", "is your log-in code")],
)
def test_the_text_is_a_verification_text_in_the_language_of_the_page(li_lei, language, said):
    ask(li_lei.phone, language=language)

    message = Message.objects.get()
    assert said in message.text
    assert message.text.startswith("【常客】")
    assert (message.message_class, message.state) == (MessageClass.VERIFICATION, State.QUEUED)
    assert message.expires_at == NOON + 5 * MINUTES


@pytest.mark.parametrize(
    ("wrong_before", "later", "purpose", "result"),
    [
        (0, 4 * MINUTES + 59 * SECONDS, "login", RIGHT),
        (0, 5 * MINUTES, "login", OVER),
        (4, MINUTES, "login", RIGHT),
        (5, MINUTES, "login", OVER),
        (0, MINUTES, "transfer", OVER),
    ],
    ids=["in time", "too late", "fifth check", "sixth check", "asked for another purpose"],
)
def test_how_long_a_code_lives(li_lei, wrong_before, later, purpose, result):
    ask(li_lei.phone)
    code = texted_code(li_lei)
    for _ in range(wrong_before):
        check(li_lei.phone, another(code))

    assert check(li_lei.phone, code, NOON + later, purpose=purpose) == result


def test_a_wrong_code_says_how_many_checks_are_left(li_lei):
    ask(li_lei.phone)
    wrong = another(texted_code(li_lei))

    left = [check(li_lei.phone, wrong).checks_left for _ in range(6)]

    assert left == [4, 3, 2, 1, 0, 0]


def test_a_repeat_sends_the_same_code_which_lives_no_longer(li_lei):
    ask(li_lei.phone)
    first = texted_code(li_lei)
    ask(li_lei.phone, NOON + 4 * MINUTES)
    last = Message.objects.latest("id")

    assert texted_code(li_lei) == first
    assert "Valid for 1 minute" in last.text or "valid for 1 minutes" in last.text
    assert last.expires_at == NOON + 5 * MINUTES
    assert check(li_lei.phone, first, NOON + 5 * MINUTES) == OVER


def test_a_repeat_gives_no_new_checks(li_lei):
    ask(li_lei.phone)
    wrong = another(texted_code(li_lei))
    for _ in range(4):
        check(li_lei.phone, wrong)
    ask(li_lei.phone, NOON + MINUTES)

    assert check(li_lei.phone, wrong, NOON + MINUTES) == OVER
    ask(li_lei.phone, NOON + 2 * MINUTES)
    assert texted_code(li_lei) != another(wrong), "after five checks it is a new one"


def test_after_it_is_over_a_new_code_comes(li_lei):
    codes = set()
    for hours in range(3):
        ask(li_lei.phone, NOON + hours * HOURS)
        codes.add(texted_code(li_lei))

    assert len(codes) > 1


def test_another_members_code_is_no_good(li_lei, enrol):
    han = enrol("13900139000")
    ask(li_lei.phone)
    ask(han.phone)

    assert not check(han.phone, texted_code(li_lei)).is_right or texted_code(li_lei) == texted_code(han)


def test_the_code_is_kept_nowhere_but_in_the_text(li_lei):
    ask(li_lei.phone)

    row = VerificationCode.objects.get()
    code = texted_code(li_lei).encode()
    assert not any(code in bytes(value) for value in (row.code_hash, row.salt, row.phone_hash, row.ip_hash))


@pytest.mark.parametrize("phone", ["+8613800138000", STRANGER], ids=["member", "stranger"])
@pytest.mark.parametrize(
    ("asked_at", "now", "wait"),
    [
        ([0], 59, 1),
        ([0], 60, None),
        ([0, 100, 200, 300, 400], 3599, 1),
        ([0, 100, 200, 300, 400], 3600, None),
        ([3300, 3400, 3500, 3590, 3599], 3700, 3200),
        (range(0, 36000, 3600), 86399, 1),
        (range(0, 36000, 3600), 86400, None),
    ],
    ids=[
        "1 a minute",
        "after it",
        "5 an hour",
        "after it",
        "over the edge of an hour",
        "10 a day",
        "after it",
    ],
)
def test_how_often_a_number_may_ask(li_lei, phone, asked_at, now, wait):
    VerificationCode.objects.bulk_create(
        VerificationCode(
            phone_hash=phone_hash(phone),
            purpose=CodePurpose.LOGIN,
            salt=b"s",
            code_hash=b"h",
            created_at=NOON + after * SECONDS,
            expires_at=NOON,
        )
        for after in asked_at
    )
    if wait is None:
        ask(phone, NOON + now * SECONDS)
        return

    with pytest.raises(TooManyCodes) as refused:
        ask(phone, NOON + now * SECONDS)

    assert (refused.value.wait_seconds, refused.value.field) == (wait, "phone")
    assert Message.objects.count() == 0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "in 59 seconds."), (59, "in 1 second.")],
)
def test_a_refusal_says_when_to_come_back(li_lei, seconds, said):
    ask(li_lei.phone)

    with pytest.raises(TooManyCodes, match=said):
        ask(li_lei.phone, NOON + seconds * SECONDS)


@pytest.mark.parametrize(
    ("sixth_from", "is_refused"),
    [(HERE, True), (f"::ffff:{HERE}", True), (THERE, False)],
    ids=["same address", "same address written as IPv6", "another"],
)
def test_an_address_may_try_five_numbers_an_hour(db, sixth_from, is_refused):
    for number in range(5):
        ask(f"+86139000{number}0000", NOON + number * MINUTES)
    ask("+8613900000000", NOON + 6 * MINUTES)  # a number it has asked for before does not count again

    if not is_refused:
        ask(STRANGER, NOON + 59 * MINUTES, ip=sixth_from)
        return
    with pytest.raises(TooManyCodes) as refused:
        ask(STRANGER, NOON + 59 * MINUTES, ip=sixth_from)
    assert refused.value.wait_seconds == 2 * 60  # the second number is the first to be an hour ago


def test_one_customer_of_ipv6_is_one_address(db):
    for number in range(5):
        ask(f"+86139000{number}0000", ip=f"2001:db8:0:1::{number + 1}")

    with pytest.raises(TooManyCodes):
        ask(STRANGER, ip="2001:db8:0:1:ffff::1")
    ask(STRANGER, ip="2001:db8:0:2::1")


def test_a_network_may_fail_twenty_times_an_hour(db):
    for number in range(20):
        check(f"+86139000000{number:02d}", "000000")

    with pytest.raises(TooManyChecks, match="in 60 minutes"):
        check(STRANGER, "000000", ip="203.0.113.99")  # the same /24
    assert check(STRANGER, "000000", ip=THERE) == OVER
    assert check(STRANGER, "000000", NOON + HOURS) == OVER


def fail(member: Member, times: int, at: datetime) -> None:
    """So many wrong checks of one new code, from addresses of their own."""
    ask(member.phone, at)
    wrong = another(texted_code(member))
    for number in range(times):
        check(member.phone, wrong, at, ip=f"192.0.{number}.2")


def test_fifteen_failures_in_a_row_lock_the_number_for_an_hour(li_lei):
    for codes in range(3):
        fail(li_lei, 5, NOON + codes * MINUTES)
    last = NOON + 2 * MINUTES

    with pytest.raises(TooManyChecks) as asking:
        ask(li_lei.phone, last + MINUTES)
    with pytest.raises(TooManyChecks) as checking:
        check(li_lei.phone, "000000", last + 59 * MINUTES, ip=THERE)
    ask(li_lei.phone, last + HOURS)
    code = texted_code(li_lei)

    assert (asking.value.field, asking.value.wait_seconds) == ("phone", 59 * 60)
    assert (checking.value.field, checking.value.wait_seconds) == ("code", 60)
    assert check(li_lei.phone, code, last + HOURS, ip=THERE) == RIGHT


def test_a_right_code_starts_the_count_again(li_lei):
    for codes in range(2):
        fail(li_lei, 5, NOON + codes * MINUTES)
    fail(li_lei, 4, NOON + 2 * MINUTES)
    right = check(li_lei.phone, texted_code(li_lei), NOON + 3 * MINUTES)

    fail(li_lei, 5, NOON + 4 * MINUTES)

    assert right == RIGHT
    assert check(li_lei.phone, "000000", NOON + 4 * MINUTES, ip=THERE) == OVER


def test_guessing_without_a_code_locks_nobody_out(li_lei):
    for number in range(16):
        check(li_lei.phone, "000000", ip=f"192.0.{number}.2")

    ask(li_lei.phone)

    assert check(li_lei.phone, texted_code(li_lei)) == RIGHT


def test_asking_does_the_same_for_a_stranger_but_sends_nothing(li_lei):
    with CaptureQueriesContext(connection) as for_member:
        ask(li_lei.phone)
    with CaptureQueriesContext(connection) as for_stranger:
        ask(STRANGER)

    assert len(for_member) == len(for_stranger)
    assert VerificationCode.objects.count() == 2
    assert list(Message.objects.values_list("member", flat=True)) == [li_lei.pk]


def test_the_code_leaves_the_text_when_it_is_over(li_lei, enrol):
    han = enrol("13900139000")
    ask(li_lei.phone)
    ask(han.phone, NOON + 3 * MINUTES)

    early = forget_codes(at=NOON + 4 * MINUTES)
    at_five = forget_codes(at=NOON + 5 * MINUTES)
    again = forget_codes(at=NOON + 5 * MINUTES)

    assert [run["texts"] for run in (early, at_five, again)] == [0, 1, 0]
    assert Message.objects.get(member=li_lei).text == BLANK
    assert texted_code(han)


def test_the_code_leaves_the_text_when_it_was_delivered(li_lei):
    ask(li_lei.phone)
    for state in (State.SUBMITTING, State.ACCEPTED, State.DELIVERED):
        Message.objects.update(state=state)
    Message.objects.update(final_at=NOON + SECONDS)

    forget_codes(at=NOON + MINUTES)

    assert Message.objects.get().text == BLANK


def test_rows_that_no_limit_needs_are_deleted_after_a_week(li_lei):
    fail(li_lei, 2, NOON)

    for days in (0, 6, 8):
        forget_codes(at=NOON + timedelta(days=days))
        kept = (VerificationCode.objects.count(), FailedCheck.objects.count())
        assert kept == ((1, 2) if days < 7 else (0, 0))


def test_a_page_shows_dots_instead_of_the_digits_of_a_code(li_lei):
    ask(li_lei.phone)
    notice = Message(message_class=MessageClass.NOTIFICATION, text="Your balance is ¥5.00")

    sent = Message.objects.get()
    assert shown_text(sent) == re.sub(r"\d", "•", sent.text) != sent.text
    assert shown_text(notice) == notice.text
