"""A campaign from launch to the last queued text: once, whoever calls how often."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.domain import launching, runs
from campaigns.enums import CampaignKind, CampaignStatus, RunStatus, Timing
from campaigns.models import Campaign, Run
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import TenderPaid
from members.enums import TenderType
from members.models import MemberFacts
from messaging.domain.texts import SelfApproval, approve, save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
from messaging.states import Reason, State
from tests.conftest import NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def promotion(mei, chen):
    template = Template.objects.create(
        key="promotion", name="Promotion", message_class=MessageClass.MARKETING
    )
    for language, text in (
        ("en", "{name|Hello}, 20% off this week at {store}."),
        ("zh-hans", "{name|您好}，本周八折。"),
    ):
        draft = save_draft(template=template, language=language, text=text, by=mei, at=NOON)
        approve(version=draft, by=chen, at=NOON)
    return template


@pytest.fixture
def campaign(promotion, riverside, mei):
    return Campaign.objects.create(name="Autumn", store=riverside, template=promotion, created_by=mei)


@pytest.fixture
def three_members(enrol):
    return [
        enrol("13800138001", name="Anna", language="en"),
        enrol("13800138002", name="宝", language="zh-hans"),
        enrol("13800138003", name="Cui", marketing=False),
    ]


def send(run: Run) -> None:
    runs.freeze(run_id=run.pk)
    for chunk in run.chunks.all():
        runs.expand(run_id=run.pk, chunk=chunk.number, at=NOON)


def test_a_push_texts_who_agreed_and_says_why_the_others_are_left_out(campaign, three_members, mei):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    send(run)

    run.refresh_from_db()
    progress = runs.progress(run)
    assert (run.status, run.recipients_total) == (RunStatus.DONE, 3)
    assert progress.by_state == {State.QUEUED: 2, State.SUPPRESSED: 1}
    assert progress.left_out == {Reason.NO_CONSENT: 1}


def test_each_reads_it_in_their_language_with_the_way_out(campaign, three_members, mei):
    send(launching.launch(campaign=campaign, by=mei, at=NOON))

    texts = list(Message.objects.filter(state=State.QUEUED).order_by("id").values_list("text", flat=True))
    assert texts == [
        "【常客】Anna, 20% off this week at Riverside. Reply R to opt out. 拒收请回复R",
        "【常客】宝，本周八折。拒收请回复R",
    ]


@pytest.mark.parametrize(("kind", "is_personal"), [(CampaignKind.PUSH, False), (CampaignKind.WAKEUP, True)])
def test_a_programmes_texts_may_use_the_slots_kept(campaign, three_members, mei, kind, is_personal):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    runs.freeze(run_id=run.pk)
    Campaign.objects.update(kind=kind)  # the score chose nobody here

    runs.expand(run_id=run.pk, chunk=0, at=NOON)

    assert set(Message.objects.values_list("is_personal", flat=True)) == {is_personal}


def test_launching_freezing_and_expanding_twice_texts_once(campaign, three_members, mei):
    first = launching.launch(campaign=campaign, by=mei, at=NOON)
    second = launching.launch(campaign=campaign, by=mei, at=NOON)
    for _ in range(2):
        send(first)

    assert first == second
    assert Message.objects.count() == 3


def test_stopping_cancels_what_waits_and_expands_nothing_more(campaign, three_members, mei):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    send(run)

    cancelled = runs.stop(run=run, by=mei, at=NOON)

    assert cancelled == 2
    assert set(Message.objects.values_list("state", flat=True)) == {State.CANCELLED, State.SUPPRESSED}


def test_a_run_stopped_before_its_chunks_sends_nothing(campaign, three_members, mei):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    runs.freeze(run_id=run.pk)
    runs.stop(run=run, by=mei, at=NOON)

    runs.expand(run_id=run.pk, chunk=0, at=NOON)

    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"template": None}, "template"),
        ({"timing": Timing.DAILY, "at_time": None}, "at_time"),
        ({"timing": Timing.WEEKLY, "at_time": time(10), "start_on": None}, "start_on"),
        ({"timing": Timing.ONCE, "at_time": time(10), "start_on": date(2026, 11, 19)}, "start_on"),
    ],
)
def test_what_is_missing_is_named(campaign, mei, change, field):
    Campaign.objects.filter(pk=campaign.pk).update(**change)

    with pytest.raises(launching.NotLaunchable) as refusal:
        launching.launch(campaign=campaign, by=mei, at=NOON)

    assert refusal.value.field == field


def test_nobody_approves_their_own_marketing_text(mei):
    template = Template.objects.create(key="own", name="Own", message_class=MessageClass.MARKETING)
    draft = save_draft(template=template, language="en", text="20% off today", by=mei, at=NOON)

    with pytest.raises(SelfApproval):
        approve(version=draft, by=mei, at=NOON)


@pytest.mark.parametrize(
    ("timing", "start_on", "local", "due"),
    [
        (Timing.DAILY, None, "2026-11-20 09:59", ""),
        (Timing.DAILY, None, "2026-11-20 10:00", "2026-11-20"),
        (Timing.DAILY, None, "2026-11-20 12:59", "2026-11-20"),
        (Timing.DAILY, None, "2026-11-20 13:00", ""),
        (Timing.DAILY, date(2026, 11, 21), "2026-11-20 10:00", ""),
        (Timing.ONCE, date(2026, 11, 20), "2026-11-20 10:00", "once"),
        (Timing.ONCE, date(2026, 11, 20), "2026-11-21 10:00", ""),
        (Timing.WEEKLY, date(2026, 11, 6), "2026-11-20 10:00", "2026-11-20"),
        (Timing.WEEKLY, date(2026, 11, 6), "2026-11-21 10:00", ""),
        (Timing.MONTHLY, date(2026, 1, 31), "2026-02-28 10:00", "2026-02-28"),
        (Timing.MONTHLY, date(2026, 1, 31), "2026-03-30 10:00", ""),
    ],
)
def test_when_a_campaign_is_due(campaign, timing, start_on, local, due):
    campaign.timing, campaign.start_on, campaign.at_time = timing, start_on, time(10)

    at = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)

    assert launching.due_window(campaign, at) == due


def test_two_beats_start_one_run(campaign, mei):
    Campaign.objects.filter(pk=campaign.pk).update(
        timing=Timing.DAILY, at_time=time(10), status=CampaignStatus.ACTIVE
    )
    ten = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI)

    started = launching.tick(at=ten) + launching.tick(at=ten + timedelta(seconds=30))

    assert len(started) == 1
    assert launching.tick(at=ten + timedelta(days=1)) != []


def test_expanding_asks_the_same_number_of_questions_for_one_and_for_three(campaign, enrol, mei):
    def questions(phones: list[str]) -> int:
        for phone in phones:
            enrol(phone, language="en")
        fresh = Campaign.objects.create(
            name="n", store=campaign.store, template=campaign.template, created_by=mei
        )
        run = launching.launch(campaign=fresh, by=mei, at=NOON)
        runs.freeze(run_id=run.pk)
        with CaptureQueriesContext(connection) as asked:
            runs.expand(run_id=run.pk, chunk=0, at=NOON)
        return len(asked)

    assert questions(["13800138001"]) == questions(["13800138002", "13800138003"])


def test_a_programme_without_history_wakes_nobody(campaign, three_members, mei):
    Campaign.objects.filter(pk=campaign.pk).update(kind=CampaignKind.WAKEUP)
    run = launching.launch(campaign=campaign, by=mei, at=NOON)

    assert runs.freeze(run_id=run.pk) == {"recipients": 0, "chunks": 0}
    assert not Message.objects.exists()


def test_each_reads_their_own_balance_points_and_last_visit(
    campaign, enrol, mei, chen, product, at_till, riverside
):
    anna, bao = enrol("13800138001", name="Anna", language="en"), enrol("13800138002", language="en")
    card, _ = open_card(actor=at_till, key="anna", at=NOON, store=riverside, member=anna, product=product)
    cash = TenderPaid(TenderType.CASH, 20000)
    recharge_card(actor=at_till, key="r", at=NOON, store=riverside, card=card, tender=cash)
    MemberFacts.objects.filter(member=anna).update(last_visit_at=NOON - timedelta(days=12))
    wording = "{name|Hello}: {balance} and {points_balance} points wait, {days_away|some} days. 20% off!"
    draft = save_draft(template=campaign.template, language="en", text=wording, by=mei, at=NOON)
    approve(version=draft, by=chen, at=NOON)

    send(launching.launch(campaign=campaign, by=mei, at=NOON))

    texts = dict(Message.objects.values_list("phone", "text"))
    assert texts[anna.phone].startswith("【常客】Anna: ¥200.00 and 0 points wait, 12 days.")
    assert texts[bao.phone].startswith("【常客】Hello: ¥0.00 and 0 points wait, some days.")
