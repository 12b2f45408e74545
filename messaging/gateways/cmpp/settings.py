"""One CMPP account as data: where, who, which number, and the habits of its gateway (ISMG)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from messaging.gateways.cmpp.pdus import Version
from messaging.gateways.cmpp.receipts import SubmitAction
from messaging.gateways.options import read_options


@dataclass(frozen=True, slots=True)
class CmppSettings:
    """`sp_id` is the six-octet enterprise code (Source_Addr), `secret` the shared one.

    `access_number` is the 106 number the carrier gave; a message's sender is that number, an extension of it
    (digits that do not begin with it) or empty. `msg_src` is who is billed, `sp_id` when empty.

    `phone_prefix` goes before the eleven digits of a phone ("86" at some gateways).

    `result_actions` says what the gateway's own Results mean: {"107": "throttle"}.

    `submit_timeout_seconds` is the protocol's T: 60 s. After it a text is in doubt; it is never repeated from
    here. `active_test_seconds`: the protocol's C is 180; a dead line is found sooner with less.

    `checks_gateway`: refuse a gateway that cannot prove it knows the secret. Off, because several compute
    that proof otherwise or leave it out.
    """

    host: str
    port: int
    sp_id: str
    secret: str = field(repr=False)
    access_number: str = ""
    version: Version = "2.0"
    window: int = 16
    msg_src: str = ""
    service_id: str = ""
    msg_level: int = 1
    fee_user_type: int = 2
    fee_terminal_id: str = ""
    fee_type: str = "01"
    fee_code: str = "000000"
    wants_receipts: bool = True
    sends_validity: bool = True
    phone_prefix: str = ""
    result_actions: Mapping[str, SubmitAction] = field(default_factory=dict)
    checks_gateway: bool = False
    connect_timeout_seconds: float = 10.0
    bind_timeout_seconds: float = 10.0
    submit_timeout_seconds: float = 60.0
    active_test_seconds: float = 30.0
    active_test_timeout_seconds: float = 10.0
    delivers_open_max: int = 1_000  # unanswered ones before reading from the socket pauses

    @classmethod
    def from_options(cls, options: Mapping[str, Any], **fixed: Any) -> CmppSettings:
        """The gateway's columns and its options together. Raises `BadOption`."""
        return read_options(cls, options, **fixed)
