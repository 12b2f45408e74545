"""A real purchase history goes in, and a wake-up run works on it: the CDNOW sample (2,357 people, 6,919 purchases)."""

from datetime import datetime, time
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command

from campaigns.enums import CampaignKind, CampaignStatus, Timing
from campaigns.models import Campaign, Recipient
from members.models import Member, MembershipEvent, Purchase
from messaging.domain.texts import approve, save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
from messaging.states import Reason
from tests.conftest import NOON

CDNOW = settings.BASE_DIR.parent / "shared" / "data" / "cdnow"
pytestmark = pytest.mark.skipif(not CDNOW.exists(), reason="the CDNOW files are not beside the project")


@pytest.fixture
def imported(riverside):
    for command, file in (("import_members", "members.csv"), ("import_purchases", "purchases.csv")):
        call_command(command, str(CDNOW / file), store="Riverside", stdout=StringIO())


@pytest.fixture
def wakeup(riverside, mei, chen):
    template = Template.objects.create(key="wake", name="Wake", message_class=MessageClass.MARKETING)
    draft = save_draft(template=template, language="en", text="We miss you at {store}.", by=mei, at=NOON)
    approve(version=draft, by=chen, at=NOON)
    return Campaign.objects.create(
        name="Come back",
        kind=CampaignKind.WAKEUP,
        store=riverside,
        template=template,
        timing=Timing.DAILY,
        at_time=time(10),
        status=CampaignStatus.ACTIVE,
        created_by=mei,
    )


def test_the_history_goes_in_whole_and_texts_nobody(imported):
    assert Member.objects.count() == 2357
    assert Purchase.objects.count() == 6919
    assert not Message.objects.exists()
    assert not MembershipEvent.objects.exists()


def test_a_run_as_of_the_past_scores_who_is_late_and_texts_nobody_without_consent(imported, wakeup):
    call_command("run_campaign", "Come back", as_of=datetime(1997, 9, 30).date(), stdout=StringIO())

    recipients = Recipient.objects.all()
    assert 100 < recipients.count() < 946
    assert recipients.filter(score=None).count() == 0
    assert set(Message.objects.values_list("reason", flat=True)) == {Reason.NO_CONSENT}
    end = datetime(1997, 9, 30, 23, 59, 59, 999999, ZoneInfo("Asia/Shanghai"))
    last_visits = [
        member.purchases.filter(at__lte=end).latest("at").at
        for member in Member.objects.filter(pk__in=recipients.values("member_id")[:50])
    ]
    assert all((end - at).days >= 14 for at in last_visits)


def test_the_members_who_agreed_are_texted(imported, wakeup, riverside):
    Member.objects.update(has_marketing_consent=True, language="en")

    call_command("run_campaign", "Come back", as_of=datetime(1997, 9, 30).date(), stdout=StringIO())

    messages = Message.objects.all()
    assert messages.filter(state="queued").count() == Recipient.objects.count() > 100
    assert messages.first().text == "【常客】We miss you at Riverside. Reply R to opt out. 拒收请回复R"
