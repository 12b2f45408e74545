"""The composer: a draft that saves itself, and nothing sent from a single click."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils.timezone import localtime

from campaigns.domain import drafting
from campaigns.enums import CampaignKind, CampaignStatus, Timing
from campaigns.models import Campaign, Run
from messaging.models import Message
from tests.conftest import NOON
from tests.crm.staff.campaigns.conftest import post, show, typed
from tests.crm.staff.conftest import at_work


@pytest.fixture
def writer(mei):
    """Mei's browser, asking for parts of pages."""
    return at_work(mei, htmx=True)


@pytest.fixture
def approver(ana):
    return at_work(ana, htmx=True)


def page_of(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize(
    ("kind", "timing"), [(CampaignKind.PUSH, Timing.NOW), (CampaignKind.WAKEUP, Timing.DAILY)]
)
def test_a_new_campaign_opens_in_the_composer(manager, riverside, kind, timing):
    response = manager.post(reverse("staff:create_campaign"), {"kind": kind})

    draft = Campaign.objects.get()
    assert (draft.kind, draft.timing, draft.store, draft.status) == (kind, timing, riverside, "draft")
    assert response["Location"] == reverse("staff:campaign_plan", args=[draft.public_id])
    assert show(manager, "campaign_plan", draft).status_code == 200


def test_what_is_typed_is_kept_and_counted(writer, draft, people):
    response = post(
        writer, "save_plan", draft, typed(draft, only_consenting="on", text_zh="{name|您好}，八折。")
    )

    draft.refresh_from_db()
    assert draft.audience == {"only_consenting": True}
    assert draft.wording["zh-hans"] == "{name|您好}，八折。"
    assert '<p class="who-now__count">2</p>' in page_of(response)
    assert response["HX-Trigger"] == "plan-saved"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("not_seen_days", "soon", "This must be a whole number."),
        ("not_seen_days", "99999", "less than or equal to 3650"),
        ("visits_min", "-3", "This must be a whole number."),
        ("spend_min_minor", "10.005", "The amount has too many decimal places."),
        ("at_time", "25:00", "Enter a valid time."),
        ("end_on", "2020-01-01", "The last day is before the first."),
        ("name", "", "This field is required."),
        ("timing", "hourly", "Select a valid choice."),
    ],
)
def test_a_field_that_makes_no_sense_says_so_and_holds_nothing_up(writer, draft, field, value, said):
    changes = {"seen_days": "30", "start_on": "2026-11-30", field: value}

    response = post(writer, "save_plan", draft, typed(draft, **changes))

    draft.refresh_from_db()
    slot = page_of(response).split(f'id="error-{field}"')[1].split("</ul>")[0]
    assert said in slot
    assert draft.audience == {"seen_days": 30}
    assert (draft.name, draft.timing, draft.end_on) == ("Autumn", Timing.NOW, None)
    assert f'name="{field}"' not in page_of(
        response
    )  # the input and what was typed stay untouched in the page


def test_seen_in_the_last_0_days_is_refused_and_does_not_mean_everybody(writer, draft):
    response = post(writer, "save_plan", draft, typed(draft, seen_days="0"))

    draft.refresh_from_db()
    slot = page_of(response).split('id="error-seen_days"')[1].split("</ul>")[0]
    assert "greater than or equal to 1" in slot
    assert "seen_days" not in draft.audience


def test_without_a_script_the_form_comes_back_as_typed(manager, draft):
    response = post(manager, "save_plan", draft, typed(draft, visits_min="many", name="Winter"))

    assert response.status_code == 422
    assert 'value="many"' in page_of(response)
    assert Campaign.objects.get().name == "Winter"


def test_a_broken_text_is_kept_as_typed_and_explained(writer, draft):
    response = post(writer, "save_plan", draft, typed(draft, text_en="{name, 20% off"))

    draft.refresh_from_db()
    assert draft.wording == {"en": "{name, 20% off"}
    slot = page_of(response).split('id="error-text_en"')[1].split("</ul>")[0]
    assert "A { is opened here and never closed." in slot


