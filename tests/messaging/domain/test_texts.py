"""Wordings are typed, bound and watched; what comes in with a value is read as well."""

import pytest
from django.db import DatabaseError, transaction

from messaging.domain import reviewing
from messaging.domain.texts import approve, hash_of, save_draft, wording_of
from messaging.enums import MessageClass, VersionStatus
from messaging.models import Template, TemplateVersion
from messaging.states import Reason
from tests.conftest import NOON

PHONE = "+8613800138000"


@pytest.fixture
def arrived(riverside) -> Template:
    return Template.objects.create(
        key="arrived",
        name="Arrived",
        message_class=MessageClass.TRIGGER,
        event_type="customer_arrived",
        store=riverside,
    )


@pytest.fixture
def version(arrived, mei) -> TemplateVersion:
    return save_draft(
        template=arrived, language="en", text="{name|Guest}, your table at {place} is ready.", by=mei, at=NOON
    )


def said(version: TemplateVersion, phone: str = PHONE, **payload: object):
    return wording_of(version).compose(payload, signature="常客", phone=phone, timezone="Asia/Shanghai")


def test_its_placeholders_are_kept_with_kind_cap_and_fallback(version):
    assert version.placeholders == [
        {"name": "name", "kind": "name", "cap": 20, "fallback": "Guest"},
        {"name": "place", "kind": "text", "cap": 35, "fallback": None},
    ]


def test_an_approval_is_bound_to_all_of_it(version):
    assert version.approved_hash == hash_of(version)
    for change in ({"text": "Other"}, {"placeholders": []}, {"contacts": ["a.cn"]}, {"language": "fr"}):
        other = TemplateVersion.objects.get(pk=version.pk)
        for name, value in change.items():
            setattr(other, name, value)
        assert hash_of(other) != version.approved_hash


@pytest.mark.parametrize("change", [{"text": "Other"}, {"contacts": ["a.cn"]}, {"placeholders": []}])
def test_a_wording_never_changes(version, change):
    with pytest.raises(DatabaseError, match="a wording does not change"), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(**change)


def test_another_class_voids_the_approval(version, arrived):
    Template.objects.filter(pk=arrived.pk).update(message_class="notification")

    version.refresh_from_db()
    assert version.status == VersionStatus.RETIRED


def test_a_value_that_brings_an_offer_is_refused(version):
    assert said(version, name="Li Lei", place="Lobby").refusal == Reason.NONE
    assert said(version, name="Li Lei", place="全场五折").refusal == Reason.PROMOTIONAL


def test_nobody_escapes_a_notice_by_a_name(version):
    composed = said(version, name="限时抢购优惠", place="Lobby")

    assert composed.refusal == Reason.NONE
    assert "Guest, your table at Lobby is ready." in composed.text


@pytest.mark.parametrize(
    ("phone", "language", "starts", "ends"),
    [
        (PHONE, "zh-hans", "【常客】", "拒收请回复R"),
        (PHONE, "en", "【常客】", "拒收请回复R"),
        ("+12025550123", "en", "常客: ", "Reply STOP to opt out"),
        ("+12025550123", "zh-hans", "常客: ", "回复STOP退订"),
    ],
)
def test_signature_and_way_out_are_the_countrys(riverside, mei, phone, language, starts, ends):
    push = Template.objects.create(key="push", name="Push", message_class="marketing", store=riverside)
    text = save_draft(template=push, language=language, text="20% off", by=mei, at=NOON)

    composed = said(text, phone)

    assert composed.text.startswith(starts)
    assert composed.text.endswith(ends)


def test_a_replaced_draft_waits_no_more(riverside, mei):
    push = Template.objects.create(key="push", name="Push", message_class="marketing", store=riverside)
    first = save_draft(template=push, language="en", text="20% off", by=mei, at=NOON)
    second = save_draft(template=push, language="en", text="30% off", by=mei, at=NOON)

    assert list(reviewing.waiting()) == [second]
    assert first not in reviewing.waiting()


def test_what_was_sent_back_cannot_be_approved(riverside, mei, chen):
    push = Template.objects.create(key="push", name="Push", message_class="marketing", store=riverside)
    text = save_draft(template=push, language="en", text="20% off", by=mei, at=NOON)
    returned = reviewing.send_back(version=text, by=chen, reason="Too loud", at=NOON)

    with pytest.raises(reviewing.NotWaiting):
        approve(version=returned, by=chen, at=NOON)
