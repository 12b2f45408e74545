"""One SMPP account as data: where, who, how fast, and the habits of its SMSC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BindKind = Literal["transceiver", "transmitter", "receiver"]
Alphabet = Literal["gsm7", "latin1", "ascii"]


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """`window` is the most submit_sm open at once.

    `default_alphabet` is what data_coding 0 means at this SMSC.

    `short_code_ton` and `short_code_npi` go with a sender that is digits without "+" (some aggregators want
    0/0).
    """

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    bind: BindKind = "transceiver"
    tls: bool = False
    window: int = 10
    default_alphabet: Alphabet = "gsm7"
    short_code_ton: int = 3
    short_code_npi: int = 0
    connect_timeout_seconds: float = 10.0
    bind_timeout_seconds: float = 10.0
    submit_timeout_seconds: float = 30.0
    enquire_seconds: float = 30.0
    enquire_timeout_seconds: float = 10.0
    delivers_open_max: int = 5_000  # unanswered ones before reading from the socket pauses
