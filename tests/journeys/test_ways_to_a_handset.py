"""The phone simulator as a CMPP carrier and as each provider: a code arrives on the handset by that way, its receipt and the
phone's answer come home by it. Real processes, real sockets, signatures checked on both sides.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from django.utils.timezone import now

from messaging.domain.gateways import prepare
from messaging.domain.verification import ask_code, live_code_of
from messaging.enums import CodePurpose, GatewayKind, ReportStatus
from messaging.models import Gateway, InboundText, Message, ProviderTemplate
from messaging.secrets import encrypt_secret, encrypt_secrets
from messaging.states import State
from tests.journeys.dispatch_stage import Carrier, wait_for
from tests.journeys.house import House, Shop

ZHAO = "+8613988887777"


def ways_of(carrier: Carrier) -> dict[str, Any]:
    """What the page says a gateway is set up with, by the name of the way."""
    with urllib.request.urlopen(f"{carrier.page_url}api/ways", timeout=10) as answer:
        return {card["way"]: card for card in json.loads(answer.read())}


def open_way(carrier: Carrier, way: str) -> Gateway:
    """A gateway set up as that card says."""
    card = ways_of(carrier)[way]
    key, secret = card["account"], card["secret"]
    if way == "CMPP":
        host, port = card["address"].split(":")
        line = {"host": host, "port": int(port), "system_id": key, "secret": encrypt_secret(secret)}
        return Gateway.objects.create(
            name=way, kind=GatewayKind.CMPP, sender="1069012345", options={"version": "3.0"}, **line
        )
    address = carrier.page_url.rstrip("/") + card["path"]
    told: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "Aliyun": ({"access_key_id": key, "endpoint": address}, {"access_key_secret": secret}),
        "Tencent": (
            {"secret_id": key, "sdk_app_id": "1400", "region": "ap-guangzhou", "endpoint": address},
            {"secret_key": secret},
        ),
        "Twilio": ({"account_sid": key, "endpoint": address}, {"auth_token": secret}),
        "HTTP": ({"url": address, "key_id": key}, {"secret": secret}),
    }
    options, secrets = told[way]
    gateway = Gateway(
        name=way,
        kind=GatewayKind[way.upper()],
        sender="+13105550100",
        options=options,
        secret=encrypt_secrets(secrets),
    )
    prepare(gateway)
    gateway.save()
    if gateway.needs_template:
        for language in ("en", "zh-hans"):
            ProviderTemplate.objects.create(
                gateway=gateway,
                system_text="login_code",
                language=language,
                code="SMS_1",
                status=ReportStatus.APPROVED,
            )
    return gateway


@pytest.mark.parametrize("way", ["CMPP", "Aliyun", "Tencent", "Twilio", "HTTP"])
def test_a_code_arrives_by_its_way_and_what_comes_home_comes_by_it_too(house: House, shop: Shop, way: str):
    house.open_web()
    shop.enrol(ZHAO[3:], "Zhao Min")
    gateway = open_way(house.carrier, way)
    if way != "CMPP":
        callback = f"{house.url}/hooks/gateways/{gateway.callback_token}/receipts"
        house.carrier.post("/api/ways", way=way, callback=callback)
    house.gateways.start()

    ask_code(phone=ZHAO, purpose=CodePurpose.LOGIN, language="en", store=None, at=now(), ip=None)

    (shown,) = wait_for(lambda: house.carrier.thread(ZHAO[1:]), 20, "the text on the handset")
    code = live_code_of(ZHAO, now())
    assert code is not None and code.code in shown["text"]
    assert (shown["way"], shown["state"]) == (way, "delivered")
    wait_for(lambda: Message.objects.filter(state=State.DELIVERED).exists(), 15, "its receipt")
    assert Message.objects.get().gateway == gateway
    assert [entry["way"] for entry in house.carrier.accepted()] == [way] * shown["parts"]

    answer = house.carrier.post(f"/api/handsets/{ZHAO[1:]}/reply", text="我在路上，马上到，谢谢！")

    assert answer["acknowledged"] and answer["way"] == way
    heard = wait_for(lambda: InboundText.objects.first(), 10, "the answer")
    assert (heard.gateway, heard.phone, heard.text) == (gateway, ZHAO, "我在路上，马上到，谢谢！")
