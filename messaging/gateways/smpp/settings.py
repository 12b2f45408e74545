"""One SMPP account as data: where, who, how fast, and the habits of its SMSC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from messaging.gateways.options import read_options

BindKind = Literal["transceiver", "transmitter", "receiver", "pair"]
Alphabet = Literal["gsm7", "latin1", "ascii"]
IdForm = Literal["exact", "hex_to_dec", "dec_to_hex"]
LongTexts = Literal["udh8", "udh16", "sar", "payload"]


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """`window` is the most submit_sm open at once.

    `bind` "pair": a transmitter and a receiver on two connections, for SMSCs without transceivers.

    `default_alphabet` is what `default_data_coding` means at this SMSC.

    `receipt_ids`: what the submit's answer writes and what the receipt writes: the same word ("exact"), a
    hexadecimal number and a decimal one ("hex_to_dec") or the other way round ("dec_to_hex").

    `long_texts`: how the parts of a long text find each other: a header in the text with an 8-bit or 16-bit
    reference, the sar_* parameters, or one submit_sm with message_payload that the SMSC cuts itself. Never
    two of them at once.

    `short_code_ton` and `short_code_npi` go with a sender that is digits without "+" (some aggregators want
    0/0).

    `sends_validity`: say until when the SMSC may try; off for one that refuses the relative form.
    """

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    bind: BindKind = "transceiver"
    tls: bool = False
    tls_ca_file: str = ""
    window: int = 10
    default_alphabet: Alphabet = "gsm7"
    default_data_coding: int = 0
    receipt_ids: IdForm = "exact"
    long_texts: LongTexts = "udh8"
    sends_validity: bool = True
    short_code_ton: int = 3
    short_code_npi: int = 0
    connect_timeout_seconds: float = 10.0
    bind_timeout_seconds: float = 10.0
    submit_timeout_seconds: float = 30.0
    enquire_seconds: float = 30.0
    enquire_timeout_seconds: float = 10.0
    delivers_open_max: int = 5_000  # unanswered ones before reading from the socket pauses

    @classmethod
    def from_options(cls, options: Mapping[str, Any], **fixed: Any) -> SmppSettings:
        """The gateway's columns and its options together. Raises `BadOption`."""
        return read_options(cls, options, **fixed)
