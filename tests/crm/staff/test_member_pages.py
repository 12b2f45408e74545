"""The member list, its export, and one member's tabs."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import translation

from members.models import AuditEntry, ConsentEntry, Member, MemberFacts
from messaging.models import Gateway, InboundText, Message, Suppression
from messaging.states import Reason
from tests.conftest import NOON
from tests.crm.staff.conftest import balance_of, queries_of, send, text_of


def names_on(page: str, *names: str) -> list[str]:
    return [name for name in names if f">{name}</a>" in page]


def rows_of(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.fixture
def three(enrol) -> list[Member]:
    """Ana agrees to all, Bo to service only, Cy to nothing and has opted out."""
    ana = enrol("13800000001", name="Ana", tags=["vip"])
    bo = enrol("13800000002", name="Bo", marketing=False)
    cy = enrol("13800000003", name="Cy", marketing=False, service=False)
    Suppression.objects.create(phone_hash=bytes(cy.phone_hash), scope="marketing", source="text", at=NOON)
    MemberFacts.objects.filter(member=bo).update(last_visit_at=NOON - timedelta(days=3000))
    return [ana, bo, cy]


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({}, ["Ana", "Bo", "Cy"]),
        ({"tag": "vip"}, ["Ana"]),
        ({"consent": "marketing"}, ["Ana"]),
        ({"consent": "no_marketing"}, ["Bo", "Cy"]),
        ({"consent": "no_service"}, ["Cy"]),
        ({"consent": "opted_out"}, ["Cy"]),
        ({"seen": "never"}, ["Ana", "Cy"]),
        ({"seen": "over180"}, ["Bo"]),
        ({"q": "13800000002"}, ["Bo"]),
        ({"q": "bo"}, ["Bo"]),
        ({"q": "nobody"}, []),
        ({"consent": "nonsense", "store": "x", "after": "~x", "sort": "visit"}, ["Ana", "Bo", "Cy"]),
    ],
)
def test_what_the_filters_leave(cashier, three, asked, listed):
    page = text_of(cashier.get(reverse("staff:member_list"), asked))

    assert names_on(page, "Ana", "Bo", "Cy") == listed


@pytest.mark.parametrize("sort", ["", "visit"])
def test_pages_show_everybody_once(cashier, enrol, sort):
    for number in range(104):
        member = enrol(f"138000{number:05}", name=f"N{number:03}")
        if number % 3:
            MemberFacts.objects.filter(member=member).update(last_visit_at=NOON - timedelta(days=number % 7))
    where, seen = f"{reverse('staff:member_list')}?sort={sort}", []
    while where:
        response = cashier.get(where)
        seen += [row["member"].name for row in response.context["rows"]]
        where = response.context["page"].older_url

    assert len(seen) == 104
    assert sorted(seen) == [f"N{number:03}" for number in range(104)]


def test_the_list_asks_the_same_of_the_database_for_one_member_and_for_three(cashier, loaded_card, enrol):
    where = reverse("staff:member_list")
    one = queries_of(cashier, where)
    enrol("13900000001", name="Ana")
    enrol("13900000002", name="Bo")

    assert queries_of(cashier, where) == one <= 8


def test_the_export_masks_phones_and_disarms_formulae(manager, enrol):
    enrol("13800138000", name="=HYPERLINK(1)")

    (_header, row) = rows_of(manager.get(reverse("staff:export_members")))

    assert row[1] == "'=HYPERLINK(1)"
    assert "8000" in row[2] and "13800138000" not in row[2].replace(" ", "")


def test_the_export_holds_what_the_list_shows(manager, three):
    rows = rows_of(manager.get(reverse("staff:export_members"), {"consent": "no_marketing"}))

    assert sorted(row[1] for row in rows[1:]) == ["Bo", "Cy"]


def test_the_log_says_what_an_export_was_narrowed_to_and_no_phone(manager, three):
    manager.get(
        reverse("staff:export_members"),
        {"q": "138 0013-8000", "consent": "no_marketing", "tag": "", "card": "not a filter"},
    )

    written = AuditEntry.objects.get(verb="exported").after["asked"]
    assert written == {"q": "138****8000", "consent": "no_marketing"}


def test_a_cashier_takes_no_list_away(cashier, three):
    assert cashier.get(reverse("staff:export_members")).status_code == 403


def test_the_statement_reads_like_a_banks(cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="120.50")

    page = text_of(cashier.get(reverse("staff:member_detail", args=[loaded_card.member.public_id])))

    for written in ("−¥120.50", "¥379.50", "+¥500.00", "+120", "Chen"):
        assert written in page
    assert balance_of(loaded_card) == 37950


def test_the_statement_of_one_account_leaves_the_others_out(cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="120.50")
    points = loaded_card.member.accounts.get(kind="points")

    where = reverse("staff:member_detail", args=[loaded_card.member.public_id])
    response = cashier.get(where, {"account": points.pk})

    assert [entry.amount for entry in response.context["page"].rows] == [120]


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("member_detail", 16),
        ("member_timeline", 18),
        ("till_member", 15),
        ("message_list", 7),
    ],
)
def test_a_page_asks_the_same_of_the_database_for_one_spend_and_for_three(
    cashier, loaded_card, rule, name, most
):
    rule("card_spent", "{name}: {amount}.")
    where = reverse(f"staff:{name}", args=[] if name == "message_list" else [loaded_card.member.public_id])
    send(cashier, "spend", loaded_card, amount="10")
    one = queries_of(cashier, where)
    send(cashier, "spend", loaded_card, amount="10")
    send(cashier, "spend", loaded_card, amount="10")

    assert queries_of(cashier, where) == one <= most


def test_the_timeline_tells_events_texts_silences_and_answers(cashier, loaded_card, rule):
    member = loaded_card.member
    rule("card_spent", "{name}: {amount}.")
    send(cashier, "spend", loaded_card, amount="10")
    gateway = Gateway.objects.create(name="G", host="127.0.0.1", port=2775, system_id="x")
    InboundText.objects.create(
        gateway=gateway, phone=member.phone, text="balance?", member=member, intent="query"
    )

    page = text_of(cashier.get(reverse("staff:member_timeline", args=[member.public_id])))

    assert "Li Lei: ¥10.00." in page and "Queued" in page
    assert "No rule answers this: no text goes out." in page  # the recharge
    assert "balance?" in page


def test_the_timeline_pages_show_everything_once(cashier, loaded_card):
    for _ in range(70):
        send(cashier, "spend", loaded_card, amount="0.01")
    where, seen = reverse("staff:member_timeline", args=[loaded_card.member.public_id]), []
    while where:
        response = cashier.get(where)
        seen += [item.pk for item in response.context["page"].rows]
        where = response.context["page"].older_url

    assert sorted(seen) == sorted(loaded_card.member.events.values_list("pk", flat=True))


@pytest.mark.parametrize(
    "after", ["", "x", "2026-11-20", "2026-11-20T00:00:00+00:00~x~1", "2026-99-99T00:00:00Z~1~1"]
)
def test_a_spoilt_address_shows_the_first_page(cashier, loaded_card, after):
    where = reverse("staff:member_timeline", args=[loaded_card.member.public_id])

    assert cashier.get(where, {"after": after}).status_code == 200


def test_a_withdrawal_is_written_down_and_holds_at_once(cashier, chen, riverside, li_lei):
    cashier.post(
        reverse("staff:member_consents", args=[li_lei.public_id]), {"purpose": "marketing", "given": "0"}
    )

    li_lei.refresh_from_db()
    word = ConsentEntry.objects.filter(member=li_lei, purpose="marketing").latest("id")
    assert not li_lei.has_marketing_consent
    assert (word.is_given, word.source, word.staff, word.store) == (False, "till", chen, riverside)


def test_the_same_word_twice_is_written_down_once(cashier, li_lei):
    for _ in range(2):
        cashier.post(
            reverse("staff:member_consents", args=[li_lei.public_id]), {"purpose": "marketing", "given": "0"}
        )

    assert (
        ConsentEntry.objects.filter(member=li_lei, purpose="marketing").count() == 2
    )  # the enrolment's and this


def test_the_profile_is_corrected(cashier, li_lei):
    where = reverse("staff:member_profile", args=[li_lei.public_id])
    cashier.post(
        where, {"name": "Li Wei", "language": "zh-hans", "tags": "vip，window, vip", "notes": "PPD!"}
    )

    li_lei.refresh_from_db()
    assert (li_lei.name, li_lei.tags, li_lei.notes, li_lei.language) == (
        "Li Wei",
        ["vip", "window"],
        "PPD!",
        "zh-hans",
    )


@pytest.mark.parametrize(
    "wrong", [{"birthday": "2999-01-01"}, {"birthday": "31.12.1990"}, {"tags": "x" * 41}, {"language": "tlh"}]
)
def test_a_wrong_profile_is_shown_again_and_nothing_is_kept(cashier, li_lei, wrong):
    where = reverse("staff:member_profile", args=[li_lei.public_id])

    answer = cashier.post(where, {"name": "Li Wei", "language": "en", **wrong})

    li_lei.refresh_from_db()
    assert answer.status_code == 422 and "Li Wei" in text_of(answer)
    assert li_lei.name == "Li Lei"


def test_messages_are_listed_by_state(cashier, loaded_card, rule):
    rule("card_spent", "{name}: {amount}.")
    send(cashier, "spend", loaded_card, amount="10")
    where = reverse("staff:message_list")

    assert "Li Lei: ¥10.00." in text_of(cashier.get(where, {"state": "moving"}))
    assert "Li Lei: ¥10.00." not in text_of(cashier.get(where, {"state": "delivered"}))
    assert "+8613800138000" not in text_of(cashier.get(where)).replace(" ", "")


def test_a_messages_story_is_told(cashier, loaded_card, rule):
    rule("card_spent", "{name}: {amount}.")
    send(cashier, "spend", loaded_card, amount="10")

    page = text_of(cashier.get(reverse("staff:message_detail", args=[Message.objects.get().public_id])))

    for written in (
        "On card_spent",
        "English · version 1",
        "automatically, nothing promotional found",
        "Asia/Shanghai",
        "Queued",
    ):
        assert written in page


@pytest.mark.parametrize(("language", "words"), [("en", "Same text"), ("zh-hans", "相同内容")])
def test_a_text_not_said_twice_says_so_in_its_story(cashier, loaded_card, rule, language, words):
    rule("card_spent", "{name}: {amount}.")
    send(cashier, "spend", loaded_card, amount="10")
    Message.objects.update(state="suppressed", reason=Reason.DUPLICATE, gates=32, final_at=NOON)
    cashier.post(reverse("set_language"), {"language": language, "next": "/till/"})

    page = text_of(cashier.get(reverse("staff:message_detail", args=[Message.objects.get().public_id])))

    with translation.override(language):
        assert words in page
        assert str(Reason.DUPLICATE.label) in page


def test_nobody_reads_a_verification_code_over_a_members_shoulder(cashier, loaded_card, rule):
    rule("card_spent", "{name}: {amount}.")
    send(cashier, "spend", loaded_card, amount="10")
    Message.objects.update(message_class="verification", text="123456 is your log-in code.")
    message = Message.objects.get()

    pages = [
        text_of(cashier.get(reverse("staff:message_list"))),
        text_of(cashier.get(reverse("staff:message_detail", args=[message.public_id]))),
        text_of(cashier.get(reverse("staff:member_timeline", args=[loaded_card.member.public_id]))),
    ]

    assert "123456" not in "".join(pages)
    assert all("•••••• is your log-in code." in page for page in pages)
