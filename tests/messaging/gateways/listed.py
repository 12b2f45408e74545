"""Entries of the providers' lists of what they sent, at midday in Shanghai on the 20th."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

from tests.conftest import NOON

TRIED_AT = NOON


def aliyun_entry(out_id: str, status: int, **more: Any) -> dict[str, Any]:
    return {
        "PhoneNum": "13800138000",
        "OutId": out_id,
        "SendStatus": status,
        "SendDate": "2026-11-20 12:00:01",
        "ReceiveDate": "2026-11-20 12:00:05",
        "ErrCode": "DELIVERED" if status == 3 else "",
        "TemplateCode": "SMS_1",
        "Content": "【常客】Dear Li Lei",
    } | more


def tencent_entry(context: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "PhoneNumber": "+8613800138000",
        "CountryCode": "86",
        "SubscriberNumber": "13800138000",
        "SessionContext": context,
        "SerialNo": "2640:1",
        "ReportStatus": status,
        "Description": "DELIVRD" if status == "SUCCESS" else "UNDELIV",
        "UserReceiveTime": int(TRIED_AT.timestamp()) + 5,
    } | more


def twilio_entry(
    sid: str, body: str, status: str = "delivered", *, after: float = 1, **more: Any
) -> dict[str, Any]:
    at = TRIED_AT.timestamp() + after
    return {
        "sid": sid,
        "to": "+13105550100",
        "from": "+15005550006",
        "body": body,
        "status": status,
        "direction": "outbound-api",
        "date_created": format_datetime(TRIED_AT.fromtimestamp(at, TRIED_AT.tzinfo)),
        "date_sent": None,
        "error_code": None,
    } | more
