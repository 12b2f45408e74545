"""Codes under attack: guessed, bombed, pumped, taken for another purpose. The plans (a)-(g) of reliability 2.4, small."""

from __future__ import annotations

import hashlib
import statistics
import time
from datetime import timedelta
from threading import Event, Thread

import pytest
from constance.test import override_config
from django.db import connection, transaction
from django.test import override_settings

from members.domain.enrolment import phone_hash
from members.models import AuditEntry
from messaging.domain import verification_breakers, verification_locks, verification_proofs
from messaging.domain.verification import (
    CodesUnavailable,
    CountryNotServed,
    ProofNeeded,
    TooManyChecks,
    TooManyCodes,
    TryLater,
    ask_code,
    check_code,
)
from messaging.enums import CodePurpose, LockKind
from messaging.models import FailedCheck, Message, SpentProof, VerificationCode, VerificationLock
from tests.conftest import NOON
from tests.messaging.test_verification import HERE, RIGHT, STRANGER, another, ask, check, texted_code

SECONDS, MINUTES, HOURS = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def register(phone: str, at=NOON, *, ip: str = HERE, **more) -> None:
    ask_code(phone=phone, purpose=CodePurpose.REGISTER, language="en", store=None, at=at, ip=ip, **more)


def network(number: int) -> str:
    """An address in a /24 of its own."""
    return f"198.{18 + number // 250}.{number % 250}.7"


# (a) guessing


def test_of_120_guesses_from_120_networks_at_most_fifteen_are_looked_at_an_hour(li_lei):
    ask(li_lei.phone)
    wrong = another(texted_code(li_lei))

    right = refused = 0
    for number in range(120):
        moment = NOON + 2 * number * SECONDS
        if number % 31 == 30:
            try:
                ask(li_lei.phone, moment, ip=network(number))
            except TryLater:
                refused += 1
        try:
            right += check(li_lei.phone, wrong, moment, ip=network(number)).is_right
        except TooManyChecks:
            refused += 1

    assert right == 0
    assert refused > 40
    assert max(VerificationCode.objects.values_list("checks", flat=True)) <= 5
    assert FailedCheck.objects.exclude(phone_hash=None).count() <= 15


def test_a_manager_releases_a_locked_number_and_it_is_written_down(li_lei, mei):
    for codes in range(3):
        ask(li_lei.phone, NOON + codes * MINUTES)
        for number in range(5):
            check(li_lei.phone, another(texted_code(li_lei)), NOON + codes * MINUTES, ip=network(number))
    later = NOON + 4 * MINUTES
    with pytest.raises(TooManyChecks):
        ask(li_lei.phone, later)

    lock = verification_locks.standing(later).get()
    verification_locks.release(lock=lock, by=mei, reason="she typed her birthday", at=later)
    ask(li_lei.phone, later)

    assert check(li_lei.phone, texted_code(li_lei), later) == RIGHT
    entry = AuditEntry.objects.get(verb="codes_released")
    assert (entry.staff, entry.after["reason"]) == (mei, "she typed her birthday")
    with pytest.raises(verification_locks.LockIsOver):
        verification_locks.release(lock=lock, by=mei, reason="", at=later)


# (b) bombing one phone


def test_one_phone_bombed_for_a_day_from_everywhere_gets_ten_codes(li_lei):
    sent = 0
    for quarter in range(96):
        try:
            ask(li_lei.phone, NOON + quarter * 15 * MINUTES, ip=network(quarter))
            sent += 1
        except TooManyCodes:
            pass

    assert sent == Message.objects.count() == 10


def test_without_a_broker_the_limits_hold_the_same(li_lei):
    """(f): nothing of this is counted in the cache."""
    gone = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    with override_settings(CACHES=gone):
        ask(li_lei.phone)
        with pytest.raises(TooManyCodes):
            ask(li_lei.phone, NOON + SECONDS)


# (c) pumping


