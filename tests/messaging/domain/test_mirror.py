"""A gateway that sends by template is told the provider's template and the values; without one, nothing is sent."""

from __future__ import annotations

import pytest

from members.models import Staff
from messaging.domain.dispatch.claims import NoProviderTemplate, outbound
from messaging.domain.texts import compose, save_draft
from messaging.enums import Cause, GatewayKind, MessageClass, ReportStatus
from messaging.gateways.base import ProviderText
from messaging.models import Gateway, ProviderTemplate, Template
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, message


@pytest.fixture
def db(committed_db):
    """Committed: the desk has its own connections."""


@pytest.fixture
def tencent(db):
    return Gateway.objects.create(name="Tencent", kind=GatewayKind.TENCENT, needs_template=True)


@pytest.fixture
def version(mei: Staff):
    template = Template.objects.create(
        key="due", name="Due", message_class=MessageClass.NOTIFICATION, event_type="card_recharged"
    )
    return save_draft(template=template, language="zh-hans", text="{name}您好，到账{amount}", by=mei, at=NOON)


def mirror(gateway, **more):
    return ProviderTemplate.objects.create(
        gateway=gateway, code="1110", **{"status": ReportStatus.APPROVED} | more
    )


def written(li_lei, version):
    composed = compose(version, {"name": "李雷", "amount": "¥20.00"}, signature="常客", phone=li_lei.phone)
    return message(
        li_lei,
        MessageClass.NOTIFICATION,
        NOON,
        text=composed.text,
        encoding=composed.encoding,
        template_version=version,
    )


def test_values_go_out_under_the_providers_names_in_its_order(tencent, version, li_lei):
    mirror(tencent, version=version, parameters={"amount": "1", "name": "2"})
    written(li_lei, version)

    (claimed,) = claim_now(hold(), NOON).claimed

    sms = outbound(claimed, "")
    assert sms.provider_text == ProviderText("1110", (("1", "¥20.00"), ("2", "李雷")), "常客")
    assert (sms.message_class, sms.text) == ("notification", "【常客】李雷您好，到账¥20.00")


def test_without_names_the_placeholders_keep_theirs(tencent, version, li_lei):
    mirror(tencent, version=version)
    written(li_lei, version)

    (claimed,) = claim_now(hold(), NOON).claimed

    assert claimed.provider_text.values == (("name", "李雷"), ("amount", "¥20.00"))


@pytest.mark.parametrize(
    "status", [ReportStatus.NONE, ReportStatus.SUBMITTED, ReportStatus.REJECTED, ReportStatus.STALE]
)
def test_what_has_not_passed_there_is_not_sent_there(tencent, version, li_lei, status):
    mirror(tencent, version=version, status=status, reason="营销内容")
    written(li_lei, version)

    (claimed,) = claim_now(hold(), NOON).claimed

    with pytest.raises(NoProviderTemplate):
        outbound(claimed, "")


def test_the_engines_own_texts_have_their_templates_too(tencent, li_lei):
    mirror(tencent, system_text="pay_code", language="zh-hans", parameters={"code": "1", "minutes": "2"})
    mirror(tencent, system_text="login_code", language="zh-hans", parameters={"code": "1", "minutes": "2"})
    text = "【常客】您的登录验证码是482915，5分钟内有效。工作人员不会向您索要验证码。"
    message(li_lei, MessageClass.VERIFICATION, NOON, text=text, encoding="UCS-2", cause=Cause.CODE)

    (claimed,) = claim_now(hold(), NOON).claimed

    assert claimed.provider_text == ProviderText("1110", (("1", "482915"), ("2", "5")), "常客")


def test_another_gateway_s_template_is_none_of_ours(tencent, version, li_lei):
    other = Gateway.objects.create(name="Other", kind=GatewayKind.ALIYUN, is_active=False)
    mirror(other, version=version)
    written(li_lei, version)

    (claimed,) = claim_now(hold(), NOON).claimed

    assert (claimed.is_mirrored, claimed.provider_text) == (False, None)
