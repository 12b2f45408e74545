"""The run page: live numbers, each opening its people; stopped in numbers; exported with phones masked."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.enums import RunStatus
from campaigns.models import Campaign, Recipient, Run
from messaging.models import Gateway, InboundText, Message
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.crm.staff.campaigns.conftest import post, show


def page_of(response) -> str:
    return " ".join(response.content.decode().split())


def move(message: Message, *states: State) -> None:
    for state in states:
        Message.objects.filter(pk=message.pk).update(state=state)


@pytest.fixture
def annas_text(sent_run) -> Message:
    return Message.objects.get(member__name="Anna")


def test_the_page_counts_and_follows_while_texts_leave(manager, sent_run):
    page = page_of(show(manager, "run_detail", sent_run))

    assert "The member has not agreed to these texts" in page
    assert 'hx-trigger="every 1s"' in page
    assert "Stop…" in page


def test_an_unchanged_page_is_not_sent_again(manager, sent_run):
    page = page_of(show(manager, "run_progress", sent_run))
    was = page.split("?was=")[1].split('"')[0]

    assert show(manager, "run_progress", sent_run, was=was).status_code == 204
    Message.objects.filter(state=State.QUEUED).update(state=State.SUBMITTING)
    assert show(manager, "run_progress", sent_run, was=was).status_code == 200


def test_a_settled_run_is_not_asked_again(manager, sent_run):
    for message in Message.objects.filter(state=State.QUEUED):
        move(message, State.SUBMITTING, State.ACCEPTED, State.DELIVERED)

    page = page_of(show(manager, "run_detail", sent_run))

    assert "All settled." in page
    assert 'hx-trigger="every' not in page
    assert "Stop…" not in page


def test_parts_cost_what_the_gateway_asks(manager, sent_run, annas_text):
    gateway = Gateway.objects.create(name="One", host="localhost", port=2775, system_id="x", price_minor=35)
    Message.objects.filter(pk=annas_text.pk).update(gateway=gateway, parts=2)
    move(annas_text, State.SUBMITTING, State.ACCEPTED)

    assert "¥0.70" in page_of(show(manager, "run_detail", sent_run))


def test_stopping_is_asked_in_numbers_and_done_once(manager, sent_run, annas_text):
    move(annas_text, State.SUBMITTING, State.ACCEPTED)
    asked = page_of(show(manager, "ask_stop", sent_run))
    assert "1 queued text will be cancelled. 1 has left and cannot be called back." in asked

    for _ in range(2):
        post(manager, "stop_run", sent_run)

    sent_run.refresh_from_db()
    assert sent_run.status == RunStatus.STOPPED
    assert Message.objects.filter(state=State.CANCELLED, reason=Reason.STOPPED).count() == 1
    assert "Stopped by Mei" in page_of(show(manager, "run_detail", sent_run))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Anna", "Bao", "Cui"]),
        ({"reason": "no_consent"}, ["Cui"]),
        ({"state": "queued"}, ["Anna", "Bao"]),
        ({"show": "texts"}, ["Anna", "Bao"]),
        ({"show": "left_out"}, ["Cui"]),
        ({"show": "delivered"}, []),
        ({"show": "replied"}, ["Bao"]),
        ({"show": "opted_out"}, ["Bao"]),
        ({"reason": "no_such", "after": "nonsense"}, ["Anna", "Bao", "Cui"]),
    ],
)
def test_each_number_opens_its_people(manager, sent_run, people, query, names):
    gateway = Gateway.objects.create(name="One", host="localhost", port=2775, system_id="x")
    bao = people[1]
    InboundText.objects.create(
        gateway=gateway, phone=bao.phone, text="R", member=bao, intent="opt_out", received_at=NOON
    )

    page = page_of(show(manager, "run_recipients", sent_run, **query))

    assert [name for name in ("Anna", "Bao", "Cui") if f">{name}</a>" in page] == names
    assert "13800138001" not in page


def test_the_pages_of_recipients_meet(manager, sent_run, people, enrol):
    more = [enrol(f"139001390{number:02}", name=f"M{number:02}") for number in range(60)]
    Recipient.objects.bulk_create(
        Recipient(run=sent_run, member=member, phone=member.phone, chunk=1) for member in more
    )

    first = page_of(show(manager, "run_recipients", sent_run))
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = page_of(manager.get(older))

    shown = ["Anna", "Bao", "Cui", *(member.name for member in more)]
    assert [(f">{name}</a>" in first) + (f">{name}</a>" in second) for name in shown] == [1] * 63


def test_a_programmes_people_come_by_score(manager, sent_run, people):
    Campaign.objects.update(kind="wakeup")
    for member, score in zip(people, (0.5, 2.25, 1.0), strict=True):
        Recipient.objects.filter(member=member).update(score=score)

    page = page_of(show(manager, "run_recipients", sent_run))

    places = [page.index(f">{name}</a>") for name in ("Bao", "Cui", "Anna")]
    assert places == sorted(places)
    assert ">2.25</td>" in page
    last = Recipient.objects.get(member=people[2])
    rest = page_of(show(manager, "run_recipients", sent_run, after=f"1.0~{last.pk}"))
    assert [name for name in ("Anna", "Bao", "Cui") if f">{name}</a>" in rest] == ["Anna"]


def test_the_file_masks_phones_and_holds_no_formulae(manager, sent_run, people):
    people[0].name = "=1+1"
    people[0].save()

    response = show(manager, "export_recipients", sent_run)
    text = b"".join(response.streaming_content).decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["Name"] for row in rows] == ["'=1+1", "Bao", "Cui"]
    assert rows[2]["Reason"] == "The member has not agreed to these texts"
    assert "13800138001" not in text


@pytest.mark.parametrize("name", ["campaign_list", "campaign_detail", "run_recipients"])
def test_three_rows_cost_as_many_queries_as_one(
    manager, sent_run, mei, riverside, enrol, name, django_assert_num_queries
):
    campaign = sent_run.campaign
    address = {
        "campaign_list": reverse("staff:campaign_list"),
        "campaign_detail": reverse("staff:campaign_detail", args=[campaign.public_id]),
        "run_recipients": reverse("staff:run_recipients", args=[sent_run.public_id]),
    }[name]
    Recipient.objects.exclude(member__name="Anna").delete()
    manager.get(address)
    with CaptureQueriesContext(connection) as one:
        manager.get(address)
    for number in range(2):
        other = Campaign.objects.create(
            name=f"More {number}", store=riverside, template=campaign.template, created_by=mei
        )
        Run.objects.create(campaign=other, window="once", as_of=NOON, started_at=NOON, stopped_by=mei)
        Run.objects.create(
            campaign=campaign, window=f"more-{number}", as_of=NOON, started_at=NOON, stopped_by=mei
        )
        member = enrol(f"1390013900{number}", name=f"M{number}")
        Recipient.objects.create(run=sent_run, member=member, phone=member.phone, chunk=1)

    with django_assert_num_queries(len(one)):
        manager.get(address)