@override_config(VERIFICATION_PARTS_PER_HOUR=40)
def test_of_sequential_numbers_few_get_a_code(db):
    sent = refused = 0
    for number in range(60):
        try:
            register(f"+861390013{number:04d}", NOON + number * SECONDS, ip=network(number))
            sent += 1
        except TooManyCodes:
            refused += 1

    assert sent <= 5, "five of a hundred neighbours"
    assert refused >= 55
    assert VerificationLock.objects.filter(kind=LockKind.SPAN).exists()


def test_of_scattered_numbers_those_of_one_prefix_get_thirty_in_ten_minutes(db):
    VerificationCode.objects.bulk_create(
        VerificationCode(
            phone_hash=b"%016d" % number,
            prefix_hash=_asker("+8613900130000").prefix,
            purpose=CodePurpose.REGISTER,
            salt=b"s",
            code_hash=b"h",
            created_at=NOON + number * SECONDS,
            expires_at=NOON,
        )
        for number in range(30)
    )

    with pytest.raises(TooManyCodes, match="like this one"):
        register("+8613900139999", NOON + 9 * MINUTES)
    register("+8613900149999", NOON + 9 * MINUTES)
    register("+8613900139998", NOON + 10 * MINUTES, ip=network(2))


def _asker(phone: str):
    from messaging.domain.verification_asker import asker_of

    return asker_of(phone, HERE)


def pumped(sent: int, used: int, at=NOON) -> None:
    """So many codes went out a moment ago, of which some were used."""
    VerificationCode.objects.bulk_create(
        VerificationCode(
            phone_hash=b"%016d" % number,
            purpose=CodePurpose.REGISTER,
            salt=b"s",
            code_hash=b"h",
            is_sent=True,
            parts=1,
            created_at=at - MINUTES,
            expires_at=at,
            used_at=at if number < used else None,
        )
        for number in range(sent)
    )


@pytest.mark.parametrize(
    ("sent", "used", "needs_proof", "serves_strangers"),
    [
        (199, 0, False, True),
        (200, 0, True, False),
        (200, 19, True, False),
        (200, 20, True, True),
        (200, 39, True, True),
        (200, 40, False, True),
    ],
)
def test_the_breaker_of_codes_nobody_uses(db, sent, used, needs_proof, serves_strangers):
    pumped(sent, used)

    found = verification_breakers.judge(NOON)

    assert (found.needs_proof, found.serves_strangers) == (needs_proof, serves_strangers)
    on = VerificationLock.objects.filter(kind=LockKind.CONVERSION, closed_at=None)
    assert on.exists() == needs_proof


def test_when_nobody_uses_codes_members_are_served_and_strangers_told_the_same(li_lei):
    pumped(200, 5)
    for phone in (li_lei.phone, STRANGER):
        register(phone, ip=network(int(phone[-4:])), proof=worked(phone))

    assert list(Message.objects.values_list("member", flat=True)) == [li_lei.pk]
    assert VerificationCode.objects.filter(is_sent=False).count() == 1


def test_a_released_breaker_forgives_what_was(db, mei):
    pumped(200, 0)
    verification_breakers.judge(NOON)
    lock = verification_locks.standing(NOON).get()

    verification_locks.release(lock=lock, by=mei, reason="a campaign", at=NOON + SECONDS)

    assert not verification_breakers.judge(NOON + MINUTES).needs_proof
    assert not verification_locks.standing(NOON + MINUTES).exists()


@pytest.mark.parametrize(("hour_before", "is_on"), [(0, True), (41, False)], ids=["quiet week", "busy week"])
def test_more_failures_than_five_times_the_usual_make_eight_digits(li_lei, hour_before, is_on):
    failures = [FailedCheck(network_hash=b"%016d" % n, at=NOON - MINUTES) for n in range(201)]
    for hours in range(1, 90):
        moment = NOON - (hours + 0.5) * HOURS
        failures += [FailedCheck(network_hash=b"n", at=moment) for _ in range(hour_before)]
    FailedCheck.objects.bulk_create(failures)

    if is_on:
        with pytest.raises(ProofNeeded):
            ask(li_lei.phone)
    ask_code(
        phone=li_lei.phone,
        purpose=CodePurpose.LOGIN,
        language="en",
        store=None,
        at=NOON,
        ip=HERE,
        proof=worked(li_lei.phone) if is_on else "",
    )

    assert VerificationCode.objects.get().digits == (8 if is_on else 6)


