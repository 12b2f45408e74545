"""What Aliyun pushes: SmsReport and SmsUp, each a JSON list. Pushes are not signed: the secret path and the list of
source addresses are all there is, and an unknown BizId is parked.
"""

from __future__ import annotations

from typing import Any

from messaging.gateways.aliyun.answers import receipt_id
from messaging.gateways.base import InboundSms, ReceiptIn
from messaging.gateways.callbacks import CallbackUnreadable, InboundCall, raw_of, read_json, words

ACKNOWLEDGEMENT = (200, "application/json", '{"code":0,"msg":"成功"}')


def read_receipts(body: bytes) -> list[ReceiptIn]:
    """`success` decides, `err_code` is the carrier's word. Raises `CallbackUnreadable`."""
    return [_receipt(item) for item in _items(body)]


def read_inbound(body: bytes) -> list[InboundCall]:
    """`sequence_id` is a number in old pages and a string in new ones."""
    found = []
    for item in _items(body):
        phone, content = words(item, "phone_number"), words(item, "content")
        if not phone:
            raise CallbackUnreadable("no phone_number")
        raw = raw_of(item)
        sms = InboundSms(phone=phone, to=words(item, "dest_code"), text=content, raw=raw)
        found.append(InboundCall(words(item, "sequence_id") or raw, sms))
    return found


def _receipt(item: dict[str, Any]) -> ReceiptIn:
    biz_id, phone = words(item, "biz_id"), words(item, "phone_number")
    success = item.get("success")
    if not biz_id or not phone or str(success).lower() not in ("true", "false"):
        raise CallbackUnreadable("no biz_id, phone_number or success")
    is_delivered = str(success).lower() == "true"
    return ReceiptIn(
        receipt_id(biz_id, phone),
        "DELIVRD" if is_delivered else "UNDELIV",
        words(item, "err_code")[:32],
        "delivered" if is_delivered else "undelivered",
        True,
        raw_of(item),
        phone,
    )


def _items(body: bytes) -> list[dict[str, Any]]:
    items = read_json(body)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CallbackUnreadable("not a list of objects")
    return items
