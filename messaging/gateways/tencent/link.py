"""Tencent Cloud as a `Provider`: SendSms with a template's id and its values in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from messaging.gateways.base import BindRefused, LinkDown, OutboundSms
from messaging.gateways.lookup import Doubt, Finding, Known
from messaging.gateways.tencent import answers, inquiry
from messaging.gateways.tencent.settings import TencentSettings
from messaging.gateways.tencent.signature import authorization
from messaging.gateways.web import Unaskable, Verdict, WebAnswer, WebRequest
from messaging.states import Reason

VERSION = "2021-01-11"
NUMBERS_MAX = 200


class Tencent:
    """Texts go out by template id, signature and values; the wording itself is the provider's."""

    def __init__(self, settings: TencentSettings) -> None:
        self.settings = settings

    def batches(self, messages: Sequence[OutboundSms]) -> Iterable[tuple[OutboundSms, ...]]:
        """The same template with the same values to many numbers, mainland and foreign apart; codes alone."""
        most = max(1, min(NUMBERS_MAX, self.settings.batch_max))
        groups: dict[Any, list[OutboundSms]] = {}
        for message in messages:
            text = message.provider_text
            if most == 1 or text is None or message.message_class == "verification":
                yield (message,)
                continue
            group = groups.setdefault((text, message.phone.startswith("+86")), [])
            if len(group) == most or any(other.phone == message.phone for other in group):
                yield tuple(group)
                group.clear()
            group.append(message)
        for group in groups.values():
            if group:
                yield tuple(group)

    def request(self, batch: tuple[OutboundSms, ...], now: float, nonce: str) -> WebRequest:
        """`SessionContext` carries our attempt; nothing here makes a repeat harmless."""
        text = batch[0].provider_text
        if text is None:
            raise Unaskable("no provider template", Reason.NO_TEMPLATE)
        asked: dict[str, Any] = {
            "PhoneNumberSet": [message.phone for message in batch],
            "SmsSdkAppId": self.settings.sdk_app_id,
            "TemplateId": text.code,
            "SignName": text.signature,
            "TemplateParamSet": [value for _name, value in text.values],
            "SessionContext": str(batch[0].attempt_id),
        }
        return self._signed("SendSms", asked, now)

    def verdicts(self, batch: tuple[OutboundSms, ...], answer: WebAnswer) -> list[Verdict] | None:
        """Answers are read in `answers`."""
        return answers.read_answer(batch, answer)

    def greeting(self, now: float, nonce: str) -> WebRequest:
        """Asks after a signature: sends nothing, and tells whether the key is right."""
        return self._signed("DescribeSmsSignList", {"SignIdSet": [], "International": 0}, now)

    def check_greeting(self, answer: WebAnswer) -> None:
        """A key without leave to read signatures may still be good for sending: only a wrong one is refused."""
        code = answers.error_code(answers.response_of(answer.body))
        if answers.ruling(code).outcome == "stop_bind" and code.startswith(
            ("AuthFailure", "InternalError.Sig")
        ):
            raise BindRefused(answer.status, is_final=True, word=code)
        if answer.status >= 500:
            raise LinkDown(f"HTTP {answer.status} {code}".strip())

    def inquiry(self, doubt: Doubt, now: float, nonce: str) -> WebRequest:
        """What carriers reported on this number since."""
        return self._signed(
            "PullSmsSendStatusByPhoneNumber", inquiry.asked(doubt, self.settings.sdk_app_id, now), now
        )

    def finding(self, doubt: Doubt, answer: WebAnswer, known: Known) -> Finding | None:
        """Ours is known by its `SessionContext`."""
        return inquiry.read(doubt, answer)

    def _signed(self, action: str, asked: Mapping[str, Any], now: float) -> WebRequest:
        body = json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "host": urlsplit(self.settings.endpoint).netloc,
            "content-type": "application/json",
            "X-TC-Action": action,
            "X-TC-Version": VERSION,
            "X-TC-Timestamp": str(int(now)),
            "X-TC-Region": self.settings.region,
        }
        headers["Authorization"] = authorization(
            secret_id=self.settings.secret_id,
            secret=self.settings.secret_key,
            headers=headers,
            body=body,
            timestamp=int(now),
        )
        return WebRequest("POST", f"{self.settings.endpoint.rstrip('/')}/", headers, body)