# Proof of work


def worked(phone: str, at=NOON) -> str:
    """What the page's script would send."""
    token, counter = verification_proofs.challenge(number=phone_hash(phone), at=at), 0
    while int.from_bytes(hashlib.sha256(f"{token}:{counter}".encode()).digest()[:4]) >> (
        32 - verification_proofs.BITS
    ):
        counter += 1
    return f"{token}:{counter}"


def test_a_proof_is_for_one_number_ten_minutes_and_one_code(li_lei):
    number, proof = phone_hash(li_lei.phone), worked(li_lei.phone)

    assert verification_proofs.is_right(proof, number=number, at=NOON + 10 * MINUTES)
    assert not verification_proofs.is_right(proof, number=number, at=NOON + 11 * MINUTES)
    assert not verification_proofs.is_right(proof, number=phone_hash(STRANGER), at=NOON)
    verification_proofs.demand(proof, number=number, at=NOON)
    with pytest.raises(ProofNeeded) as again:
        verification_proofs.demand(proof, number=number, at=NOON)
    assert again.value.facts["bits"] == verification_proofs.BITS
    assert SpentProof.objects.count() == 1


@pytest.mark.parametrize("bad", ["", ":", "x:1", "a:b:c", "¹:2", "x" * 400])
def test_what_is_no_proof(db, bad):
    assert not verification_proofs.is_right(bad, number=phone_hash(STRANGER), at=NOON)
    token = verification_proofs.challenge(number=phone_hash(STRANGER), at=NOON)
    lazy = next(f"{token}:{n}" for n in range(9) if hashlib.sha256(f"{token}:{n}".encode()).digest()[0])
    assert not verification_proofs.is_right(lazy, number=phone_hash(STRANGER), at=NOON)


# Cost and countries


@override_config(VERIFICATION_PARTS_PER_HOUR=10, VERIFICATION_MEMBERS_PERCENT=20)
def test_the_last_fifth_of_the_parts_is_the_members(li_lei, enrol):
    han = enrol("13900139000")
    for number in range(4):
        register(f"+86137{number:04d}0000", ip=network(number))
    register(STRANGER, ip=network(5))  # told the same, sent nothing
    assert Message.objects.count() == 4

    ask(li_lei.phone)
    with pytest.raises(TooManyCodes, match="cannot send more"):
        ask(han.phone)
    with pytest.raises(TooManyCodes, match="cannot send more"):
        register("+8613611110000", ip=network(6))
    ask(han.phone, NOON + 61 * MINUTES)


@override_config(VERIFICATION_STORE_PARTS_PER_HOUR=2)
def test_a_store_whose_parts_are_used_up_is_told_at_the_till_but_nobody_outside(li_lei, enrol, riverside):
    han = enrol("13900139000")
    ask(li_lei.phone)
    ask(han.phone)

    with pytest.raises(TooManyCodes, match="cannot send more"):
        ask_code(
            phone=han.phone,
            purpose=CodePurpose.PAY,
            language="en",
            store=riverside,
            at=NOON + MINUTES,
            ip=None,
        )
    assert Message.objects.count() == 1


@pytest.mark.parametrize(("countries", "is_served"), [("CN", False), ("CN,SG", True)])
def test_only_numbers_of_listed_countries_are_served(db, countries, is_served):
    with override_config(VERIFICATION_COUNTRIES=countries):
        if is_served:
            register("+6591234567")
            return
        with pytest.raises(CountryNotServed):
            register("+6591234567")


@pytest.mark.parametrize(
    ("phone", "last_line"), [("+6591234567", True), ("+8613912345678", False)], ids=["Singapore", "China"]
)
def test_the_last_line_lets_the_browser_fill_the_code_in_where_carriers_allow_it(db, phone, last_line):
    with override_config(VERIFICATION_COUNTRIES="CN,SG", VERIFICATION_WEBOTP_DOMAIN="club.example.com"):
        register(phone)

    text = Message.objects.get().text
    assert (text.splitlines()[-1] == f"@club.example.com #{text[:6]}") == last_line


