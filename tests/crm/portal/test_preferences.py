"""The switches act at once, and what was said is written down."""

from __future__ import annotations

import pytest
from constance import config
from django.test import Client

from members.domain.enrolment import phone_hash
from members.enums import ConsentSource
from members.models import ConsentEntry, Member
from messaging.domain.outbox import enqueue
from messaging.domain.suppressions import suppress
from messaging.enums import Cause, MessageClass, SuppressionScope
from messaging.models import Message, Suppression
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.crm.portal.test_pages import draft

MARKETING, NOTIFICATION = MessageClass.MARKETING, MessageClass.NOTIFICATION
WORDING = "2026-11"


def switch(browser: Client, purpose: str, *, on: bool, wording: str = WORDING) -> str:
    """Flip a switch and read the page that comes."""
    form = {"purpose": purpose, "wording": wording} | ({"given": "1"} if on else {})
    return browser.post("/portal/preferences/texts/", form, follow=True).content.decode()


def last_word(member: Member, purpose: str) -> ConsentEntry:
    return ConsentEntry.objects.filter(member=member, purpose=purpose).latest("id")


@pytest.mark.parametrize("purpose", ["service", "marketing"])
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_a_switch_writes_the_consent_with_the_wording_that_was_read(visit, enrol, purpose, on):
    member = enrol("13800138000", language="en", service=not on, marketing=not on)

    page = switch(visit(member), purpose, on=on)

    word = last_word(member, purpose)
    assert (word.is_given, word.source, word.wording_version) == (on, ConsentSource.PORTAL, WORDING)
    member.refresh_from_db()
    assert getattr(member, f"has_{purpose}_consent") is on
    assert f"{purpose.title()} texts are {'on' if on else 'off'}." in page


@pytest.mark.parametrize(
    ("off", "message_class", "cause", "state", "after"),
    [
        ("marketing", MARKETING, Cause.RUN, State.QUEUED, State.SUPPRESSED),
        ("marketing", MARKETING, Cause.RUN, State.HELD, State.SUPPRESSED),
        ("marketing", MARKETING, Cause.RUN, State.SUBMITTING, State.SUBMITTING),
        ("marketing", NOTIFICATION, Cause.RULE, State.QUEUED, State.QUEUED),
        ("service", NOTIFICATION, Cause.RULE, State.QUEUED, State.SUPPRESSED),
        ("service", MARKETING, Cause.RUN, State.QUEUED, State.QUEUED),
        ("service", MessageClass.TRIGGER, Cause.REPLY, State.QUEUED, State.QUEUED),
    ],
)
def test_off_stops_what_is_waiting(visit, li_lei, off, message_class, cause, state, after):
    browser = visit(li_lei)
    message = enqueue([draft(li_lei, cause, 1, "Tea is back", message_class)], at=NOON)[0].message_id
    if state != State.QUEUED:
        Message.objects.filter(pk=message).update(state=state)

    switch(browser, off, on=False)

    found = Message.objects.get(pk=message)
    assert found.state == after
    assert found.reason == (Reason.NO_CONSENT if after == State.SUPPRESSED else found.reason)


def test_off_says_how_many_texts_were_stopped_and_touches_nobody_elses(visit, li_lei, enrol):
    han = enrol("13900139000", language="en")
    browser = visit(li_lei)
    enqueue([draft(member, Cause.RUN, 1, "Tea", MARKETING) for member in (li_lei, han)], at=NOON)

    page = switch(browser, "marketing", on=False)

    assert "Marketing texts are off. 1 text that was waiting will not be sent." in page
    assert Message.objects.get(member=han).state == State.QUEUED


def test_off_means_the_next_offer_is_not_queued(visit, li_lei):
    switch(visit(li_lei), "marketing", on=False)

    result = enqueue([draft(li_lei, Cause.RUN, 1, "Tea", MARKETING)], at=NOON)[0]

    assert (result.state, result.reason) == (State.SUPPRESSED, Reason.NO_CONSENT)


def test_on_lifts_an_opt_out_by_text(visit, li_lei):
    suppress(phone_hash(li_lei.phone), ConsentSource.TEXT, at=NOON)
    browser = visit(li_lei)

    switch(browser, "marketing", on=True)

    assert not Suppression.objects.filter(lifted_at=None).exists()
    assert enqueue([draft(li_lei, Cause.RUN, 1, "Tea", MARKETING)], at=NOON)[0].state == State.QUEUED


def test_a_switch_is_off_when_texts_do_not_go_out_whatever_the_consent_says(visit, li_lei):
    Suppression.objects.create(
        phone_hash=phone_hash(li_lei.phone), scope=SuppressionScope.MARKETING, source="import", at=NOON
    )

    page = visit(li_lei).get("/portal/preferences/").content.decode()

    assert page.count('role="switch"') == 2
    assert page.count(" checked>") == 1


def test_a_number_on_the_list_of_all_texts_is_sent_to_the_shop(visit, enrol):
    han = enrol("13900139000", language="en", marketing=False)
    Suppression.objects.create(
        phone_hash=phone_hash(han.phone), scope=SuppressionScope.ALL, source="staff", at=NOON
    )
    browser = visit(han)

    page = switch(browser, "marketing", on=True)

    assert "Your number is on the list of those we never text." in page
    assert not last_word(han, "marketing").is_given


def test_saying_what_stands_already_writes_nothing(visit, li_lei):
    browser = visit(li_lei)
    before = ConsentEntry.objects.count()

    switch(browser, "marketing", on=True)

    assert ConsentEntry.objects.count() == before


@pytest.mark.parametrize(("on", "is_taken"), [(True, False), (False, True)], ids=["yes", "no"])
def test_a_yes_to_an_old_wording_is_asked_again_a_no_always_counts(visit, enrol, on, is_taken):
    member = enrol("13800138000", language="en", marketing=not on)
    browser = visit(member)

    config.CONSENT_WORDING = "2027-01"
    page = switch(browser, "marketing", on=on)

    assert ("The wording has changed." in page) is not is_taken
    assert (last_word(member, "marketing").source == ConsentSource.PORTAL) is is_taken


@pytest.mark.parametrize("purpose", ["", "spam", "all"])
def test_there_are_only_these_two_switches(visit, li_lei, purpose):
    form = {"purpose": purpose, "wording": WORDING}

    assert visit(li_lei).post("/portal/preferences/texts/", form).status_code == 404


def test_the_language_is_kept_with_the_member(visit, li_lei):
    browser = visit(li_lei)

    answer = browser.post("/portal/language/", {"language": "zh-hans", "next": "/portal/preferences/"})

    li_lei.refresh_from_db()
    assert li_lei.language == "zh-hans"
    assert answer.cookies["django_language"].value == "zh-hans"
    assert '<html lang="zh-hans">' in browser.get(answer.url).content.decode()


@pytest.mark.parametrize("language", ["", "tlh", "zh"])
def test_a_language_we_do_not_speak_changes_nothing(visit, li_lei, language):
    visit(li_lei).post("/portal/language/", {"language": language})

    li_lei.refresh_from_db()
    assert li_lei.language == "en"


def test_the_language_can_be_chosen_before_the_log_in(client, db):
    client.post("/portal/language/", {"language": "zh-hans", "next": "/portal/login/"})

    assert '<html lang="zh-hans">' in client.get("/portal/login/").content.decode()
