"""The pages about texts: the board, the search, one text's story, what stands still, the budget, the alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from campaigns.enums import RunStatus
from campaigns.models import Campaign, Run
from members.enums import Role
from members.models import AuditEntry, MembershipEvent, Staff, Store
from messaging.domain import alerts, budgets, restoring, tallies
from messaging.enums import BindState, Cause, MessageClass
from messaging.models import (
    Alert,
    AlertKind,
    Attempt,
    Budget,
    Gateway,
    Message,
    Pause,
    Receipt,
    SubmittedPart,
)
from messaging.states import Reason, State
from tests.conftest import NOON, employ
from tests.crm.staff.conftest import at_work, queries_of, text_of
from tests.messaging.domain.desk import message

NOTIFICATION, MARKETING = MessageClass.NOTIFICATION, MessageClass.MARKETING


@pytest.fixture
def gateway(db) -> Gateway:
    return Gateway.objects.create(
        name="Main", host="127.0.0.1", port=2775, system_id="x", price_minor=4, bind_state=BindState.BOUND
    )


@pytest.fixture
def boss(riverside: Store) -> Staff:
    """Bao owns Riverside, the only store."""
    return employ(riverside, "bao", Role.OWNER)


@pytest.fixture
def owner(boss):
    return at_work(boss)


def sent(
    member,
    gateway,
    *,
    run=1,
    state=State.DELIVERED,
    message_class=NOTIFICATION,
    outcome="accepted",
    raw="0x00",
):
    """A text that was tried a minute ago, with its part and its report."""
    now = timezone.now()
    text = message(
        member,
        message_class,
        now,
        run=run,
        state=state,
        attempts=1,
        gateway=gateway,
        submitted_at=now - timedelta(minutes=1),
        created_at=now - timedelta(minutes=2),
    )
    tried = Attempt.objects.create(
        message=text,
        number=1,
        gateway=gateway,
        epoch=1,
        outcome=outcome,
        raw_status=raw,
        started_at=now - timedelta(seconds=50),
        answered_at=now - timedelta(seconds=49),
    )
    if outcome == "accepted":
        SubmittedPart.objects.create(
            message=text,
            attempt=tried,
            gateway=gateway,
            part=1,
            provider_id=f"id-{text.pk}",
            outcome="delivered",
        )
        Receipt.objects.create(
            gateway=gateway,
            provider_id=f"id-{text.pk}",
            stat="DELIVRD",
            outcome="delivered",
            is_final=True,
            raw=f"id:id-{text.pk} stat:DELIVRD text:Hello",
            received_at=now - timedelta(seconds=45),
            matched_at=now,
        )
    return text


# --- the board


def test_the_board_says_what_each_gateway_does(owner, gateway, li_lei):
    sent(li_lei, gateway)
    sent(li_lei, gateway, run=2, state=State.REJECTED, outcome="permanent", raw="0x0B")
    tallies.count(at=timezone.now())

    said = text_of(owner.get("/messages/gateways/"))

    assert "Main" in said and "Connected" in said
    assert "The number does not exist or is not served" in said
    assert "4.0 s · 4.0 s" in said
    assert "0.04" in said


def test_the_board_costs_the_same_with_more_texts(owner, gateway, li_lei):
    sent(li_lei, gateway)
    few = queries_of(owner, "/messages/gateways/live/")
    for run in (2, 3):
        sent(li_lei, gateway, run=run, state=State.UNCERTAIN, outcome="uncertain", raw="timeout")

    assert queries_of(owner, "/messages/gateways/live/") == few


def test_a_paused_class_waits_and_goes_on_and_both_are_written_down(owner, gateway, li_lei):
    message(li_lei, MARKETING, timezone.now())

    assert "1 queued text will wait." in text_of(owner.get("/messages/gateways/marketing/pause/"))
    owner.post("/messages/gateways/marketing/pause/")

    assert Pause.objects.get().message_class == MARKETING
    assert "Told to wait" in text_of(owner.get("/messages/gateways/"))
    owner.post("/messages/gateways/marketing/resume/")
    assert not Pause.objects.exists()
    said = AuditEntry.objects.filter(verb__startswith="texts_").order_by("seq").values_list("verb", flat=True)
    assert list(said) == ["texts_paused", "texts_resumed"]


@pytest.mark.parametrize("what", ["nothing", "99999999", "marketing2", "-1"])
def test_nothing_else_can_be_paused(owner, gateway, what):
    assert owner.post(f"/messages/gateways/{what}/pause/").status_code == 404


def test_who_owns_one_of_two_stores_lets_nothing_wait(owner, gateway, hilltop):
    assert owner.post("/messages/gateways/marketing/pause/").status_code == 403
    assert "Pause…" not in text_of(owner.get("/messages/gateways/"))


def test_a_cashier_does_not_see_the_board(cashier, gateway):
    assert cashier.get("/messages/gateways/").status_code == 403
    assert cashier.get("/messages/standing/").status_code == 403


# --- search


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "13800138000"}, True),
        ({"q": "+86 138 0013 8000"}, True),
        ({"q": "8000"}, True),
        ({"q": "Li Lei"}, True),
        ({"q": "13900139000"}, False),
        ({"q": "9999"}, False),
        ({"q": "nobody"}, False),
        ({"q": "%_'"}, False),
        ({"state": "delivered"}, True),
        ({"state": "failed"}, False),
        ({"message_class": "notification"}, True),
        ({"message_class": "marketing"}, False),
        ({"reason": "budget"}, False),
        ({"since": "2000-01-01"}, True),
        ({"until": "2000-01-01"}, False),
        ({"since": "not a day"}, True),
        ({"state": "no state"}, True),
        ({"after": "0"}, False),
    ],
)
def test_a_text_is_found(owner, gateway, li_lei, asked, found):
    text = sent(li_lei, gateway)

    response = owner.get("/messages/", asked)

    assert response.status_code == 200
    assert (str(text.public_id) in text_of(response)) == found
    assert "13800138000" not in text_of(response).replace(asked.get("q", ""), "")


def test_a_text_is_found_by_its_number_and_by_the_carriers(owner, gateway, li_lei):
    text = sent(li_lei, gateway)
    other = sent(li_lei, gateway, run=2)

    for query in (str(text.public_id), f"id-{text.pk}"):
        said = text_of(owner.get("/messages/", {"q": query}))
        assert f"/messages/{text.public_id}/" in said and f"/messages/{other.public_id}/" not in said


def test_another_stores_text_is_not_found(gateway, li_lei, wang):
    text = sent(li_lei, gateway)
    stranger = at_work(wang)

    for query in (str(text.public_id), f"id-{text.pk}", li_lei.phone, "8000"):
        assert f"/messages/{text.public_id}/" not in text_of(stranger.get("/messages/", {"q": query}))
    assert stranger.get(f"/messages/{text.public_id}/").status_code == 404


def test_the_list_costs_the_same_with_more_texts(owner, gateway, li_lei):
    sent(li_lei, gateway)
    few = queries_of(owner, "/messages/")
    for run in (2, 3):
        sent(li_lei, gateway, run=run)

    assert queries_of(owner, "/messages/") == few


def test_the_export_is_what_the_page_shows_masked_and_written_down(owner, gateway, li_lei):
    Message.objects.filter(pk=sent(li_lei, gateway).pk).update(text="=1+1")

    said = owner.get("/messages/export/", {"q": "13800138000"}).content.decode()

    assert "'=1+1" in said and "13800138000" not in said and "8000" in said
    assert AuditEntry.objects.get(verb="exported").after["asked"]["q"] != "13800138000"


def test_a_cashier_exports_nothing(cashier):
    assert cashier.get("/messages/export/").status_code == 403


# --- the story


def test_the_auditor_reads_the_whole_story_and_who_read_it_before(auditor, cashier, gateway, li_lei):
    text = sent(li_lei, gateway)
    cashier.get(f"/messages/{text.public_id}/")
    cashier.get(f"/messages/{text.public_id}/")

    said = text_of(auditor.get(f"/messages/{text.public_id}/"))

    assert "The carrier took it" in said and "stat:DELIVRD" in said and "text:Hello" not in said
    assert "0.04" in said and "Chen" in said
    assert "Consent" in said and "2026-11" in said
    assert AuditEntry.objects.filter(verb="message_read").count() == 2


def test_the_event_and_the_language_are_told_in_words(auditor, gateway, li_lei, riverside):
    text = sent(li_lei, gateway)
    event = MembershipEvent.objects.create(
        type="tier_changed", member=li_lei, store=riverside, at=timezone.now(), payload={}
    )
    Message.objects.filter(pk=text.pk).update(event=event, language="zh-hans")

    said = text_of(auditor.get(f"/messages/{text.public_id}/"))

    assert "Tier changed" in said and "tier_changed" not in said
    assert "Simplified Chinese" in said and "zh-hans</dd>" not in said


def test_what_was_done_is_told_once(owner, gateway):
    owner.post("/messages/gateways/marketing/pause/")

    assert text_of(owner.get("/messages/gateways/")).count("0 queued texts wait.") == 1


def test_a_cashier_is_not_told_who_read_it(cashier, gateway, li_lei):
    assert "Who has read it" not in text_of(cashier.get(f"/messages/{sent(li_lei, gateway).public_id}/"))


# --- what stands still


def standing(member, state, message_class=NOTIFICATION, *, run=1, reason="", copies=(), gateway=None, **more):
    now = timezone.now()
    text = message(
        member,
        message_class,
        now - timedelta(minutes=5),
        run=run,
        state=state,
        reason=reason,
        attempts=len(copies),
        submitted_at=now - timedelta(minutes=4),
        expires_at=now + timedelta(hours=1),
        **more,
    )
    for number, outcome in enumerate(copies, 1):
        Attempt.objects.create(message=text, number=number, gateway=gateway, epoch=1, outcome=outcome)
    return text


@pytest.mark.parametrize(
    ("kind", "state", "message_class", "copies", "more", "after"),
    [
        ("quarantined", State.QUARANTINED, NOTIFICATION, ("uncertain",), {}, State.QUEUED),
        ("quarantined", State.QUARANTINED, NOTIFICATION, ("uncertain", "uncertain"), {}, State.QUARANTINED),
        ("quarantined", State.QUARANTINED, MARKETING, ("uncertain",), {}, State.QUARANTINED),
        ("quarantined", State.QUARANTINED, MARKETING, (), {}, State.QUEUED),
        ("uncertain", State.UNCERTAIN, NOTIFICATION, ("uncertain",), {}, State.QUEUED),
        ("uncertain", State.UNCERTAIN, NOTIFICATION, ("uncertain",), {"cause": Cause.REPLY}, State.UNCERTAIN),
        ("uncertain", State.UNCERTAIN, MARKETING, ("uncertain",), {}, State.UNCERTAIN),
        ("restored", State.HELD, MARKETING, (), {"reason": Reason.RESTORED}, State.QUEUED),
    ],
)
def test_only_what_its_class_allows_is_released(
    owner, gateway, li_lei, kind, state, message_class, copies, more, after
):
    text = standing(li_lei, state, message_class, copies=copies, gateway=gateway, **more)

    asked = text_of(
        owner.post("/messages/standing/decide/", {"kind": kind, "deed": "release", "text": text.pk})
    )
    owner.post(
        "/messages/standing/decide/", {"kind": kind, "deed": "release", "text": text.pk, "sure": "yes"}
    )

    text.refresh_from_db()
    assert text.state == after
    assert ("Release 1 text" in asked) == (after == State.QUEUED)


@pytest.fixture
def run(riverside: Store, mei: Staff) -> Run:
    campaign = Campaign.objects.create(name="Autumn", store=riverside, created_by=mei)
    return Run.objects.create(
        campaign=campaign, window="once", status=RunStatus.STOPPED, as_of=NOON, started_at=NOON
    )


def test_what_a_stopped_run_wrote_is_told_as_cancelled_not_as_released(owner, gateway, li_lei, enrol, run):
    """Release every text held, of which one is of a run that was stopped meanwhile."""
    standing(li_lei, State.HELD, MARKETING, run=run.pk + 1, reason=Reason.RESTORED)
    standing(enrol("13800138002"), State.HELD, MARKETING, run=run.pk, reason=Reason.RESTORED)
    form = {"kind": "restored", "deed": "release", "all": "yes"}

    asked = text_of(owner.post("/messages/standing/decide/", form))
    told = text_of(owner.post("/messages/standing/decide/", form | {"sure": "yes"}, follow=True))

    assert "1 text goes back" in asked and "1 is cancelled instead" in asked
    assert "1 text is queued again. 1 was cancelled: its run was stopped." in told
    assert AuditEntry.objects.latest("id").after == {"texts": 1, "cancelled": 1}
    assert set(Message.objects.values_list("state", flat=True)) == {State.QUEUED, State.CANCELLED}


def test_a_restore_counts_as_held_what_is_held(gateway, li_lei, enrol, run, tmp_path, monkeypatch):
    """A text of a stopped run that the backup still has waiting is cancelled; the other ones are held all the same."""
    monkeypatch.setattr(restoring, "HELD_AT_ONCE", 1)
    message(enrol("13800138002"), MARKETING, NOON, run=run.pk, created_at=NOON)
    message(li_lei, MARKETING, NOON, run=run.pk + 1, created_at=NOON)

    with override_settings(DATA_DIR=tmp_path):
        stopped = restoring.after_restore(by=None, at=timezone.now())

    assert stopped.held == Message.objects.filter(state=State.HELD).count() == 1


def test_many_are_given_up_at_once_and_it_is_written_down(owner, gateway, li_lei):
    for run in (1, 2, 3):
        standing(li_lei, State.HELD, MARKETING, run=run, reason=Reason.RESTORED)

    owner.post(
        "/messages/standing/decide/", {"kind": "restored", "deed": "give_up", "all": "yes", "sure": "yes"}
    )

    assert Message.objects.filter(state=State.CANCELLED, final_at__isnull=False).count() == 3
    assert AuditEntry.objects.get(verb="texts_dropped").after == {"texts": 3}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"kind": "uncertain", "deed": "give_up"}, 403),
        ({"kind": "unknown", "deed": "release"}, 403),
        ({"kind": "orphans", "deed": "release"}, 404),
        ({"kind": "uncertain", "deed": "resend"}, 404),
        ({"kind": "quarantined", "deed": "release"}, 422),
        ({"kind": "quarantined", "deed": "release", "text": ["x", "-1", "9" * 30]}, 422),
    ],
)
def test_nothing_else_is_decided(owner, gateway, li_lei, form, status):
    standing(li_lei, State.UNCERTAIN, copies=("uncertain",), gateway=gateway)

    assert owner.post("/messages/standing/decide/", form).status_code == status


def test_another_stores_texts_are_neither_counted_nor_released(gateway, li_lei, hilltop):
    text = standing(li_lei, State.QUARANTINED)
    stranger = at_work(employ(hilltop, "hu", Role.OWNER))

    form = {"kind": "quarantined", "deed": "release", "text": text.pk, "sure": "yes"}
    assert stranger.post("/messages/standing/decide/", form).status_code == 422
    text.refresh_from_db()
    assert text.state == State.QUARANTINED


def test_each_kind_can_be_looked_at(owner, gateway, li_lei):
    Receipt.objects.create(
        gateway=gateway,
        provider_id="stray",
        outcome="delivered",
        is_final=True,
        raw="",
        received_at=timezone.now() - timedelta(hours=2),
    )
    for kind in (
        "quarantined",
        "restored",
        "uncertain",
        "unknown",
        "no_receipt",
        "orphans",
        "inbound",
        "signals",
    ):
        assert owner.get("/messages/standing/", {"kind": kind}).status_code == 200
    assert "stray" in text_of(owner.get("/messages/standing/", {"kind": "orphans"}))


def test_after_a_restore_codes_go_first_and_marketing_by_a_second_word(owner, gateway, li_lei, tmp_path):
    message(li_lei, MARKETING, timezone.now() - timedelta(minutes=1))
    message(li_lei, NOTIFICATION, timezone.now() - timedelta(minutes=1), run=2)
    with override_settings(DATA_DIR=tmp_path):
        restoring.after_restore(by=None, at=timezone.now())

    said = text_of(owner.get("/messages/after-restore/"))
    assert "1 marketing text is held" in said
    assert ">Done<" not in said
    owner.post("/messages/after-restore/", {"step": "all"})
    assert text_of(owner.get("/messages/after-restore/")).count("Done") == 1
    assert list(Pause.objects.values_list("message_class", flat=True)) == [MARKETING]
    owner.post("/messages/after-restore/", {"step": "marketing"})
    assert not Pause.objects.exists()
    assert text_of(owner.get("/messages/after-restore/")).count("Done") == 2  # one is held still
    assert Message.objects.get(message_class=MARKETING).state == State.HELD


# --- budget, alerts


def test_the_owner_sets_a_budget_and_sees_what_is_left(owner, gateway, riverside):
    form = {
        "scope": f"store:{riverside.public_id}",
        "period": "month",
        "amount": "12.50",
        "protected_percent": "20",
    }

    assert owner.post("/money/sms-budget/", form).status_code == 302

    said = text_of(owner.get("/money/sms-budget/"))
    assert Budget.objects.get().amount_minor == 1250
    assert "12.50" in said and "10.00" in said
    assert AuditEntry.objects.filter(subject_type="budget").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "0"},
        {"amount": "-5"},
        {"amount": "1e3"},
        {"amount": ""},
        {"scope": "store:x"},
        {"period": "year"},
        {"protected_percent": "101"},
        {"protected_percent": "x"},
    ],
)
def test_a_budget_that_cannot_be_meant_is_refused(owner, riverside, change):
    form = {"scope": "house", "period": "month", "amount": "10", "protected_percent": "20"}

    assert owner.post("/money/sms-budget/", form | change).status_code == 422
    assert not Budget.objects.exists()


def test_who_only_manages_sets_none(manager, riverside):
    form = {
        "scope": f"store:{riverside.public_id}",
        "period": "month",
        "amount": "10",
        "protected_percent": "20",
    }

    assert manager.post("/money/sms-budget/", form).status_code == 403
    assert manager.get("/money/sms-budget/").status_code == 200


def test_a_budget_is_taken_away(owner, boss, riverside):
    budget = budgets.set_budget(
        scope="house", period="day", amount_minor=100, protected_percent=0, by=boss, at=timezone.now()
    )

    owner.post(f"/money/sms-budget/{budget.public_id}/end/")

    assert "There is no budget yet" in text_of(owner.get("/money/sms-budget/"))


def test_an_alert_stands_in_the_navigation_and_says_what_to_do(owner, manager, gateway):
    alerts.note(
        [alerts.Finding(AlertKind.GATEWAY_DOWN, "1", {"gateway": "Main", "minutes": 3})],
        kinds=[AlertKind.GATEWAY_DOWN],
        at=timezone.now(),
    )

    said = text_of(owner.get("/messages/alerts/"))

    assert "Main has not been connected for 3 minutes." in said and "call the carrier" in said
    assert '<span class="badge tone-wait">1</span>' in text_of(manager.get("/members/"))
    Alert.objects.update(closed_at=timezone.now())
    assert "Nothing needs you" in text_of(owner.get("/messages/alerts/"))


@pytest.mark.parametrize(
    ("path", "current"),
    [("/messages/alerts/", "Alerts"), ("/messages/after-restore/", "What stands still")],
)
def test_every_page_about_texts_stands_under_one_of_its_tabs(owner, path, current):
    tabs = owner.get(path).context["message_tabs"]

    assert [tab["label"] for tab in tabs if tab["is_current"]] == [current]
