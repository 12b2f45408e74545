"""One Twilio account as data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """Log in with the account's token or with an API key (`api_key_sid`, `api_key_secret`).

    `status_callback` is the address Twilio reports to; empty asks for no reports. `is_smart_encoded` lets Twilio
    replace characters, which would send other words than those approved and counted.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    api_key_sid: str = ""
    api_key_secret: str = field(default="", repr=False)
    messaging_service_sid: str = ""
    status_callback: str = ""
    is_smart_encoded: bool = False
    endpoint: str = "https://api.twilio.com"
