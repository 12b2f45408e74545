"""What is done in the set-up outside a form stands in the audit log as well."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from campaigns.models import TriggerRule
from members.models import AuditEntry


def test_switching_rules_in_the_list_is_written_down(manager, mei, welcome, riverside):
    rule = TriggerRule.objects.create(
        name="On a spend", event_type="card_spent", template=welcome, store=riverside
    )
    chosen = {"action": "switch_off", "_selected_action": [rule.pk]}

    for _time in range(2):
        manager.post(reverse("admin:campaigns_triggerrule_changelist"), chosen)

    entry = AuditEntry.objects.get(subject_type="triggerrule")
    assert (entry.staff, entry.before, entry.after) == (mei, {"is_on": True}, {"is_on": False})


@pytest.fixture
def tick(db):
    every, _new = IntervalSchedule.objects.get_or_create(every=1, period="hours")
    return PeriodicTask.objects.create(name="tick", task="members.tasks.fold_tiers", interval=every)


def test_changing_the_schedule_is_written_down(boss, tick):
    form = {
        "name": "tick",
        "task": tick.task,
        "interval": tick.interval_id,
        "args": "[]",
        "kwargs": "{}",
        "priority": "",
    }
    answer = boss.post(reverse("admin:django_celery_beat_periodictask_change", args=[tick.pk]), form)
    assert answer.status_code == 302, answer.context["errors"]

    entry = AuditEntry.objects.get(subject_type="periodictask")
    assert (entry.verb, entry.before["enabled"], entry.after["enabled"]) == ("changed", True, False)


def test_taking_a_time_off_the_schedule_is_written_down(boss, tick):
    boss.post(reverse("admin:django_celery_beat_periodictask_delete", args=[tick.pk]), {"post": "yes"})

    assert AuditEntry.objects.get(subject_type="periodictask").verb == "removed"


def test_switching_the_schedule_off_in_the_list_is_written_down(boss, tick):
    boss.post(
        reverse("admin:django_celery_beat_periodictask_changelist"),
        {"action": "disable_tasks", "_selected_action": [tick.pk]},
    )
    tick.refresh_from_db()
    assert not tick.enabled
    entry = AuditEntry.objects.get(subject_type="periodictask")
    assert entry.after == {"action": "disable_tasks", "enabled": False}