def test_a_plan_that_somebody_else_saved_meanwhile_is_not_overwritten_unasked(writer, draft):
    mine = typed(draft, name="Mine")
    drafting.save_plan(
        campaign=draft, audience=drafting.Audience(), wording=draft.wording, changes={"name": "Theirs"}
    )

    response = post(writer, "save_plan", draft, mine)
    assert Campaign.objects.get().name == "Theirs"
    assert "Somebody else has saved this plan" in page_of(response)

    post(writer, "save_plan", draft, mine | {"overwrite": "1"})
    assert Campaign.objects.get().name == "Mine"


def test_the_preview_counts_the_finished_text_by_the_chinese_rule(writer, draft, people):
    page = page_of(post(writer, "save_plan", draft, typed(draft, text_en="Hi {name|you} 😀", reader="usual")))

    assert "【常客】Hi Anna" in page
    assert "Reply R to opt out. 拒收请回复R" in page
    assert '<mark class="costly">😀</mark>' in page
    assert (
        "41 / 70 · UCS-2" in page
    )  # signature 4, "Hi Anna " 8, the emoji 2, " Reply R to opt out. 拒收请回复R" 27


@pytest.mark.parametrize(
    ("reader", "name"), [("longest", "Bartholomew"), ("other", "Bao"), ("nonsense", "Newest Anna")]
)
def test_the_preview_is_read_with_other_eyes(writer, draft, people, enrol, reader, name):
    enrol("13800138009", name="Bartholomew Featherstone", language="en")
    enrol("13800138010", name="Newest Anna", language="en")

    page = page_of(post(writer, "save_plan", draft, typed(draft, reader=reader)))

    assert f"【常客】{name}" in page


def test_a_name_cannot_bring_markup_into_the_preview(writer, draft, enrol):
    enrol("13800138009", name="<img src=x>", language="en")

    assert "<img" not in page_of(post(writer, "save_plan", draft, typed(draft)))


def test_the_waterfall_adds_up(writer, draft, people):
    page = page_of(show(writer, "campaign_preflight", draft))

    assert "The member has not agreed to these texts" in page
    assert ">3</span>" in page
    assert "−1</span>" in page
    assert ">2</span>" in page


def test_a_text_takes_two_people(writer, approver, draft, people, mei):
    asked = page_of(post(writer, "submit_text", draft, typed(draft)))
    assert "You wrote this text, so somebody else has to approve it." in asked
    version = drafting.waiting(draft)[0]

    own = page_of(post(writer, "approve_text", draft, {"versions": str(version.pk)}))
    assert "Somebody else has to approve a marketing text you wrote." in own
    assert not drafting.is_approved(draft)

    post(approver, "approve_text", draft, {"versions": str(version.pk)})
    assert drafting.is_approved(draft)


def test_the_list_tells_whose_text_waits(manager, draft):
    assert "Text waits for approval" not in page_of(manager.get(reverse("staff:campaign_list")))

    drafting.submit(campaign=draft, by=draft.created_by, at=NOON)

    assert "Text waits for approval" in page_of(manager.get(reverse("staff:campaign_list")))


def test_a_plan_with_a_wrong_field_is_not_launched(writer, approved):
    response = post(writer, "ask_launch", approved, typed(approved, visits_min="many"))

    assert "Put the marked fields right first." in page_of(response)
    assert "launch-dialog" not in page_of(response)


def test_one_approves_what_one_has_read(writer, approver, draft):
    post(writer, "submit_text", draft, typed(draft))
    read = str(drafting.waiting(draft)[0].pk)
    post(writer, "submit_text", draft, typed(draft, text_en="40% off"))

    response = post(approver, "approve_text", draft, {"versions": read})

    draft.refresh_from_db()
    assert "The text has been changed meanwhile." in page_of(response)
    assert not drafting.is_approved(draft)


def test_asking_to_launch_says_what_will_happen_and_sends_nothing(writer, approved, people):
    page = page_of(post(writer, "ask_launch", approved, typed(approved)))

    assert "Launch “Autumn”?" in page
    assert "Send 2 texts" in page
    assert not Run.objects.exists()


def test_launching_twice_starts_one_run(manager, approved, people):
    seen = typed(approved)["seen"]

    first = post(manager, "launch_campaign", approved, {"seen": seen})
    second = post(manager, "launch_campaign", approved, {"seen": seen})

    run = Run.objects.get()
    assert first["Location"] == second["Location"] == reverse("staff:run_detail", args=[run.public_id])
    assert not Message.objects.exists()  # the worker chooses the recipients after the commit


