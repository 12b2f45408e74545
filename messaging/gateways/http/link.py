"""A gateway of one's own as a `Provider`: one signed JSON object for each text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from messaging.gateways.base import BindRefused, LinkDown, OutboundSms
from messaging.gateways.http import answers
from messaging.gateways.http.settings import HttpSettings
from messaging.gateways.http.signature import KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from messaging.gateways.web import Verdict, WebAnswer, WebRequest


class Http:
    """`id` names the attempt: the other side answers a repeated id as it did the first time."""

    def __init__(self, settings: HttpSettings) -> None:
        self.settings = settings

    def batches(self, messages: Sequence[OutboundSms]) -> Iterable[tuple[OutboundSms, ...]]:
        """Each by itself."""
        return [(message,) for message in messages]

    def request(self, batch: tuple[OutboundSms, ...], now: float, nonce: str) -> WebRequest:
        """POST <url>/messages."""
        (message,) = batch
        said: dict[str, Any] = {
            "id": str(message.attempt_id),
            "to": message.phone,
            "from": message.sender,
            "text": message.text,
            "class": message.message_class,
            "encoding": message.encoding,
            "parts": len(message.parts),
            "valid_seconds": message.validity_seconds,
        }
        if message.provider_text is not None:
            text = message.provider_text
            said["template"] = {
                "code": text.code,
                "signature": text.signature,
                "values": dict(text.values),
            }
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        return self._signed("POST", "/messages", body, now)

    def verdicts(self, batch: tuple[OutboundSms, ...], answer: WebAnswer) -> list[Verdict] | None:
        """Answers are read in `answers`."""
        return [answers.read_answer(answer)]

    def greeting(self, now: float, nonce: str) -> WebRequest:
        """GET <url>/status, signed over the empty body."""
        return self._signed("GET", "/status", b"", now)

    def check_greeting(self, answer: WebAnswer) -> None:
        """Any 2xx is a welcome, and so is 404: the status page may be missing."""
        if answer.status in (401, 403):
            raise BindRefused(answer.status, is_final=True, word=f"HTTP {answer.status}")
        if not (200 <= answer.status < 300 or answer.status in (404, 405)):
            raise LinkDown(f"HTTP {answer.status}")

    def _signed(self, method: str, path: str, body: bytes, now: float) -> WebRequest:
        timestamp = str(int(now))
        headers = {
            KEY_HEADER: self.settings.key_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(secret=self.settings.secret, timestamp=timestamp, body=body),
            "accept": "application/json",
        }
        if body:
            headers["content-type"] = "application/json"
        return WebRequest(method, self.settings.url.rstrip("/") + path, headers, body)
