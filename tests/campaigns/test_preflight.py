"""What a launch would do, before it does it."""

from datetime import timedelta

import pytest

from campaigns.domain import launching, runs
from campaigns.domain.audiences import Audience
from campaigns.domain.drafting import NotADraft, NoWording, approve, create_draft, save_plan, submit
from campaigns.domain.preflight import preflight
from campaigns.enums import CampaignKind
from members.domain.enrolment import phone_hash
from messaging.domain.outbox import enqueue
from messaging.domain.texts import SelfApproval
from messaging.models import Suppression
from messaging.states import Reason
from tests.campaigns.test_run_edges import due
from tests.conftest import NOON
from tests.messaging.test_outbox import draft as text_to


@pytest.fixture
def draft(riverside, mei):
    campaign = create_draft(kind=CampaignKind.PUSH, store=riverside, name="Autumn", by=mei)
    wording = {"en": "{name|Hello}, 20% off this week."}
    return save_plan(campaign=campaign, audience=Audience(), wording=wording, changes={})


@pytest.fixture
def people(enrol):
    anna = enrol("13800138001", name="Anna", language="en")
    enrol("13800138002", name="Bao", marketing=False)
    cui = enrol("13800138003", name="Cui")
    Suppression.objects.create(phone_hash=phone_hash(cui.phone), source="text", at=NOON)
    return anna


def everyone(campaign):
    return Audience().members(campaign.store, at=NOON)


def test_the_exclusions_and_the_texts_add_up_to_the_audience(draft, people):
    result = preflight(draft, everyone(draft), at=NOON)

    assert (result.audience, result.texts) == (3, 1)
    assert result.left_out == {Reason.NO_CONSENT: 1, Reason.OPTED_OUT: 1}
    assert (result.parts_median, result.parts_max, result.parts_total) == (1, 1, 1)


def test_who_was_texted_today_is_left_out_of_the_next(draft, people, mei, chen, riverside):
    submit(campaign=draft, by=mei, at=NOON)
    approve(campaign=draft, by=chen, at=NOON)
    run = launching.launch(campaign=draft, by=mei, at=NOON)
    runs.freeze(run_id=run.pk)
    runs.expand(run_id=run.pk, chunk=0, at=NOON)
    second = create_draft(kind=CampaignKind.PUSH, store=riverside, name="Again", by=mei)

    assert preflight(second, everyone(second), at=NOON).left_out[Reason.FREQUENCY] == 1


@pytest.mark.parametrize(
    ("kind", "left_out"), [(CampaignKind.PUSH, {Reason.FREQUENCY: 1}), (CampaignKind.WAKEUP, {})]
)
def test_only_a_programme_may_use_the_last_slot_of_the_month(riverside, mei, li_lei, kind, left_out):
    for number in reversed(range(5)):
        enqueue([text_to(li_lei, cause_id=number)], at=NOON - timedelta(days=3 + number * 3))
    campaign = create_draft(kind=kind, store=riverside, name="Come back", by=mei)

    result = preflight(campaign, everyone(campaign), at=NOON, assessment=due(li_lei))

    assert result.left_out == left_out


def test_an_unchanged_wording_makes_no_new_version(draft, mei):
    first = submit(campaign=draft, by=mei, at=NOON)

    assert [version.number for version in first] == [1]
    assert submit(campaign=draft, by=mei, at=NOON) == []


def test_nobody_approves_their_own_wording(draft, mei):
    submit(campaign=draft, by=mei, at=NOON)

    with pytest.raises(SelfApproval):
        approve(campaign=draft, by=mei, at=NOON)


def test_a_wording_changed_after_approval_is_not_launched(draft, mei, chen):
    submit(campaign=draft, by=mei, at=NOON)
    approve(campaign=draft, by=chen, at=NOON)
    save_plan(campaign=draft, audience=Audience(), wording={"en": "40% off"}, changes={})

    with pytest.raises(launching.NotLaunchable):
        launching.launch(campaign=draft, by=mei, at=NOON)


def test_an_empty_plan_has_nothing_to_approve(riverside, mei):
    empty = create_draft(kind=CampaignKind.PUSH, store=riverside, name="Empty", by=mei)

    with pytest.raises(NoWording):
        submit(campaign=empty, by=mei, at=NOON)


def test_a_launched_campaign_keeps_its_plan(draft, people, mei, chen):
    submit(campaign=draft, by=mei, at=NOON)
    approve(campaign=draft, by=chen, at=NOON)
    launching.launch(campaign=draft, by=mei, at=NOON)

    with pytest.raises(NotADraft):
        save_plan(campaign=draft, audience=Audience(), wording={}, changes={"name": "Other"})


def test_a_programme_without_history_would_text_nobody(riverside, mei, people):
    programme = create_draft(kind=CampaignKind.WAKEUP, store=riverside, name="Come back", by=mei)

    assert preflight(programme, everyone(programme), at=NOON).audience == 0
