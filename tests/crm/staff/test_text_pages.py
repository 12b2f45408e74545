"""Writing texts and reviewing them, as a marketer, a manager and an owner on her own do it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members.enums import Role
from members.models import AuditEntry, Staff
from messaging.domain.texts import save_draft
from messaging.enums import BindState, MessageClass, ReportStatus, VersionStatus
from messaging.models import Gateway, ProviderTemplate, Template, TemplateVersion
from tests.conftest import NOON, employ
from tests.crm.staff.conftest import at_work

NEW = {"name": "Recharged", "message_class": "notification", "event_type": "card_recharged"}


@pytest.fixture
def owner(riverside):
    return at_work(employ(riverside, "olga", Role.OWNER))


@pytest.fixture
def push(riverside) -> Template:
    return Template.objects.create(
        key="push", name="Push", message_class=MessageClass.MARKETING, store=riverside
    )


@pytest.fixture
def draft(push, mei) -> TemplateVersion:
    return save_draft(template=push, language="en", text="20% off this week, {name|there}", by=mei, at=NOON)


def desk(version: TemplateVersion, name: str = "review") -> str:
    return reverse(f"staff:{name}", args=[version.template.public_id, version.language, version.number])


def decide(client, version: TemplateVersion, decision: str, **more):
    return client.post(
        desk(version, "decide_text"), {"decision": decision, "hash": version.content_hash, **more}
    )


def test_the_class_of_a_new_text_is_not_optional(manager):
    page = manager.get(reverse("staff:text_new")).text
    assert "Class</label>" in page

    refused = manager.post(reverse("staff:text_new"), {**NEW, "message_class": "", "text_en": "Hello."})

    assert refused.status_code == 422 and not TemplateVersion.objects.exists()


def test_a_clean_service_text_is_approved_by_itself_and_says_so(manager):
    answer = manager.post(
        reverse("staff:text_new"), {**NEW, "text_en": "{amount} added. Balance {balance}."}, follow=True
    )

    version = TemplateVersion.objects.get()
    assert (version.status, version.approved_by) == (VersionStatus.APPROVED, None)
    assert "approved automatically" in answer.text
    assert [one["kind"] for one in version.placeholders] == ["money", "money"]


def test_marketing_words_in_a_service_text_are_marked_and_a_split_is_proposed(manager):
    text = "Your card was charged {amount}. Balance {balance}. Recharge 500 and get 80 free!"
    answer = manager.post(reverse("staff:text_new"), {**NEW, "text_en": text})

    assert answer.status_code == 422
    assert not TemplateVersion.objects.exists()
    assert "This reads like marketing" in answer.text
    assert "<mark>" in answer.text
    assert 'data-fix="Your card was charged {amount}. Balance {balance}."' in answer.text


def test_the_offer_becomes_a_marketing_text_of_its_own(manager, riverside, mei):
    template = Template.objects.create(
        key="spent", name="Spent", message_class="notification", event_type="card_spent", store=riverside
    )
    manager.post(
        reverse("staff:take_out_offer", args=[template.public_id]),
        {"language": "en", "offer": "Recharge 500 and get 80 free!"},
    )

    offer = TemplateVersion.objects.get()
    assert (offer.template.message_class, offer.status) == ("marketing", VersionStatus.DRAFT)


def test_typing_is_judged_and_writes_nothing(manager):
    answer = manager.post(
        reverse("staff:check_new_text"), {**NEW, "text_en": "Recharged {amount}. Call 021-55550100"}
    )

    assert answer.status_code == 200
    assert "Every link and phone number in a text has to be reported" in answer.text
    assert "parts" in answer.text
    assert not Template.objects.exists()


def test_a_service_text_for_no_event_waits_for_a_person(manager):
    manager.post(
        reverse("staff:text_new"), {**NEW, "event_type": "", "text_en": "The store is closed on Monday."}
    )

    assert TemplateVersion.objects.get().status == VersionStatus.DRAFT


@pytest.mark.parametrize(
    ("text", "said"),
    [("{amount", "never closed"), ("{secret} paid", "does not have"), ("【X】 paid", "signature")],
)
def test_a_broken_text_is_refused_beside_its_field(manager, text, said):
    answer = manager.post(reverse("staff:text_new"), {**NEW, "text_en": text})

    assert answer.status_code == 422
    assert said in answer.text
    assert text in answer.text.replace("&#x27;", "'")


def test_another_approves_and_the_author_does_not(manager, owner, draft):
    own = decide(manager, draft, "approve")
    assert own.status_code == 422
    assert "Somebody else" in own.text

    assert decide(owner, draft, "approve").status_code == 302
    draft.refresh_from_db()
    assert draft.status == VersionStatus.APPROVED
    assert AuditEntry.objects.filter(verb="text_approved").exists()


def test_exactly_what_was_read_is_approved(owner, draft):
    answer = owner.post(desk(draft, "decide_text"), {"decision": "approve", "hash": "another"})

    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.status == VersionStatus.DRAFT


def test_sent_back_with_a_reason_the_author_reads(owner, manager, draft):
    assert decide(owner, draft, "return", reason=" ").status_code == 422

    decide(owner, draft, "return", reason="Say until when.")

    draft.refresh_from_db()
    assert draft.status == VersionStatus.RETURNED
    page = manager.get(reverse("staff:text_detail", args=[draft.template.public_id])).text
    assert "Say until when." in page
    assert decide(owner, draft, "approve").status_code == 422


def test_an_owner_on_her_own_may_after_a_day_and_it_is_written_down(owner, riverside, push):
    olga = owner_of(owner)
    text = save_draft(template=push, language="en", text="20% off", by=olga, at=NOON)
    assert decide(owner, text, "approve").status_code == 422

    decide(owner, text, "cool")
    assert decide(owner, text, "approve").status_code == 422  # not yet
    TemplateVersion.objects.filter(pk=text.pk).update(cooling_until=timezone.now() - timedelta(seconds=1))
    assert decide(owner, text, "approve").status_code == 302

    verbs = list(
        AuditEntry.objects.filter(verb__startswith="text_").order_by("seq").values_list("verb", flat=True)
    )
    assert verbs == ["text_cooling_started", "text_approved_alone"]


def owner_of(client) -> Staff:
    return Staff.objects.get(pk=client.session["_auth_user_id"])


def test_the_way_for_one_is_closed_while_a_colleague_may(owner, mei, push):
    text = save_draft(template=push, language="en", text="20% off", by=owner_of(owner), at=NOON)

    answer = decide(owner, text, "cool")

    assert answer.status_code == 422
    assert "colleague" in answer.text


def test_the_desk_shows_what_changed(owner, draft, mei):
    decide(owner, draft, "approve")
    second = save_draft(
        template=draft.template, language="en", text="30% off this week, {name|there}", by=mei, at=NOON
    )

    page = owner.get(desk(second)).text

    assert '<del class="diff">20</del><ins class="diff">30</ins>' in page


def test_what_a_provider_says_is_shown_and_edited_by_hand(owner, draft):
    gateway = Gateway.objects.create(
        name="Direct", host="127.0.0.1", port=2775, system_id="x", bind_state=BindState.OFF
    )
    owner.post(
        desk(draft, "note_provider"),
        {"gateway": gateway.pk, "status": "rejected", "reason": "缺少退订", "code": "SMS_1"},
    )

    assert ProviderTemplate.objects.get().status == ReportStatus.REJECTED
    assert "缺少退订" in owner.get(desk(draft)).text


def test_a_stranger_sees_none_of_it(wang, draft, hilltop):
    stranger = at_work(employ(hilltop, "zhao", Role.MANAGER))

    assert stranger.get(desk(draft)).status_code == 404
    assert "20% off" not in stranger.get(reverse("staff:review_list")).text
    assert stranger.get(reverse("staff:text_detail", args=[draft.template.public_id])).status_code == 404


def test_a_text_of_every_store_is_the_superusers(manager, mei):
    house = Template.objects.create(key="house", name="House", message_class="marketing")
    text = save_draft(template=house, language="en", text="20% off", by=mei, at=NOON)

    assert "only a superuser" in manager.get(desk(text)).text
    assert decide(manager, text, "approve").status_code == 403


@pytest.mark.parametrize("name", ["review_list", "text_list"])
def test_the_lists_cost_the_same_for_one_and_three(owner, mei, riverside, name):
    def written(number: int) -> None:
        template = Template.objects.create(
            key=f"t{number}", name=f"T{number}", message_class="marketing", store=riverside
        )
        save_draft(template=template, language="en", text="20% off", by=mei, at=NOON)

    counts = []
    for number in range(3):
        written(number)
        if number == 1:
            continue
        with CaptureQueriesContext(connection) as asked:
            owner.get(reverse(f"staff:{name}"))
        counts.append(len(asked))
    assert counts[0] == counts[1]
