"""Twilio as a `Provider`: one form for each text."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlencode

from messaging.gateways.base import BindRefused, LinkDown, OutboundSms
from messaging.gateways.lookup import Doubt, Finding, Known
from messaging.gateways.twilio import answers, inquiry
from messaging.gateways.twilio.settings import TwilioSettings
from messaging.gateways.web import Unaskable, Verdict, WebAnswer, WebRequest, json_object
from messaging.states import Reason

BODY_MAX = 1_600
VALIDITY_SECONDS = range(1, 36_001)  # at most ten hours


class Twilio:
    """The whole text goes out; Twilio cuts it and puts it together on the phone."""

    def __init__(self, settings: TwilioSettings) -> None:
        self.settings = settings

    def batches(self, messages: Sequence[OutboundSms]) -> Iterable[tuple[OutboundSms, ...]]:
        """Each by itself: Twilio has no batch."""
        return [(message,) for message in messages]

    def request(self, batch: tuple[OutboundSms, ...], now: float, nonce: str) -> WebRequest:
        """`To`, who from, the text. Reports are asked for when there is somewhere to send them."""
        (message,) = batch
        if len(message.text) > BODY_MAX:
            raise Unaskable(f"{len(message.text)} characters", Reason.TOO_LONG)
        form = {"To": message.phone, "Body": message.text}
        if self.settings.messaging_service_sid:
            form["MessagingServiceSid"] = self.settings.messaging_service_sid
        elif message.sender:
            form["From"] = message.sender
        else:
            raise Unaskable("no sender", Reason.SENDER_REFUSED)
        if self.settings.status_callback:
            form["StatusCallback"] = self.settings.status_callback
        if message.validity_seconds:
            form["ValidityPeriod"] = str(min(message.validity_seconds, VALIDITY_SECONDS[-1]))
        form["SmartEncoded"] = "true" if self.settings.is_smart_encoded else "false"
        headers = self._headers() | {"content-type": "application/x-www-form-urlencoded"}
        return WebRequest("POST", self._url("/Messages.json"), headers, urlencode(form).encode())

    def verdicts(self, batch: tuple[OutboundSms, ...], answer: WebAnswer) -> list[Verdict] | None:
        """Answers are read in `answers`."""
        return [answers.read_answer(answer)]

    def greeting(self, now: float, nonce: str) -> WebRequest:
        """The account's own page: 401 when the log-in is wrong."""
        return WebRequest("GET", self._url(".json"), self._headers())

    def check_greeting(self, answer: WebAnswer) -> None:
        """An API key may have no leave to read the account (403) and be good for sending."""
        if answer.status in (401, 404):
            code = str(json_object(answer.body).get("code") or f"HTTP {answer.status}")
            raise BindRefused(answer.status, is_final=True, word=code)
        if answer.status >= 500 or answer.status == 429:
            raise LinkDown(f"HTTP {answer.status}")
        if json_object(answer.body).get("status") in ("suspended", "closed"):
            raise BindRefused(answer.status, is_final=True, is_account=True, word="account suspended")

    def inquiry(self, doubt: Doubt, now: float, nonce: str) -> WebRequest:
        """The newest texts to this number."""
        return WebRequest("GET", self._url(inquiry.path(doubt)), self._headers())

    def finding(self, doubt: Doubt, answer: WebAnswer, known: Known) -> Finding | None:
        """Ours is known by its words and its minute."""
        return inquiry.read(doubt, answer, known)

    def _url(self, path: str) -> str:
        account = quote(self.settings.account_sid, safe="")
        return f"{self.settings.endpoint.rstrip('/')}/2010-04-01/Accounts/{account}{path}"

    def _headers(self) -> dict[str, str]:
        account = self.settings
        user, word = (
            (account.api_key_sid, account.api_key_secret)
            if account.api_key_sid
            else (account.account_sid, account.auth_token)
        )
        secret = base64.b64encode(f"{user}:{word}".encode()).decode()
        return {"Authorization": f"Basic {secret}", "accept": "application/json"}
