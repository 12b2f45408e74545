"""What each kind of gateway has to be told, and a test text through one of them."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.domain.enrolment import phone_hash
from members.models import Store
from messaging.domain.outbox import Draft, Enqueued, enqueue, recipient_zone
from messaging.domain.texts import system_text
from messaging.enums import TEMPLATE_KINDS, Cause, GatewayKind
from messaging.models import Gateway, Message
from messaging.states import State

TEST_LIFETIME = timedelta(minutes=10)
Sort = Literal["text", "url", "yes", "number", "choice", "secret"]


class Option(NamedTuple):
    """One thing a kind of gateway is told. `sort` "secret" goes in and never comes out."""

    name: str
    label: Promise | str
    sort: Sort = "text"
    is_required: bool = True
    initial: Any = ""
    help_text: Promise | str = ""
    choices: tuple[tuple[str, Promise | str], ...] = ()


_PUBLIC_URL = Option(
    "public_url",
    _("This house’s address on the internet"),
    "url",
    is_required=False,
    help_text=_("As the provider reaches it, for example https://shop.example. Reports come to it."),
)

OPTIONS: dict[GatewayKind, tuple[Option, ...]] = {
    GatewayKind.SMPP: (
        Option(
            "bind",
            _("Connections"),
            "choice",
            initial="transceiver",
            choices=(
                ("transceiver", _("One for both ways")),
                ("pair", _("One for each way")),
                ("transmitter", _("Only to send")),
                ("receiver", _("Only to receive")),
            ),
        ),
        Option("tls", "TLS", "yes", is_required=False, initial=False),
        Option("system_type", _("System type"), is_required=False),
        Option(
            "default_alphabet",
            _("Alphabet of plain texts"),
            "choice",
            initial="gsm7",
            choices=(("gsm7", "GSM 7-bit"), ("latin1", "Latin 1"), ("ascii", "ASCII")),
        ),
        Option(
            "long_texts",
            _("How long texts are joined"),
            "choice",
            initial="udh8",
            choices=(
                ("udh8", _("Header, short reference")),
                ("udh16", _("Header, long reference")),
                ("sar", _("Parameters (sar)")),
                ("payload", _("The carrier cuts them")),
            ),
        ),
        Option(
            "receipt_ids",
            _("Numbers in receipts"),
            "choice",
            initial="exact",
            choices=(
                ("exact", _("As in the answer")),
                ("hex_to_dec", _("Hexadecimal in the answer, decimal in the receipt")),
                ("dec_to_hex", _("Decimal in the answer, hexadecimal in the receipt")),
            ),
        ),
        Option(
            "sends_validity", _("Say until when a text may arrive"), "yes", is_required=False, initial=True
        ),
    ),
    GatewayKind.CMPP: (
        Option(
            "version",
            _("Version"),
            "choice",
            initial="2.0",
            choices=(("2.0", "CMPP 2.0"), ("3.0", "CMPP 3.0")),
        ),
        Option("service_id", _("Service ID"), is_required=False),
        Option("msg_src", _("Who is billed"), is_required=False, help_text=_("Empty: the enterprise code.")),
        Option(
            "phone_prefix", _("Before each number"), is_required=False, help_text=_("86 at some carriers.")
        ),
        Option(
            "sends_validity", _("Say until when a text may arrive"), "yes", is_required=False, initial=True
        ),
    ),
    GatewayKind.ALIYUN: (
        Option("access_key_id", _("AccessKey ID")),
        Option("access_key_secret", _("AccessKey secret"), "secret"),
        Option("endpoint", _("Address of the service"), "url", initial="https://dysmsapi.aliyuncs.com"),
        Option(
            "batch_max",
            _("Texts in one request at most"),
            "number",
            is_required=False,
            initial=1,
            help_text=_("1 to 100. A request without an answer leaves so many texts in doubt."),
        ),
    ),
    GatewayKind.TENCENT: (
        Option("secret_id", _("SecretId")),
        Option("secret_key", _("SecretKey"), "secret"),
        Option("sdk_app_id", _("SmsSdkAppId")),
        Option("region", _("Region"), initial="ap-guangzhou"),
        Option("endpoint", _("Address of the service"), "url", initial="https://sms.tencentcloudapi.com"),
        Option(
            "batch_max",
            _("Texts in one request at most"),
            "number",
            is_required=False,
            initial=50,
            help_text=_("1 to 200. A request without an answer leaves so many texts in doubt."),
        ),
    ),
    GatewayKind.TWILIO: (
        Option("account_sid", _("Account SID")),
        Option("auth_token", _("Auth token"), "secret"),
        Option("api_key_sid", _("API key SID"), is_required=False),
        Option("api_key_secret", _("API key secret"), "secret", is_required=False),
        Option("messaging_service_sid", _("Messaging service SID"), is_required=False),
        Option("shared_key_id", _("Key ID of signed callbacks"), is_required=False),
        Option(
            "shared_key",
            _("Key of signed callbacks"),
            "secret",
            is_required=False,
            help_text=_("Once it is set, callbacks signed with the auth token are refused."),
        ),
        _PUBLIC_URL,
        Option(
            "is_smart_encoded",
            _("Let Twilio replace characters"),
            "yes",
            is_required=False,
            initial=False,
            help_text=_("Cheaper at times, but the text is then not the one that was approved and counted."),
        ),
        Option("endpoint", _("Address of the service"), "url", initial="https://api.twilio.com"),
    ),
    GatewayKind.HTTP: (
        Option("url", _("Base address"), "url", help_text=_("Texts are posted to its /messages.")),
        Option("key_id", _("Key ID")),
        Option("secret", _("Key"), "secret", help_text=_("Signs both ways. At least 16 characters.")),
    ),
}


def is_safe_address(url: str) -> bool:
    """https, or plain http to this machine or its own network: keys do not travel openly."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_near(host))


