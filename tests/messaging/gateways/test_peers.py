"""The providers' own SDKs against our fake servers: what lets our link in lets them in, and nobody else."""

from __future__ import annotations

import json

import pytest
from alibabacloud_dysmsapi20170525.client import Client as AliyunClient
from alibabacloud_dysmsapi20170525.models import (
    QuerySendDetailsRequest,
    SendBatchSmsRequest,
    SendSmsRequest,
)
from alibabacloud_tea_openapi.models import Config
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models as sms_models
from tencentcloud.sms.v20210111.sms_client import SmsClient
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client as TwilioClient

from tests.messaging.gateways.fakes import FakeAliyun, FakeTencent, FakeTwilio, running
from tests.messaging.gateways.listed import aliyun_entry, tencent_entry, twilio_entry

# A space, a tilde, a star, a plus, Chinese and a percent sign: what the encodings disagree about.
TRAPS = "a b~c*d+e 常客 100% ='"


@pytest.fixture
def fake_aliyun():
    yield from running(FakeAliyun())


@pytest.fixture
def fake_tencent():
    yield from running(FakeTencent())


@pytest.fixture
def fake_twilio():
    yield from running(FakeTwilio())


def aliyun_client(fake, secret=None):
    return AliyunClient(
        Config(
            access_key_id=fake.key_id,
            access_key_secret=secret or fake.secret,
            endpoint=f"127.0.0.1:{fake.port}",
            protocol="HTTP",
        )
    )


def test_aliyuns_sdk_is_let_in_with_every_trap_in_its_query(fake_aliyun):
    asked = SendSmsRequest(
        phone_numbers="13800138000",
        sign_name="常客",
        template_code="SMS_1",
        template_param=json.dumps({"name": TRAPS}, ensure_ascii=False),
    )

    answer = aliyun_client(fake_aliyun).send_sms(asked).body

    assert (answer.code, answer.biz_id, fake_aliyun.unsigned) == ("OK", "ID1", 0)
    assert json.loads(fake_aliyun.asked[0]["TemplateParam"]) == {"name": TRAPS}


def test_aliyuns_sdk_is_let_in_with_a_batch(fake_aliyun):
    asked = SendBatchSmsRequest(
        phone_number_json='["13800138000","13900139000"]',
        sign_name_json='["常客","常客"]',
        template_code="SMS_1",
        template_param_json='[{"name":"A"},{"name":"B"}]',
    )

    assert aliyun_client(fake_aliyun).send_batch_sms(asked).body.code == "OK"
    assert [number for number, _ in fake_aliyun.taken] == ["13800138000", "13900139000"]


def test_aliyuns_sdk_with_another_secret_stays_outside(fake_aliyun):
    asked = SendSmsRequest(phone_numbers="13800138000", sign_name="常客", template_code="SMS_1")

    with pytest.raises(Exception, match="SignatureDoesNotMatch"):
        aliyun_client(fake_aliyun, "another").send_sms(asked)
    assert (fake_aliyun.unsigned, fake_aliyun.taken) == (1, [])


def tencent_client(fake, secret=None):
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=f"127.0.0.1:{fake.port}"))
    return SmsClient(Credential(fake.key_id, secret or fake.secret), "ap-guangzhou", profile)


def tencent_request():
    asked = sms_models.SendSmsRequest()
    asked.PhoneNumberSet = ["+8613800138000"]
    asked.SmsSdkAppId, asked.TemplateId, asked.SignName = "1400", "1", "常客"
    asked.TemplateParamSet = [TRAPS]
    return asked


def test_tencents_sdk_is_let_in(fake_tencent):
    answer = tencent_client(fake_tencent).SendSms(tencent_request())

    assert [status.Code for status in answer.SendStatusSet] == ["Ok"]
    assert fake_tencent.asked[0]["TemplateParamSet"] == [TRAPS]


def test_tencents_sdk_with_another_secret_stays_outside(fake_tencent):
    with pytest.raises(TencentCloudSDKException, match="AuthFailure"):
        tencent_client(fake_tencent, "another").SendSms(tencent_request())
    assert (fake_tencent.unsigned, fake_tencent.taken) == (1, [])


class ToOurPort(TwilioHttpClient):
    """Twilio's own client, its requests carried to the fake."""

    def __init__(self, endpoint):
        super().__init__()
        self._endpoint = endpoint

    def request(self, method, url, *args, **more):
        return super().request(method, url.replace("https://api.twilio.com", self._endpoint), *args, **more)


def twilio_client(fake, token=None):
    return TwilioClient(fake.key_id, token or fake.secret, http_client=ToOurPort(fake.endpoint))


def test_twilios_sdk_is_let_in(fake_twilio):
    said = twilio_client(fake_twilio).messages.create(to="+13105550100", from_="+15005550006", body=TRAPS)

    assert (said.sid[:2], said.status) == ("SM", "queued")
    assert fake_twilio.taken == [("+13105550100", TRAPS)]


def test_twilios_sdk_with_another_token_stays_outside(fake_twilio):
    with pytest.raises(TwilioRestException) as refused:
        twilio_client(fake_twilio, "another").messages.create(to="+13105550100", from_="+1", body="x")
    assert (refused.value.code, fake_twilio.taken) == (20003, [])


# The lists of what was sent, as the SDKs read them: what our own reader is tested on is what a provider says.


def test_aliyuns_sdk_reads_the_list_of_what_was_sent(fake_aliyun):
    fake_aliyun.sent = [aliyun_entry("7", 3), aliyun_entry("8", 2, PhoneNum="13900139000")]
    asked = QuerySendDetailsRequest(
        phone_number="13800138000", send_date="20261120", page_size=50, current_page=1
    )

    said = aliyun_client(fake_aliyun).query_send_details(asked).body

    (entry,) = said.sms_send_detail_dtos.sms_send_detail_dto
    assert (said.code, said.total_count) == ("OK", "1")
    assert (entry.out_id, entry.send_status, entry.phone_num) == ("7", 3, "13800138000")


def test_tencents_sdk_reads_the_list_of_what_was_reported(fake_tencent):
    fake_tencent.sent = [tencent_entry("7", "SUCCESS")]
    asked = sms_models.PullSmsSendStatusByPhoneNumberRequest()
    asked.BeginTime = fake_tencent.sent[0]["UserReceiveTime"] - 60
    asked.EndTime, asked.Offset, asked.Limit = asked.BeginTime + 3600, 0, 100
    asked.PhoneNumber, asked.SmsSdkAppId = "+8613800138000", "1400"

    (entry,) = tencent_client(fake_tencent).PullSmsSendStatusByPhoneNumber(asked).PullSmsSendStatusSet

    assert (entry.SessionContext, entry.ReportStatus, entry.SerialNo) == ("7", "SUCCESS", "2640:1")


def test_twilios_sdk_reads_the_list_of_texts(fake_twilio):
    fake_twilio.sent = [twilio_entry("SM1", "Dear Li Lei")]

    (entry,) = twilio_client(fake_twilio).messages.list(to="+13105550100", page_size=50, limit=50)

    assert (entry.sid, entry.body, entry.status, entry.direction) == (
        "SM1",
        "Dear Li Lei",
        "delivered",
        "outbound-api",
    )
    assert entry.date_created.isoformat() == "2026-11-20T04:00:01+00:00"
