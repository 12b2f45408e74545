"""What Tencent Cloud pushes: a JSON list of delivery states, or one JSON object for a reply. Pushes are not signed:
the secret path and the list of source addresses are all there is, and an unknown id is parked.
"""

from __future__ import annotations

from typing import Any

from messaging.gateways.base import InboundSms, ReceiptIn
from messaging.gateways.callbacks import CallbackUnreadable, InboundCall, raw_of, read_json, words

ACKNOWLEDGEMENT = (200, "application/json", '{"result":0,"errmsg":"OK"}')


def read_receipts(body: bytes) -> list[ReceiptIn]:
    """`report_status` decides, `errmsg` is the carrier's word; `sid` is the SerialNo. Raises `CallbackUnreadable`."""
    items = read_json(body)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CallbackUnreadable("not a list of objects")
    return [_receipt(item) for item in items]


def read_inbound(body: bytes) -> list[InboundCall]:
    """A reply has no id: all of it together, its second included, is its key."""
    item = read_json(body)
    if not isinstance(item, dict) or not words(item, "mobile"):
        raise CallbackUnreadable("not an object with a mobile")
    raw = raw_of(item)
    sms = InboundSms(phone=_phone(item), to=words(item, "extend"), text=words(item, "text"), raw=raw)
    return [InboundCall(raw, sms)]


def _receipt(item: dict[str, Any]) -> ReceiptIn:
    sid, status = words(item, "sid"), words(item, "report_status").upper()
    if not sid or status not in ("SUCCESS", "FAIL"):
        raise CallbackUnreadable("no sid or report_status")
    is_delivered = status == "SUCCESS"
    return ReceiptIn(
        sid[:80],
        "DELIVRD" if is_delivered else "UNDELIV",
        words(item, "errmsg")[:32],
        "delivered" if is_delivered else "undelivered",
        True,
        raw_of(item),
        _phone(item),
    )


def _phone(item: dict[str, Any]) -> str:
    """`nationcode` comes with or without its plus."""
    mobile, nation = words(item, "mobile"), words(item, "nationcode").lstrip("+")
    return mobile if mobile.startswith("+") or not nation else f"+{nation}{mobile}"