def is_allowed_source(sources: str, address: str) -> bool:
    """Whether a report may come from this address; no list allows every one."""
    if not sources.split():
        return True
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return False
    given = getattr(given, "ipv4_mapped", None) or given
    return any(given in ipaddress.ip_network(source, strict=False) for source in sources.split())


def new_token() -> str:
    """A secret path: 192 bits."""
    return secrets.token_urlsafe(24)


def prepare(gateway: Gateway) -> None:
    """What follows from a gateway's kind, before it is saved."""
    gateway.needs_template = gateway.kind in TEMPLATE_KINDS
    gateway.callback_token = gateway.callback_token or new_token()


def callback_paths(gateway: Gateway) -> dict[str, str]:
    """Where its provider reports to, by what it reports; nothing for kinds that have a connection for it."""
    if gateway.kind in (GatewayKind.SMPP, GatewayKind.CMPP) or not gateway.callback_token:
        return {}
    return {what: callback_path(gateway.callback_token, what) for what in ("receipts", "inbound")}


def callback_path(token: str, what: str) -> str:
    """The path below this house's address."""
    return f"/hooks/gateways/{token}/{what}"


def status_callback(options: Mapping[str, Any], token: str) -> str:
    """The whole address for a provider that is told it with each text; empty while nobody has said ours."""
    public = str(options.get("public_url") or "").rstrip("/")
    return public + callback_path(token, "receipts") if public and token else ""


@transaction.atomic
def send_test(*, gateway: Gateway, phone: str, store: Store, language: str, at: datetime) -> Enqueued:
    """Queue the engine's own test text for this gateway alone, whatever the routes say."""
    message_class, composed = system_text(
        "test",
        language=language,
        values={"gateway": gateway.name[:30]},
        signature=store.sms_signature,
        phone=phone,
    )
    draft = Draft(
        phone=phone,
        phone_hash=phone_hash(phone),
        store_id=store.pk,
        message_class=message_class,
        text=composed.text,
        encoding=composed.encoding,
        parts=composed.parts,
        cause=Cause.TEST,
        cause_id=secrets.randbelow(2**62),
        timezone=recipient_zone(None, phone, store),
        language=language,
        expires_at=at + TEST_LIFETIME,
        refusal=composed.refusal,
    )
    (enqueued,) = enqueue([draft], at=at)
    Message.objects.filter(pk=enqueued.message_id, state=State.QUEUED).update(gateway=gateway)
    return enqueued


def _is_near(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
