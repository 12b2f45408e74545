"""The live part of a run's page: the badge always says where the run is; the pace goes when nothing is left to leave."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.enums import RunStatus
from campaigns.models import Run
from messaging.models import Message
from messaging.states import Reason, State
from tests.crm.staff.campaigns.conftest import show
from tests.crm.staff.campaigns.test_runs import page_of

BADGE = re.compile(r'id="progress-h".*?<span class="badge[^"]*">(?:<svg.*?</svg>)?\s*(.*?)\s*</span>')


def badge_of(page: str) -> str:
    return BADGE.search(page)[1]


def left_just_now(state: State, **changes) -> None:
    """Every queued text went through the wire this second and is in this state now."""
    for step in (State.SUBMITTING, *([State.ACCEPTED] if state == State.DELIVERED else []), state):
        Message.objects.exclude(state=State.SUPPRESSED).update(state=step)
    Message.objects.exclude(state=State.SUPPRESSED).update(submitted_at=timezone.now(), **changes)


def test_all_settled_a_moment_ago_shows_no_pace(manager, sent_run):
    left_just_now(State.DELIVERED)

    page = page_of(show(manager, "run_detail", sent_run))

    assert "texts a second" not in page and "time left" not in page
    assert "All settled." in page and badge_of(page) == "Done"


def test_all_sent_a_moment_ago_waits_for_receipts_and_shows_no_pace(manager, sent_run):
    left_just_now(State.ACCEPTED)

    page = page_of(show(manager, "run_detail", sent_run))

    assert "texts a second" not in page and "All sent; receipts are still coming in." in page
    assert badge_of(page) == "Sent"


def test_while_texts_leave_the_pace_and_the_time_left_are_shown(manager, sent_run):
    first = Message.objects.filter(state=State.QUEUED).order_by("id").first()
    Message.objects.filter(pk=first.pk).update(state=State.SUBMITTING, submitted_at=timezone.now())

    page = page_of(show(manager, "run_detail", sent_run))

    assert "0.1 texts a second" in page and "time left" in page
    assert badge_of(page) == "Sending"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("status", "due_in", "reason", "said"),
    [
        (RunStatus.FREEZING, None, "", ("Choosing recipients", "正在选取接收人")),
        (RunStatus.SENDING, None, "", ("Sending", "发送中")),
        (RunStatus.DONE, None, "", ("Sending", "发送中")),
        (
            RunStatus.DONE,
            timedelta(hours=8),
            Reason.QUIET_HOURS,
            ("Waits for permitted hours", "等待允许时段"),
        ),
        (
            RunStatus.DONE,
            timedelta(hours=8),
            Reason.FREQUENCY,
            ("Waits for room under the limit", "等待次数限制放宽"),
        ),
        (RunStatus.STOPPED, None, "", ("Stopped", "已停止")),
    ],
)
def test_the_badge_is_never_empty(manager, sent_run, status, due_in, reason, said, language):
    manager.cookies["django_language"] = language
    Run.objects.filter(pk=sent_run.pk).update(status=status, finished_at=sent_run.started_at)
    if due_in:
        Message.objects.filter(state=State.QUEUED).update(due_at=timezone.now() + due_in, reason=reason)

    for name in ("run_detail", "run_progress"):
        assert badge_of(page_of(show(manager, name, sent_run))) == said[language != "en"]


def test_what_waits_for_room_under_the_limit_is_told_apart_from_what_waits_for_the_hours(manager, sent_run):
    waiting = Message.objects.filter(state=State.QUEUED).order_by("id")
    waiting.update(due_at=timezone.now() + timedelta(hours=8), reason=Reason.QUIET_HOURS)
    first = waiting.first()
    Message.objects.filter(pk=first.pk).update(reason=Reason.FREQUENCY)

    page = page_of(show(manager, "run_detail", sent_run))

    assert "1 text waits because its reader had as many marketing texts lately as the house allows" in page
    others = waiting.count() - 1
    assert re.search(rf"{others} texts? waits? for the permitted hours", page)
