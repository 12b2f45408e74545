"""What a gateway of one's own posts: signed JSON (signature.py), receipts or inbound texts in a list."""

from __future__ import annotations

from typing import Any

from messaging.gateways.base import InboundSms, ReceiptIn
from messaging.gateways.callbacks import CallbackUnreadable, InboundCall, raw_of, read_json, words
from messaging.gateways.http.answers import RECEIPTS

ACKNOWLEDGEMENT = (200, "application/json", '{"status":"stored"}')


def read_receipts(body: bytes) -> list[ReceiptIn]:
    """{"receipts": [{"id", "status", "code"?, "to"?}]}. Raises `CallbackUnreadable`."""
    return [_receipt(item) for item in _list(body, "receipts")]


def read_inbound(body: bytes) -> list[InboundCall]:
    """{"texts": [{"id", "from", "to"?, "text"}]}."""
    found = []
    for item in _list(body, "texts"):
        key, phone = words(item, "id"), words(item, "from")
        if not key or not phone or not isinstance(item.get("text"), str):
            raise CallbackUnreadable("no id, from or text")
        sms = InboundSms(phone=phone, to=words(item, "to"), text=words(item, "text"), raw=raw_of(item))
        found.append(InboundCall(key, sms))
    return found


def _receipt(item: dict[str, Any]) -> ReceiptIn:
    given, status = words(item, "id"), words(item, "status")
    if not given or status not in RECEIPTS:
        raise CallbackUnreadable("no id, or a status that is not in the contract")
    outcome, is_final = RECEIPTS[status]
    return ReceiptIn(
        given[:80], status, words(item, "code")[:32], outcome, is_final, raw_of(item), words(item, "to")
    )


def _list(body: bytes, name: str) -> list[dict[str, Any]]:
    said = read_json(body)
    items = said.get(name) if isinstance(said, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CallbackUnreadable(f"no list of {name}")
    return items
