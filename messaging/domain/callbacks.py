"""What providers tell us by calling: proven to be theirs, stored with its effect in one transaction, answered after.

A receipt or a text is taken only for the gateway whose secret path was called and whose key signed it; ids of other
gateways are unknown here. An id we do not know is parked with the raw receipt. What came before changes nothing:
receipts commute, and an inbound text has a key that is taken once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

import structlog
from django.db import connection, transaction

from members.domain.enrolment import phone_hash
from members.enums import ConsentSource
from members.phones import InvalidPhone, normalize
from messaging.domain.gateways import is_allowed_source
from messaging.domain.inbound import Received, receive
from messaging.domain.suppressions import suppress
from messaging.enums import GatewayKind
from messaging.gateways.aliyun import callbacks as aliyun
from messaging.gateways.base import ReceiptIn
from messaging.gateways.callbacks import Acknowledgement, CallbackUnreadable, InboundCall
from messaging.gateways.http import callbacks as http
from messaging.gateways.http.signature import KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from messaging.gateways.http.signature import verify as verify_http
from messaging.gateways.refused_numbers import refused_by_the_number
from messaging.gateways.tencent import callbacks as tencent
from messaging.gateways.twilio import callbacks as twilio
from messaging.gateways.twilio.signature import HMAC_SHA1, HMAC_SHA256, asked_for
from messaging.gateways.twilio.signature import verify as verify_twilio
from messaging.models import Gateway, InboundKey
from messaging.secrets import SecretUnreadable, decrypt_secrets
from messaging.sql import statement

log = structlog.get_logger(__name__)

BODY_OCTETS_MAX = 1_000_000
ITEMS_MAX = 5_000
T = TypeVar("T")
What = Literal["receipts", "inbound"]
TWILIO_SIGNATURE, TWILIO_SETTINGS = "X-Twilio-Signature", "X-Twilio-Webhooks-Signature-Settings"

_RECEIPTS = statement("callback_receipts")
_OPT_OUTS = statement("receipt_opt_outs")
_FOLD = statement("fold")
_READERS: Mapping[str, ModuleType] = {
    GatewayKind.ALIYUN: aliyun,
    GatewayKind.TENCENT: tencent,
    GatewayKind.TWILIO: twilio,
    GatewayKind.HTTP: http,
}


class NotGenuine(Exception):
    """Nobody here is called so, or it was not the provider who called."""


class NotStored(Exception):
    """The database could not take it: the provider is to call again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came. `url` is the address as the provider wrote it; header names in any case."""

    token: str
    what: What
    url: str
    path: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    address: str


def take_in(call: Call, *, at: datetime) -> Acknowledgement:
    """Store what a provider tells. The answer is given only when all of it is committed.

    Raises NotGenuine, CallbackUnreadable (nothing was taken), NotStored.
    """
    gateway = _gateway_of(call)
    _check_genuine(gateway, call, at)
    reader = _READERS[gateway.kind]
    body = _form(call.body) if gateway.kind == GatewayKind.TWILIO else call.body
    if call.what == "receipts":
        _take_receipts(gateway, _some(reader.read_receipts(body)), at)
    else:
        _take_texts(gateway, _some(reader.read_inbound(body)), at)
    answer: Acknowledgement = reader.ACKNOWLEDGEMENT
    return answer


# ── whose call it is ────────────────────────────────────────────────────────────────────────────────────────


def _gateway_of(call: Call) -> Gateway:
    gateway = Gateway.objects.filter(callback_token=call.token).first() if call.token else None
    if gateway is None or gateway.kind not in _READERS:
        raise NotGenuine("no such path")
    if not is_allowed_source(gateway.callback_sources, call.address):
        log.warning("callback_refused", gateway=gateway.name, reason="source")
        raise NotGenuine("not from there")
    return gateway


def _check_genuine(gateway: Gateway, call: Call, at: datetime) -> None:
    """Aliyun and Tencent sign nothing: the secret path is their word. The others sign, and have to."""
    if gateway.kind in (GatewayKind.ALIYUN, GatewayKind.TENCENT):
        return
    try:
        secrets = decrypt_secrets(gateway.secret)
    except SecretUnreadable:
        secrets = {}
    headers = {name.lower(): value for name, value in call.headers.items()}
    check = _twilio_signed if gateway.kind == GatewayKind.TWILIO else _http_signed
    if not check(gateway, call, headers, secrets, at):
        log.warning("callback_refused", gateway=gateway.name, reason="signature")
        raise NotGenuine("not signed")


def _http_signed(
    gateway: Gateway, call: Call, headers: Mapping[str, str], secrets: Mapping[str, str], at: datetime
) -> bool:
    return headers.get(KEY_HEADER.lower()) == gateway.options.get("key_id") and verify_http(
        secret=secrets.get("secret", ""),
        timestamp=headers.get(TIMESTAMP_HEADER.lower(), ""),
        body=call.body,
        signature=headers.get(SIGNATURE_HEADER.lower(), ""),
        now=at.timestamp(),
    )


def _twilio_signed(
    gateway: Gateway, call: Call, headers: Mapping[str, str], secrets: Mapping[str, str], at: datetime
) -> bool:
    """Our key decides the form, not the request: with a shared key only HMAC-SHA256 by it will do."""
    key, algorithm = asked_for(headers.get(TWILIO_SETTINGS.lower(), ""))
    shared = secrets.get("shared_key", "")
    if shared:
        wanted = gateway.options.get("shared_key_id") or key
        if algorithm != HMAC_SHA256 or key != wanted:
            return False
    elif algorithm != HMAC_SHA1:
        return False
    public = str(gateway.options.get("public_url") or "").rstrip("/")
    is_json = call.content_type == "application/json"
    try:
        params = {} if is_json else _fields(call.body)
    except CallbackUnreadable:
        return False
    return verify_twilio(
        url=public + call.path if public else call.url,
        params=params,
        signature=headers.get(TWILIO_SIGNATURE.lower(), ""),
        secret=shared or secrets.get("auth_token", ""),
        algorithm=algorithm,
        body=call.body if is_json else None,
    )


def _fields(body: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in _pairs(body):
        found.setdefault(name, []).append(value)
    return found


def _form(body: bytes) -> dict[str, str]:
    return dict(_pairs(body))


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=500)
    except ValueError as problem:
        raise CallbackUnreadable("not a form") from problem


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────


def _some(items: Sequence[T]) -> Sequence[T]:
    if len(items) > ITEMS_MAX:
        raise CallbackUnreadable(f"{len(items)} items")
    return items


@transaction.atomic
def _take_receipts(gateway: Gateway, receipts: Sequence[ReceiptIn], at: datetime) -> None:
    """Raw, then what they move; unknown ids wait for theirs."""
    columns: dict[str, Any] = {
        "gateway": gateway.pk,
        "ids": [receipt.provider_id or "" for receipt in receipts],
        "stats": [receipt.stat for receipt in receipts],
        "errs": [receipt.err for receipt in receipts],
        "outcomes": [receipt.outcome for receipt in receipts],
        "finals": [receipt.is_final for receipt in receipts],
        "raws": [receipt.raw for receipt in receipts],
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECEIPTS, columns)
        (touched,) = cursor.fetchone()
        if touched:
            cursor.execute(_FOLD, {"ids": sorted(touched), "at": at})
        if refused := refused_by_the_number(receipts):
            cursor.execute(_OPT_OUTS, {"gateway": gateway.pk, "ids": refused, "parts": []})


@transaction.atomic
def _take_texts(gateway: Gateway, calls: Sequence[InboundCall], at: datetime) -> None:
    """All of a call or nothing of it: the provider sends the whole of it again."""
    for call in calls:
        _key, is_new = InboundKey.objects.get_or_create(
            gateway=gateway,
            digest=hashlib.sha256(call.key.encode()).digest(),
            defaults={"raw": call.sms.raw, "received_at": at},
        )
        if not is_new:
            continue
        if not all(receive([Received(gateway.pk, call.sms)], at=at)):
            raise NotStored
        if call.is_stop:
            _obey(call.sms.phone, at)


def _obey(phone: str, at: datetime) -> None:
    """The provider has understood an opt-out, whatever we made of the words."""
    try:
        suppress(phone_hash(normalize(phone)), ConsentSource.TEXT, at=at)
    except InvalidPhone:
        log.info("opt_out_without_number")