@pytest.mark.parametrize("purpose", list(CodePurpose))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_purpose_has_its_words_and_is_good_for_nothing_else(li_lei, purpose, language):
    """(e)"""
    ask_code(phone=li_lei.phone, purpose=purpose, language=language, store=None, at=NOON, ip=HERE)
    code = texted_code(li_lei)

    others = [other for other in CodePurpose if other != purpose]
    assert not any(
        check_code(phone=li_lei.phone, purpose=other, code=code, at=NOON, ip=HERE).is_right
        for other in others
    )
    assert check_code(phone=li_lei.phone, purpose=purpose, code=code, at=NOON, ip=HERE) == RIGHT
    if language == "zh-hans":
        assert "验证码" in Message.objects.get().text


def test_a_device_asks_for_five_codes_an_hour(db):
    for number in range(5):
        register(f"+86137{number:04d}0000", ip=network(number), device="a browser")

    with pytest.raises(TooManyCodes, match="from here"):
        register(STRANGER, ip=network(6), device="a browser")
    register(STRANGER, ip=network(6), device="another")


# What a stranger can learn


def distance(one: list[float], other: list[float]) -> float:
    """Kolmogorov and Smirnov's: the largest difference between the two shares below any value."""
    values = sorted(one + other)
    return max(
        abs(sum(x <= v for x in one) / len(one) - sum(x <= v for x in other) / len(other)) for v in values
    )


def looks_the_same(known: list[float], unknown: list[float]) -> bool:
    """Medians within 5 ms (or what this machine's noise hides), and distributions that chance alone tells apart once in
    a hundred (p > 0.01)."""
    critical = 1.63 * ((len(known) + len(unknown)) / (len(known) * len(unknown))) ** 0.5
    middle = statistics.median(known + unknown)
    spread = 1.48 * statistics.median(abs(one - middle) for one in known + unknown)
    noise = 3 * 1.25 * spread * (2 / len(known)) ** 0.5
    apart = abs(statistics.median(known) - statistics.median(unknown))
    return apart < max(0.005, noise) and distance(known, unknown) < critical


def test_asking_takes_as_long_for_a_stranger(li_lei):
    """Three samples, of which two have to look the same; the turn alternates, so that load falls on both."""
    votes = []
    for sample in range(3):
        took: dict[str, list[float]] = {li_lei.phone: [], STRANGER: []}
        for turn in range(25):
            at = NOON + timedelta(days=30 * sample, hours=4 * turn)
            for phone in sorted(took, reverse=turn % 2 == 1):
                began = time.perf_counter()
                ask(phone, at)
                took[phone].append(time.perf_counter() - began)
        votes.append(looks_the_same(*took.values()))
        if votes.count(True) == 2:
            return
    pytest.fail(f"a member and a stranger can be told apart by the clock: {votes}")


def test_the_clock_test_would_notice_ten_milliseconds():
    quick = [0.020 + number / 10_000 for number in range(25)]

    assert looks_the_same(quick, [one + 0.0001 for one in quick])
    assert not looks_the_same(quick, [one + 0.010 for one in quick])


# A limiter that cannot count


@pytest.fixture
def other_session():
    """A connection of its own that holds the house's turn until told to let go."""
    held, over = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(4103, 0)")
                held.set()
                over.wait(20)
        finally:
            connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert held.wait(10)
    yield
    over.set()
    thread.join()


def test_when_the_limits_cannot_be_counted_no_code_is_sent(li_lei, other_session, monkeypatch):
    monkeypatch.setattr("messaging.domain.verification_limits.WAIT_FOR_TURN", "100ms")

    with pytest.raises(CodesUnavailable) as refused:
        ask(li_lei.phone)

    assert refused.value.wait_seconds == 30
    assert Message.objects.count() == 0
