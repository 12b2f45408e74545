"""The door of the portal: a code to the phone, the same answers for everybody, and a way out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.portal.access import COOKIE
from members.models import Member
from messaging.models import Message, VerificationCode
from tests.crm.portal.conftest import texted_code

STRANGER = "13999999999"


def ask(browser: Client, phone: str, **more):
    return browser.post("/portal/login/", {"phone": phone}, **more)


def enter(browser: Client, code: str):
    return browser.post("/portal/login/code/", {"code": code})


@pytest.mark.parametrize(
    "typed", ["13800138000", "+86 138 0013 8000", "０１３８ ００１３ ８０００", "138-0013-8000"]
)
def test_a_member_comes_in_with_the_code_from_the_phone(client, li_lei, typed):
    asked = ask(client, typed)
    entered = enter(client, texted_code(li_lei))

    assert (asked.status_code, asked.url) == (302, "/portal/login/code/")
    assert (entered.status_code, entered.url) == (302, "/portal/")
    assert "Li Lei" in client.get("/portal/preferences/").content.decode()


@pytest.mark.parametrize(
    "spell",
    [
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: code.translate({ord(str(n)): 0xFF10 + n for n in range(10)}),
    ],
    ids=["with a space", "full width"],
)
def test_a_code_is_understood_as_keyboards_write_it(client, li_lei, spell):
    ask(client, li_lei.phone)

    assert enter(client, spell(texted_code(li_lei))).status_code == 302


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter your mobile number."),
        ("1380013", "This number has too few digits."),
        ("call me", "A phone number has no letters. Write the digits only."),
        ("021 5555 0100", "This is not a mobile number, so it cannot receive texts."),
    ],
)
def test_a_phone_that_cannot_be_one_is_refused_beside_the_field(client, db, typed, said):
    answer = ask(client, typed)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert 'aria-invalid="true"' in page
    assert f'value="{typed}"' in page or not typed
    assert not VerificationCode.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter the code from the text message."),
        ("12345", "The code has six or eight digits."),
        ("12345a", "The code has six or eight digits."),
    ],
)
def test_what_is_no_code_costs_no_check(client, li_lei, typed, said):
    ask(client, li_lei.phone)

    answer = enter(client, typed)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert VerificationCode.objects.get().checks == 0


def test_a_wrong_code_is_told_and_the_fifth_ends_it(client, li_lei):
    ask(client, li_lei.phone)
    wrong = f"{(int(texted_code(li_lei)) + 1) % 10**6:06d}"

    pages = [enter(client, wrong).content.decode() for _ in range(5)]

    assert "This is not the code. You can try 4 more times." in pages[0]
    assert f'value="{wrong}"' in pages[0]
    assert "This code is wrong or no longer valid. Ask for a new one." in pages[4]
    assert enter(client, texted_code(li_lei)).status_code == 422


def answers(phone: str) -> list[tuple]:
    """What a browser sees that asks twice, enters a wrong code, and looks at the page again."""
    browser = Client(REMOTE_ADDR="203.0.113.7")
    seen = []
    steps = [
        lambda: ask(browser, phone),
        lambda: browser.get("/portal/login/code/"),
        lambda: enter(browser, "not it"),
        lambda: enter(browser, "000000"),
        lambda: ask(browser, phone),
        lambda: browser.post("/portal/login/again/"),
        lambda: browser.get("/portal/"),
    ]
    for step in steps:
        with CaptureQueriesContext(connection) as queries:
            answer = step()
        seen.append((answer.status_code, told(answer, phone), headers(answer), len(queries)))
    return seen


def told(answer, phone: str) -> str:
    """The page without what differs from visit to visit: the form's token, the number typed, the wait."""
    page = re.sub(r'csrfmiddlewaretoken" value="\w+"|X-CSRFToken": "\w+"', "", answer.content.decode())
    page = re.sub(r'data-countdown="\d+"|in \d+ (?:second|minute)s?', "", page)
    return page.replace(phone, "the number").replace(f"{phone[:3]} •••• {phone[-4:]}", "the number")


def headers(answer) -> dict[str, str]:
    changing = {"X-Request-ID", "Content-Length", "Expires", "Last-Modified", "Retry-After"}
    names = {name: value for name, value in answer.headers.items() if name not in changing}
    return names | {"cookies": sorted(answer.cookies), "waits": "Retry-After" in answer.headers}


def test_a_stranger_sees_exactly_what_a_member_sees(li_lei):
    for_member, for_stranger = answers("13800138000"), answers(STRANGER)

    assert [step[0] for step in for_member] == [302, 200, 422, 422, 429, 429, 302]
    assert for_member == for_stranger
    assert not Message.objects.exclude(member=li_lei).exists()


def test_asking_again_too_soon_says_how_long_to_wait(client, li_lei):
    ask(client, li_lei.phone)

    again = ask(client, li_lei.phone)
    by_button = client.post("/portal/login/again/")

    assert again.status_code == by_button.status_code == 429
    assert 55 <= int(again["Retry-After"]) <= 60
    assert "Too many codes were asked for this number. Try again in" in again.content.decode()
    assert 'value="+8613800138000"' in again.content.decode()
    assert "Too many codes were asked for this number. Try again in" in by_button.content.decode()


