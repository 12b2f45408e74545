"""What is paused waits; a database that went back in time stops everything."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command

from messaging.domain import alerts, pauses, restoring
from messaging.enums import MessageClass
from messaging.models import Gateway, Heartbeat, Message, Pause
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, main_gateway, message, write, yes

MARKETING, NOTIFICATION = MessageClass.MARKETING, MessageClass.NOTIFICATION


@pytest.fixture
def db(committed_db):
    """A dispatcher's connections see what the test writes."""


@pytest.fixture
def gateway(db) -> Gateway:
    return main_gateway()


@pytest.fixture
def data_dir(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    return tmp_path


def claimed(lease) -> set[str]:
    return {row.message_class for row in claim_now(lease, NOON).claimed}


@pytest.mark.parametrize(
    ("message_class", "of_gateway", "left"),
    [
        (MARKETING, False, {NOTIFICATION}),
        (NOTIFICATION, False, {MARKETING}),
        ("", True, set()),
        ("", False, set()),
    ],
)
def test_what_is_paused_waits_and_then_goes_on(gateway, li_lei, mei, message_class, of_gateway, left):
    message(li_lei, MARKETING, NOON, run=1)
    message(li_lei, NOTIFICATION, NOON, run=2)
    lease = hold()
    meant = {
        "gateway": gateway if of_gateway else None,
        "message_class": message_class,
        "by": mei,
        "at": NOON,
    }
    pauses.pause(**meant)

    assert claimed(lease) == left

    pauses.resume(**meant)
    assert claimed(lease) == {MARKETING, NOTIFICATION} - left


def test_another_gateways_pause_is_not_ours(gateway, li_lei, mei):
    other = Gateway.objects.create(name="Other", host="127.0.0.1", port=2776, system_id="x", is_active=False)
    message(li_lei, NOTIFICATION, NOON)
    lease = hold()

    pauses.pause(gateway=other, message_class="", by=mei, at=NOON)

    assert claimed(lease) == {NOTIFICATION}


def go_back(rows: list[dict]) -> None:
    """What a restore does to the heartbeat."""
    Heartbeat.objects.all().delete()
    Heartbeat.objects.bulk_create([Heartbeat(**row) for row in rows])


def test_a_database_that_went_back_is_stopped_and_no_marketing_is_sent_again(gateway, li_lei, mei, data_dir):
    """The backup is taken while a text waits; the text goes out; the backup is restored."""
    text = message(li_lei, MARKETING, NOON, run=1)
    message(li_lei, NOTIFICATION, NOON, run=2)
    restoring.tick(at=NOON)
    backup = list(Heartbeat.objects.values())
    lease = hold()
    for sent in claim_now(lease, NOON).claimed:
        write(lease, [yes(sent.attempt_id, f"id-{sent.attempt_id}")])
    restoring.tick(at=NOON + timedelta(seconds=30))
    assert not restoring.look(at=NOON)

    go_back(backup)
    Message.objects.all().delete()
    text = message(li_lei, MARKETING, NOON, run=1, created_at=NOON)
    message(li_lei, NOTIFICATION, NOON, run=2)

    assert restoring.look(at=NOON + timedelta(minutes=1))
    assert not restoring.look(at=NOON + timedelta(minutes=1))
    fresh = Gateway.objects.get()
    assert fresh.lease_epoch == lease.epoch + 1
    assert claim_now(lease, NOON).claimed == []
    text.refresh_from_db()
    assert (text.state, text.reason) == (State.HELD, Reason.RESTORED)

    restoring.resume(with_marketing=False, by=mei, at=NOON)
    assert claimed(hold()) == {NOTIFICATION}
    restoring.resume(with_marketing=True, by=mei, at=NOON)
    Gateway.objects.update(lease_until=None)
    assert claimed(hold()) == set()
    alerts.watch(at=NOON)


def test_marketing_written_after_a_restore_waits_for_the_second_word(gateway, li_lei, mei, data_dir):
    call_command("after_restore")
    restoring.resume(with_marketing=False, by=mei, at=NOON)
    message(li_lei, MARKETING, NOON)

    assert claimed(hold()) == set()
    assert list(Pause.objects.values_list("message_class", flat=True)) == [MARKETING]


@pytest.mark.parametrize("file", ["", "{", '{"identity": "x", "count": 9}', '{"count": 9}', "[]"])
def test_a_file_that_says_nothing_stops_nothing(gateway, data_dir, file):
    restoring.tick(at=NOON)
    restoring.marker().write_text(file)

    assert not restoring.look(at=NOON)


def test_another_database_is_not_an_earlier_one(gateway, data_dir):
    restoring.tick(at=NOON)
    known = json.loads(restoring.marker().read_text())
    known |= {"identity": "00000000-0000-0000-0000-000000000001", "count": 999}
    restoring.marker().write_text(json.dumps(known))

    assert not restoring.look(at=NOON)
