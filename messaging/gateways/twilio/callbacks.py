"""What Twilio posts: forms, signed (signature.py). A status for each step of a text, and inbound texts."""

from __future__ import annotations

from collections.abc import Mapping

from messaging.gateways.base import InboundSms, ReceiptIn
from messaging.gateways.callbacks import CallbackUnreadable, InboundCall, raw_of, words
from messaging.gateways.twilio.answers import STATUSES

ACKNOWLEDGEMENT = (200, "text/xml", '<?xml version="1.0" encoding="UTF-8"?><Response/>')


def read_receipts(form: Mapping[str, str]) -> list[ReceiptIn]:
    """One status. Raises `CallbackUnreadable`."""
    sid = words(form, "MessageSid") or words(form, "SmsSid")
    status = (words(form, "MessageStatus") or words(form, "SmsStatus")).lower()
    if not sid or not status:
        raise CallbackUnreadable("no MessageSid or MessageStatus")
    outcome, is_final = STATUSES.get(status, ("unknown", False))
    return [
        ReceiptIn(
            sid[:80],
            status[:32],
            words(form, "ErrorCode")[:32],
            outcome,
            is_final,
            raw_of(dict(form)),
            words(form, "To"),
        )
    ]


def read_inbound(form: Mapping[str, str]) -> list[InboundCall]:
    """One text. `OptOutType` STOP: Twilio has understood an opt-out and answered it."""
    sid, phone = words(form, "MessageSid") or words(form, "SmsSid"), words(form, "From")
    if not sid or not phone:
        raise CallbackUnreadable("no MessageSid or From")
    sms = InboundSms(phone=phone, to=words(form, "To"), text=words(form, "Body"), raw=raw_of(dict(form)))
    return [InboundCall(sid[:80], sms, is_stop=words(form, "OptOutType").upper() == "STOP")]
