"""What is sent is what the plan says: no wording of an earlier plan, however approved."""

from __future__ import annotations

import pytest
from constance.test import override_config

from campaigns.domain import drafting, launching, runs
from campaigns.domain.audiences import Audience
from campaigns.domain.launching import NotLaunchable
from campaigns.domain.preflight import preflight
from campaigns.enums import CampaignKind
from campaigns.models import Campaign
from members.models import Member
from messaging.models import Message
from tests.conftest import NOON

EN, ZH = "20% off this week at {store}.", "本周八折。"


@pytest.fixture
def approved(riverside, mei, chen):
    """A campaign whose wording in both languages was approved."""
    draft = drafting.create_draft(kind=CampaignKind.PUSH, store=riverside, name="Autumn", by=mei)
    draft = plan(draft, {"en": EN, "zh-hans": ZH})
    drafting.submit(campaign=draft, by=mei, at=NOON)
    drafting.approve(campaign=draft, by=chen, at=NOON)
    return draft


def plan(campaign: Campaign, wording: dict[str, str]) -> Campaign:
    return drafting.save_plan(campaign=campaign, audience=Audience(), wording=wording, changes={})


def test_a_language_taken_out_of_the_plan_is_not_sent(approved, enrol, mei):
    enrol("13800138002", name="宝", language="zh-hans")
    plan(approved, {"en": EN})

    run = launching.launch(campaign=approved, by=mei, at=NOON)
    runs.freeze(run_id=run.pk)
    runs.expand(run_id=run.pk, chunk=0, at=NOON)

    assert "20% off this week at Riverside." in Message.objects.get().text


def test_an_emptied_plan_is_not_launched_with_its_earlier_text(approved, li_lei, mei):
    approved = plan(approved, {})

    with pytest.raises(NotLaunchable) as refused:
        launching.launch(campaign=approved, by=mei, at=NOON)

    assert refused.value.field == "template"


@pytest.mark.parametrize("limit", ["MARKETING_PER_DAY", "MARKETING_PER_MONTH"])
def test_where_no_marketing_is_allowed_the_preflight_says_so(approved, li_lei, limit):
    with override_config(**{limit: 0}):
        seen = preflight(approved, Member.objects.all(), at=NOON)

    assert (seen.texts, seen.left_out) == (0, {"frequency": 1})