def test_what_was_changed_after_the_dialog_is_not_launched(manager, approved):
    seen = typed(approved)["seen"]
    Campaign.objects.update(audience={"visits_min": 1})

    response = post(manager, "launch_campaign", approved, {"seen": seen})

    assert response.status_code == 422
    assert "The plan has been changed meanwhile." in page_of(response)
    assert not Run.objects.exists()


def test_a_refusal_stands_beside_its_field(writer, approved):
    plan = typed(approved, timing="weekly", at_time="10:00")

    response = post(writer, "ask_launch", approved, plan)

    slot = page_of(response).split('id="error-start_on"')[1].split("</ul>")[0]
    assert "Choose a day." in slot
    assert '"slot": "start_on"' in response["HX-Trigger-After-Settle"]


def test_a_text_nobody_approved_is_not_launched(manager, draft):
    response = post(manager, "launch_campaign", draft, {"seen": typed(draft)["seen"]})

    assert response.status_code == 422
    assert "The text has not been approved yet." in page_of(response)
    assert Campaign.objects.get().status == CampaignStatus.DRAFT


def test_a_scheduled_campaign_becomes_active_and_names_its_next_run(manager, approved):
    Campaign.objects.update(timing=Timing.DAILY, at_time=time(10))

    response = post(manager, "launch_campaign", approved, {"seen": typed(approved)["seen"]})

    assert response["Location"] == reverse("staff:campaign_detail", args=[approved.public_id])
    page = page_of(show(manager, "campaign_detail", approved))
    assert "Every day at 10:00" in page
    assert "Pause" in page
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("days_ago", "said"), [(0, "It starts by itself as soon as"), (1, "nobody was texted")]
)
def test_a_run_that_waits_for_money_is_told_where_the_marketer_looks(manager, approved, days_ago, said):
    begun = localtime(timezone=ZoneInfo(approved.store.timezone)) - timedelta(minutes=1, days=days_ago)
    Campaign.objects.update(
        timing=Timing.DAILY,
        at_time=begun.time().replace(second=0, microsecond=0),
        status=CampaignStatus.ACTIVE,
        unpaid_window=begun.date().isoformat(),
    )

    page = page_of(show(manager, "campaign_detail", approved))

    assert "The budget is used up: a run has not started." in page and said in page
    assert "The budget is used up" in page_of(manager.get(reverse("staff:campaign_list")))


def test_a_launched_campaign_leaves_the_composer(writer, manager, sent_run):
    campaign = sent_run.campaign

    assert show(manager, "campaign_plan", campaign).status_code == 302
    late = post(writer, "save_plan", campaign, typed(campaign, name="Late"))
    assert "This campaign has been launched" in page_of(late)
    assert Campaign.objects.get().name == "Autumn"


def test_a_text_shared_with_others_is_never_changed_for_them(writer, riverside, mei, approved):
    other = Campaign.objects.create(name="Other", store=riverside, template=approved.template, created_by=mei)

    post(writer, "save_plan", other, typed(other, text_en="Only mine"))

    other.refresh_from_db()
    assert other.template != approved.template
    assert drafting.is_approved(approved)


def test_a_programme_tells_who_is_due(writer, riverside, mei):
    programme = drafting.create_draft(kind=CampaignKind.WAKEUP, store=riverside, name="Come back", by=mei)

    assert "Nobody is late against their own cadence now." in page_of(
        show(writer, "campaign_preflight", programme)
    )


def test_a_copy_is_a_draft_that_needs_its_own_approval(manager, sent_run):
    post(manager, "copy_campaign", sent_run.campaign)

    copy = Campaign.objects.get(status=CampaignStatus.DRAFT)
    assert (copy.name, copy.wording) == ("Copy of Autumn", sent_run.campaign.wording)
    assert not drafting.is_approved(copy)


def test_pausing_and_resuming(manager, approved):
    Campaign.objects.update(
        status=CampaignStatus.ACTIVE, timing=Timing.DAILY, at_time=time(10), launched_at=NOON
    )

    post(manager, "pause_campaign", approved)
    assert Campaign.objects.get().status == CampaignStatus.PAUSED
    post(manager, "resume_campaign", approved)
    assert Campaign.objects.get().status == CampaignStatus.ACTIVE
