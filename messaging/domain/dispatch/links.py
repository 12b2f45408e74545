"""From a gateway's row to its link: one line for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from messaging.domain.dispatch.lease import GatewayConfig
from messaging.domain.gateways import status_callback
from messaging.enums import GatewayKind
from messaging.gateways.aliyun.link import Aliyun
from messaging.gateways.aliyun.settings import AliyunSettings
from messaging.gateways.base import GatewayLink
from messaging.gateways.cmpp.link import CmppLink
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.http.link import Http
from messaging.gateways.http.settings import HttpSettings
from messaging.gateways.smpp.link import SmppLink
from messaging.gateways.smpp.settings import SmppSettings
from messaging.gateways.tencent.link import Tencent
from messaging.gateways.tencent.settings import TencentSettings
from messaging.gateways.twilio.link import Twilio
from messaging.gateways.twilio.settings import TwilioSettings
from messaging.gateways.web import Provider, WebLink, WebSettings
from messaging.secrets import decrypt_secret, decrypt_secrets

Callbacks = tuple[Callable[..., None], Callable[..., None], Callable[[str], None]]
Make = Callable[[GatewayConfig, float, Callbacks], GatewayLink]


class UnknownKind(ValueError):
    """Nobody here speaks this gateway's language."""


def link_for(
    config: GatewayConfig,
    answer_seconds: float,
    on_results: Callable[..., None],
    on_delivers: Callable[..., None],
) -> GatewayLink:
    """The link of one gateway. Raises SecretUnreadable; TypeError and ValueError for options it cannot use."""
    make = LINKS.get(GatewayKind(config.kind))
    if make is None:
        raise UnknownKind(config.kind)
    return make(config, answer_seconds, (on_results, on_delivers, lambda _reason: None))


def _smpp(config: GatewayConfig, answer_seconds: float, callbacks: Callbacks) -> GatewayLink:
    settings = SmppSettings.from_options(
        config.options,
        host=config.host,
        port=config.port,
        system_id=config.system_id,
        password=decrypt_secret(config.secret),
        window=config.window,
        submit_timeout_seconds=answer_seconds,
    )
    return SmppLink(settings, *callbacks)


def _cmpp(config: GatewayConfig, answer_seconds: float, callbacks: Callbacks) -> GatewayLink:
    settings = CmppSettings.from_options(
        config.options,
        host=config.host,
        port=config.port,
        sp_id=config.system_id,
        secret=decrypt_secret(config.secret),
        access_number=config.sender,
        window=config.window,
        submit_timeout_seconds=answer_seconds,
    )
    return CmppLink(settings, *callbacks)


def _web(config: GatewayConfig, answer_seconds: float, callbacks: Callbacks) -> GatewayLink:
    settings = WebSettings(window=config.window, answer_timeout_seconds=answer_seconds)
    return WebLink(provider_for(config), settings, *callbacks)


def provider_for(config: GatewayConfig) -> Provider:
    """The provider of a gateway spoken to over HTTP. Raises as `link_for` does."""
    make = PROVIDERS.get(GatewayKind(config.kind))
    if make is None:
        raise UnknownKind(config.kind)
    return make(config, dict(config.options) | decrypt_secrets(config.secret))


def _aliyun(config: GatewayConfig, told: dict[str, Any]) -> Provider:
    return Aliyun(AliyunSettings(**_only(told, "access_key_id access_key_secret endpoint batch_max")))


def _tencent(config: GatewayConfig, told: dict[str, Any]) -> Provider:
    return Tencent(
        TencentSettings(**_only(told, "secret_id secret_key sdk_app_id region endpoint batch_max"))
    )


def _twilio(config: GatewayConfig, told: dict[str, Any]) -> Provider:
    names = (
        "account_sid auth_token api_key_sid api_key_secret messaging_service_sid is_smart_encoded endpoint"
    )
    reports_to = status_callback(told, config.callback_token)
    return Twilio(TwilioSettings(**_only(told, names), status_callback=reports_to))


def _http(config: GatewayConfig, told: dict[str, Any]) -> Provider:
    return Http(HttpSettings(**_only(told, "url key_id secret")))


def _only(told: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: told[name] for name in names.split() if told.get(name) not in (None, "")}


PROVIDERS: dict[GatewayKind, Callable[[GatewayConfig, dict[str, Any]], Provider]] = {
    GatewayKind.ALIYUN: _aliyun,
    GatewayKind.TENCENT: _tencent,
    GatewayKind.TWILIO: _twilio,
    GatewayKind.HTTP: _http,
}

# A kind without a line here is not offered.
LINKS: dict[GatewayKind, Make] = {
    GatewayKind.SMPP: _smpp,
    GatewayKind.CMPP: _cmpp,
} | dict.fromkeys(PROVIDERS, _web)
