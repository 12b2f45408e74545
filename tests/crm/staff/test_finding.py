"""What a cashier types, and whom it finds."""

import pytest
from django.urls import reverse

from crm.staff.finding import clean_query, find
from members.models import Member
from tests.crm.staff.conftest import at_work, queries_of, text_of


@pytest.fixture
def regulars(enrol):
    """Five people, two with the same last four digits."""
    people = [
        ("13800138000", "Li Lei"),
        ("13912348000", "Han Meimei"),
        ("15012349876", "王小明"),
        ("13700001111", "100% Anna_B"),
        ("+447400120123", "Tom Becker"),
    ]
    return {name: enrol(phone, name=name) for phone, name in people}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("13800138000", {"Li Lei"}),
        ("+86 138-0013-8000", {"Li Lei"}),
        ("１３８００１３８０００", {"Li Lei"}),
        ("8000", {"Li Lei", "Han Meimei"}),
        ("48000", {"Han Meimei"}),
        ("0123", {"Tom Becker"}),
        ("han", {"Han Meimei"}),
        ("小明", {"王小明"}),
        ("王", {"王小明"}),
        ("%", {"100% Anna_B"}),
        ("_", {"100% Anna_B"}),
        ("\\", set()),
        ("nobody", set()),
        ("", set()),
        ("   ", set()),
        ("80", set()),
        ("x" * 500, set()),
    ],
)
def test_what_finds_whom(regulars, typed, found):
    assert {member.name for member in find(Member.objects.all(), clean_query(typed))} == found


def test_a_card_number_and_a_member_number_find_their_member(regulars, card):
    member = card.member

    for typed in (
        card.number,
        card.number[:12],
        member.member_no,
        member.member_no.lower(),
        member.member_no[1:],
    ):
        assert find(Member.objects.all(), clean_query(typed)) == [member], typed


def test_the_exact_number_stands_first_then_who_was_here_last(regulars):
    han = regulars["Han Meimei"]
    han.facts.last_visit_at = han.enrolled_at
    han.facts.save()

    found = find(Member.objects.all(), "8000")

    assert [member.name for member in found] == ["Han Meimei", "Li Lei"]


def test_no_more_than_eight_are_shown(enrol):
    for number in range(12):
        enrol(f"138001380{number:02}", name="Zhang Wei")

    assert len(find(Member.objects.all(), "zhang")) == 8


def test_a_single_hit_is_opened_at_once(chen, regulars):
    answer = at_work(chen, htmx=True).get(reverse("staff:find_member"), {"q": "meimei"})

    assert answer["HX-Push-Url"] == reverse("staff:till_member", args=[regulars["Han Meimei"].public_id])
    assert 'id="member-name"' in text_of(answer)


def test_an_unknown_number_can_be_enrolled_at_once(chen, regulars):
    answer = at_work(chen, htmx=True).get(reverse("staff:find_member"), {"q": "13511112222"})

    assert f"{reverse('staff:enrol_member')}?phone=13511112222" in text_of(answer)


@pytest.mark.parametrize("typed", ["' OR 1=1 --", "{{ 7*7 }}", "<script>alert(1)</script>", "9" * 5000])
def test_strange_searches_are_answered(cashier, regulars, typed):
    answer = cashier.get(reverse("staff:find_member"), {"q": typed})

    assert answer.status_code == 200
    assert "<script>alert" not in text_of(answer)


def test_a_search_asks_no_more_of_the_database_when_more_is_found(chen, enrol):
    browser, where = at_work(chen, htmx=True), reverse("staff:find_member")
    for number in range(2):
        enrol(f"138001380{number:02}", name="Zhang Wei")
    two = queries_of(browser, where, q="zhang")
    for number in range(2, 7):
        enrol(f"138001380{number:02}", name="Zhang Wei")

    assert queries_of(browser, where, q="zhang") == two <= 6
