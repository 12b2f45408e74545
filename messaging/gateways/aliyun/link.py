"""Aliyun as a `Provider`: SendSms, and SendBatchSms where texts may share a request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from messaging.gateways.aliyun import answers, inquiry
from messaging.gateways.aliyun.settings import AliyunSettings
from messaging.gateways.aliyun.signature import authorization
from messaging.gateways.base import BindRefused, LinkDown, OutboundSms, ProviderText
from messaging.gateways.lookup import Doubt, Finding, Known
from messaging.gateways.web import Unaskable, Verdict, WebAnswer, WebRequest, json_object
from messaging.states import Reason

VERSION = "2017-05-25"


class Aliyun:
    """Texts go out by template code, signature and values; the wording itself is the provider's."""

    def __init__(self, settings: AliyunSettings) -> None:
        self.settings = settings

    def batches(self, messages: Sequence[OutboundSms]) -> Iterable[tuple[OutboundSms, ...]]:
        """Texts of one template together, each number once; codes always alone."""
        most = max(1, min(100, self.settings.batch_max))
        groups: dict[str, list[OutboundSms]] = {}
        for message in messages:
            text = message.provider_text
            if most == 1 or text is None or message.message_class == "verification":
                yield (message,)
                continue
            group = groups.setdefault(text.code, [])
            if len(group) == most or any(other.phone == message.phone for other in group):
                yield tuple(group)
                group.clear()
            group.append(message)
        for group in groups.values():
            if group:
                yield tuple(group)

    def request(self, batch: tuple[OutboundSms, ...], now: float, nonce: str) -> WebRequest:
        """Everything of SendSms goes in the query; of SendBatchSms the lists go in a form."""
        texts = [_provider_text(message) for message in batch]
        if len(batch) == 1:
            query = {
                "PhoneNumbers": _number(batch[0].phone),
                "SignName": texts[0].signature,
                "TemplateCode": texts[0].code,
                "TemplateParam": _values(texts[0]),
                "OutId": str(batch[0].attempt_id),
            }
            return self._signed("SendSms", query, b"", now, nonce)
        form = {
            "PhoneNumberJson": _json([_number(message.phone) for message in batch]),
            "SignNameJson": _json([text.signature for text in texts]),
            "TemplateParamJson": _json([dict(text.values) for text in texts]),
        }
        query = {"TemplateCode": texts[0].code}
        return self._signed("SendBatchSms", query, urlencode(form).encode(), now, nonce)

    def verdicts(self, batch: tuple[OutboundSms, ...], answer: WebAnswer) -> list[Verdict] | None:
        """Answers are read in `answers`."""
        return answers.read_answer(batch, answer)

    def greeting(self, now: float, nonce: str) -> WebRequest:
        """One line of the list of templates: asks nothing of the phones, and tells whether the key is right."""
        return self._signed("QuerySmsTemplateList", {"PageIndex": "1", "PageSize": "1"}, b"", now, nonce)

    def check_greeting(self, answer: WebAnswer) -> None:
        """A key without leave to read templates may still be good for sending: only a wrong one is refused."""
        code = str(json_object(answer.body).get("Code", ""))
        if code.startswith(answers.WRONG_KEY):
            raise BindRefused(answer.status, is_final=True, word=code)
        if answer.status >= 500:
            raise LinkDown(f"HTTP {answer.status} {code}".strip())

    def inquiry(self, doubt: Doubt, now: float, nonce: str) -> WebRequest:
        """What was sent to this number on that day."""
        return self._signed("QuerySendDetails", inquiry.query(doubt, _number(doubt.phone)), b"", now, nonce)

    def finding(self, doubt: Doubt, answer: WebAnswer, known: Known) -> Finding | None:
        """Ours is known by its `OutId`, which texts of a batch have not."""
        return inquiry.read(doubt, answer, is_alone=self.settings.batch_max <= 1)

    def _signed(
        self, action: str, query: Mapping[str, str], body: bytes, now: float, nonce: str
    ) -> WebRequest:
        headers = {
            "host": urlsplit(self.settings.endpoint).netloc,
            "x-acs-action": action,
            "x-acs-version": VERSION,
            "x-acs-date": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": nonce,
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        }
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        headers["Authorization"] = authorization(
            key_id=self.settings.access_key_id,
            secret=self.settings.access_key_secret,
            method="POST",
            query=query,
            headers=headers,
            body=body,
        )
        url = f"{self.settings.endpoint.rstrip('/')}/?{urlencode(query, quote_via=quote)}"
        return WebRequest("POST", url, headers | {"accept": "application/json"}, body)


def _provider_text(message: OutboundSms) -> ProviderText:
    if message.provider_text is None:
        raise Unaskable("no provider template", Reason.NO_TEMPLATE)
    return message.provider_text


def _number(phone: str) -> str:
    """Mainland numbers without +86, others with their country's digits."""
    return phone.removeprefix("+86") if phone.startswith("+86") else phone.removeprefix("+")


def _values(text: ProviderText) -> str:
    return _json(dict(text.values))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
