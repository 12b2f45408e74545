"""What a provider's text looks like on a phone, and what the provider calls us with: receipts and replies, each in its
own words and signed its own way.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

from messaging.gateways.http import signature as own
from messaging.gateways.twilio import signature as twilio

Asked = Mapping[str, Any]
REPLY_TO = "10690000"  # the number that a provider's texts come from, where it does not say
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Taken:
    """A text a provider said yes to: its number there, the provider's id for it, all that was asked."""

    number: str
    provider_id: str
    asked: Asked


@dataclass(frozen=True)
class Account:
    """Who signs: the key's name and the key."""

    key_id: str
    secret: str


@dataclass(frozen=True)
class Posting:
    """A call to the house: to the end of its secret path."""

    end: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


class Words(Protocol):
    """A provider's own way with words. `url` is the whole address called, which Twilio signs."""

    def shown(self, taken: Taken) -> tuple[str, str]:
        """Who it is from and what it says; a template we do not have by its code and values."""

    def report(self, taken: Taken, stat: str, account: Account, base: str) -> Posting:
        """What became of it."""

    def reply(self, phone: str, to: str, text: str, account: Account, base: str) -> Posting:
        """A text from a phone (digits only)."""


class AliyunWords:
    """Numbers without +86; one id for a whole batch."""

    def shown(self, taken: Taken) -> tuple[str, str]:
        asked = taken.asked
        if "PhoneNumberJson" in asked:
            place = json.loads(asked["PhoneNumberJson"]).index(taken.number)
            signature = json.loads(asked["SignNameJson"])[place]
            values = json.loads(asked["TemplateParamJson"])[place]
        else:
            signature, values = asked["SignName"], json.loads(asked.get("TemplateParam") or "{}")
        return signature, _from_template(signature, asked["TemplateCode"], values)

    def report(self, taken: Taken, stat: str, account: Account, base: str) -> Posting:
        said = {
            "phone_number": taken.number,
            "send_time": _beijing(),
            "report_time": _beijing(),
            "success": stat == "DELIVRD",
            "err_code": "DELIVERED" if stat == "DELIVRD" else stat,
            "err_msg": "",
            "sms_size": "1",
            "biz_id": taken.provider_id,
            "out_id": taken.asked.get("OutId", ""),
        }
        return Posting("receipts", json.dumps([said]).encode())

    def reply(self, phone: str, to: str, text: str, account: Account, base: str) -> Posting:
        said = {
            "phone_number": phone.removeprefix("86"),
            "content": text,
            "send_time": _beijing(),
            "dest_code": REPLY_TO,
            "sequence_id": str(time.time_ns()),
        }
        return Posting("inbound", json.dumps([said]).encode())


class TencentWords:
    """Values by their place; an id for each number."""

    def shown(self, taken: Taken) -> tuple[str, str]:
        asked = taken.asked
        values = {str(place): value for place, value in enumerate(asked["TemplateParamSet"], 1)}
        return asked["SignName"], _from_template(asked["SignName"], asked["TemplateId"], values)

    def report(self, taken: Taken, stat: str, account: Account, base: str) -> Posting:
        said = {
            "user_receive_time": _beijing(),
            "nationcode": "",
            "mobile": taken.number,
            "report_status": "SUCCESS" if stat == "DELIVRD" else "FAIL",
            "errmsg": stat,
            "description": "",
            "sid": taken.provider_id,
        }
        return Posting("receipts", json.dumps([said]).encode())

    def reply(self, phone: str, to: str, text: str, account: Account, base: str) -> Posting:
        said = {
            "extend": "",
            "mobile": f"+{phone}",
            "nationcode": "",
            "sign": to,
            "text": text,
            "time": int(time.time()),
        }
        return Posting("inbound", json.dumps(said).encode())


class TwilioWords:
    """Forms, signed over the address they are sent to."""

    def shown(self, taken: Taken) -> tuple[str, str]:
        asked = taken.asked
        return asked.get("From") or asked.get("MessagingServiceSid", ""), asked["Body"]

    def report(self, taken: Taken, stat: str, account: Account, base: str) -> Posting:
        said = {
            "MessageSid": taken.provider_id,
            "MessageStatus": "delivered" if stat == "DELIVRD" else "undelivered",
            "To": taken.number,
            "AccountSid": account.key_id,
        }
        return self._signed(
            "receipts", said | ({} if stat == "DELIVRD" else {"ErrorCode": "30003"}), account, base
        )

    def reply(self, phone: str, to: str, text: str, account: Account, base: str) -> Posting:
        sid = "SM" + hashlib.md5(str(time.time_ns()).encode(), usedforsecurity=False).hexdigest()
        said = {"MessageSid": sid, "From": f"+{phone}", "To": to, "Body": text, "AccountSid": account.key_id}
        return self._signed("inbound", said, account, base)

    def _signed(self, end: str, said: dict[str, str], account: Account, base: str) -> Posting:
        proof = twilio.sign(url=f"{base}/{end}", params=said, secret=account.secret)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": proof}
        return Posting(end, urlencode(said).encode(), headers)


class HttpWords:
    """The contract of Signed HTTP (docs/gateways.md)."""

    def shown(self, taken: Taken) -> tuple[str, str]:
        return taken.asked.get("from", ""), taken.asked["text"]

    def report(self, taken: Taken, stat: str, account: Account, base: str) -> Posting:
        status = "delivered" if stat == "DELIVRD" else "undelivered"
        said = {"id": taken.provider_id, "status": status, "code": stat, "to": taken.number}
        return self._signed("receipts", {"receipts": [said]}, account)

    def reply(self, phone: str, to: str, text: str, account: Account, base: str) -> Posting:
        said = {"id": str(time.time_ns()), "from": f"+{phone}", "to": to, "text": text}
        return self._signed("inbound", {"texts": [said]}, account)

    def _signed(self, end: str, said: dict[str, Any], account: Account) -> Posting:
        body, now = json.dumps(said).encode(), str(int(time.time()))
        return Posting(
            end,
            body,
            JSON
            | {
                own.KEY_HEADER: account.key_id,
                own.TIMESTAMP_HEADER: now,
                own.SIGNATURE_HEADER: own.sign(secret=account.secret, timestamp=now, body=body),
            },
        )


def _from_template(signature: str, code: str, values: Mapping[str, Any]) -> str:
    """The words of a template are with the provider: its code and what was filled in."""
    return f"【{signature}】{code} " + " ".join(f"{name}={value}" for name, value in values.items())


def _beijing() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