def test_the_repeat_sends_the_same_code_while_it_is_valid(client, li_lei):
    ask(client, li_lei.phone)
    first = texted_code(li_lei)
    VerificationCode.objects.update(created_at=timezone.now() - timedelta(seconds=61))

    again = client.post("/portal/login/again/")

    second = texted_code(li_lei)
    assert (again.status_code, second) == (302, first)
    assert enter(Client(), first).url == "/portal/login/", "no code was asked for in that browser"
    assert enter(client, second).url == "/portal/"
    assert Message.objects.filter(cause="code").count() == 2


def test_a_code_read_over_the_shoulder_is_no_good_in_another_browser(client, li_lei):
    ask(client, li_lei.phone)
    VerificationCode.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    read = texted_code(li_lei)
    thief = Client()
    ask(thief, li_lei.phone)  # sends Li Lei another code, which is for the thief's browser

    assert texted_code(li_lei) != read
    assert enter(thief, read).status_code == 422
    assert enter(client, read).url == "/portal/"


def test_a_right_code_for_a_number_that_is_no_members_opens_nothing(client, li_lei):
    ask(client, li_lei.phone)
    code = texted_code(li_lei)
    Member.objects.filter(pk=li_lei.pk).update(phone="+8613800138001", phone_hash=b"another")

    answer = enter(client, code)

    assert answer.status_code == 422
    assert "This code is wrong or no longer valid." in answer.content.decode()
    assert client.get("/portal/").url == "/portal/login/?next=/portal/"


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client, db):
    address, home = "/portal/preferences/texts/", "/portal/login/?next=/portal/"

    assert (
        client.post(address, HTTP_REFERER="http://testserver/portal/preferences/").url
        == f"{home}preferences/"
    )
    assert client.post(address, HTTP_REFERER="http://elsewhere.example/x/").url == home
    assert client.post(address).url == home


def test_the_session_key_changes_at_the_log_in_and_lasts_thirty_days(client, li_lei):
    ask(client, li_lei.phone)
    before = client.cookies[COOKIE].value

    enter(client, texted_code(li_lei))

    cookie = client.cookies[COOKIE]
    assert cookie.value != before
    assert not Session.objects.filter(session_key=before).exists()
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/portal/", True, "Lax")
    assert cookie["max-age"] == 30 * 24 * 3600


def test_a_visit_after_a_day_starts_the_thirty_days_again(at_home):
    assert COOKIE not in at_home.get("/portal/").cookies  # not written anew on every page
    _age_session(timedelta(days=2))

    assert at_home.get("/portal/").cookies[COOKIE]["max-age"] == 30 * 24 * 3600


def _age_session(age: timedelta) -> None:
    stored = Session.objects.get()
    data = stored.get_decoded()
    data["renewed_at"] = (timezone.now() - age).isoformat()
    stored.session_data = Session.get_session_store_class()().encode(data)
    stored.save()


def test_a_session_ends_when_its_time_is_over(at_home):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert at_home.get("/portal/").status_code == 302


def test_a_session_ends_when_the_members_number_changes(at_home, li_lei):
    Member.objects.filter(pk=li_lei.pk).update(phone="+8613800138001", phone_hash=b"another")

    assert at_home.get("/portal/").status_code == 302
    assert not Session.objects.exists()


def test_logging_out_ends_the_session_for_good(at_home):
    key = at_home.cookies[COOKIE].value

    out = at_home.post("/portal/logout/")
    at_home.cookies[COOKIE] = key

    assert (out.status_code, out.url) == (302, "/portal/login/")
    assert at_home.get("/portal/").status_code == 302
    assert at_home.get("/portal/logout/").status_code == 405


def test_staff_and_member_in_one_browser_do_not_touch_each_other(at_home, chen):
    at_home.force_login(chen)

    at_home.post("/portal/logout/")

    assert at_home.session["_auth_user_id"] == str(chen.pk)
    assert at_home.get("/portal/").status_code == 302


def test_being_staff_opens_no_portal(client, chen):
    client.force_login(chen)

    assert client.get("/portal/").url == "/portal/login/?next=/portal/"


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/portal/statement/", "/portal/statement/"),
        ("https://evil.example/portal/", "/portal/"),
        ("//evil.example/portal/", "/portal/"),
        ("/admin/", "/portal/"),
        ("", "/portal/"),
    ],
)
def test_after_the_log_in_the_member_goes_on_inside_the_portal(client, li_lei, wanted, goes_to):
    client.post("/portal/login/", {"phone": li_lei.phone, "next": wanted})

    assert enter(client, texted_code(li_lei)).url == goes_to


def test_the_forms_are_protected_against_other_sites(li_lei):
    browser = Client(enforce_csrf_checks=True)

    assert ask(browser, li_lei.phone).status_code == 403
    assert not VerificationCode.objects.exists()


def test_the_code_field_lets_the_phone_fill_it_in(client, li_lei):
    ask(client, li_lei.phone)

    page = client.get("/portal/login/code/").content.decode()

    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
    assert "138 •••• 8000" in page


def test_the_language_of_a_member_comes_along(client, enrol):
    han = enrol("13900139000", language="zh-hans")
    ask(client, han.phone)

    entered = enter(client, texted_code(han))

    assert entered.cookies["django_language"].value == "zh-hans"
