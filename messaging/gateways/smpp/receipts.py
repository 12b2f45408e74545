"""Reading an SMSC's words.

What a receipt says, and what a submit's status asks of us. Literal tables, no state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from messaging.gateways.base import ReceiptOutcome
from messaging.gateways.smpp.pdus import TAG_MESSAGE_STATE, TAG_NETWORK_ERROR, TAG_RECEIPTED_MESSAGE_ID

SubmitAction = Literal["accepted", "retry", "throttle", "permanent", "stop_bind", "uncertain"]


class Receipt(NamedTuple):
    """`stat` is one of the eight words of `STATES` when it was recognised, else the SMSC's own, upper case.

    `id` is None and `stat` empty when the receipt names none. Not final: another receipt is still to come, or
    the message's own time limit decides.
    """

    id: str | None
    stat: str
    err: str
    outcome: ReceiptOutcome
    is_final: bool


# SMPP 3.4, 5.2.28: the TLV message_state and the words of appendix B.
STATES: dict[int, str] = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}

# UNKNOWN says that the SMSC has lost sight of the message, not that it failed: a later receipt may still
# decide.
OUTCOMES: dict[str, tuple[ReceiptOutcome, bool]] = {
    "ENROUTE": ("accepted", False),
    "ACCEPTD": ("accepted", False),
    "DELIVRD": ("delivered", True),
    "EXPIRED": ("undelivered", True),
    "DELETED": ("undelivered", True),
    "UNDELIV": ("undelivered", True),
    "REJECTD": ("undelivered", True),
    "UNKNOWN": ("unknown", False),
}

# Spellings met at gateways that write the words out or cut them elsewhere.
_SPELLINGS: dict[str, str] = {
    "DELIVERED": "DELIVRD",
    "DELIVERD": "DELIVRD",
    "DELIVRED": "DELIVRD",
    "UNDELIVERABLE": "UNDELIV",
    "UNDELIVERED": "UNDELIV",
    "UNDELIVRD": "UNDELIV",
    "UNDLVRD": "UNDELIV",
    "FAILED": "UNDELIV",
    "NOT_DELIVERED": "UNDELIV",
    "DELIVERY_FAILED": "UNDELIV",
    "DELIVERED_TO_HANDSET": "DELIVRD",
    "REJECTED": "REJECTD",
    "REJCTED": "REJECTD",
    "REJECT": "REJECTD",
    "ACCEPTED": "ACCEPTD",
    "ACCEPT": "ACCEPTD",
    "BUFFERED": "ENROUTE",
    "BUFFRED": "ENROUTE",
    "EXPIRD": "EXPIRED",
    "DELETD": "DELETED",
    "UNKNOWN": "UNKNOWN",
    "UNKNWN": "UNKNOWN",
} | {word: word for word in STATES.values()}

_NO_TLVS: Mapping[int, bytes | str | int] = MappingProxyType({})

# The form of appendix B, for speed; everything else goes through the three searches below.
_appendix_b = re.compile(
    r"id:([^\s:]+) sub:\d* dlvrd:\d* submit date:\d* done date:\d* stat:([A-Z]+) err:([^\s:]*)(?: |\Z)",
    re.IGNORECASE,
).match
# Names may be quoted (JSON) and stand behind any of the separators seen; a value ends at the next of them.
_BEFORE, _IS, _VALUE = r"(?:^|[\s,;|&{])[\"']?", r"[\"']?\s*[:=]\s*[\"']?", r"([^\s,;|&\"'}]+)"
_text_field = re.compile(rf"{_BEFORE}te?xt{_IS}", re.IGNORECASE)
_id_field = re.compile(
    rf"{_BEFORE}(?:(?:msg|message|receipted_message)[ _-]?)?id{_IS}{_VALUE}", re.IGNORECASE
)
_stat_field = re.compile(
    rf"{_BEFORE}(?:message[ _-]?)?stat(?:us|e)?{_IS}([A-Za-z][A-Za-z_-]*(?!\s*[:=])\b|\d{{1,3}})",
    re.IGNORECASE,
)
_err_field = re.compile(rf"{_BEFORE}err(?:or)?(?:[ _-]?code)?{_IS}{_VALUE}", re.IGNORECASE)
_a_field_name = re.compile(r"(?:id|sub|dlvrd|submit|done|stat|err|text)\w*\s*[:=]", re.IGNORECASE).match


def parse_receipt(text: str | bytes, tlvs: Mapping[int, bytes | str | int] = _NO_TLVS) -> Receipt:
    """Read a receipt in any order, case and spacing; never fails.

    The TLVs receipted_message_id, message_state and network_error_code win over the text. The id is kept exactly as written:
    whether the submit's answer wrote the same number in another base is the connection's setting, not this
    function's guess.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    message_id, word, err = _read_text(text) if text else (None, "", "")
    if tlvs:
        message_id = _tlv_text(tlvs.get(TAG_RECEIPTED_MESSAGE_ID)) or message_id
        word = STATES.get(_tlv_number(tlvs.get(TAG_MESSAGE_STATE)), word)
        err = _network_error(tlvs.get(TAG_NETWORK_ERROR)) or err
    known = OUTCOMES.get(word)
    if known is None:
        word = word.upper()
        word = _SPELLINGS.get(word, word)
        known = OUTCOMES.get(word, ("unknown", False))
    return Receipt(message_id, word, err, *known)


# Everything not named is a definite, permanent no, as Kannel decides too. 0x08, 0x45 and 0xFF may be said by
# an SMSC that has stored the message all the same: uncertain here; the caller may treat them as a no for
# classes that are allowed a second copy. 0x04 and 0x05 mean that the bind is in the wrong state: nothing was
# taken, bind again.
_ACTIONS: dict[int, SubmitAction] = {
    0x00: "accepted",
    0x04: "retry",
    0x05: "retry",
    0x08: "uncertain",
    0x0D: "stop_bind",
    0x0E: "stop_bind",
    0x0F: "stop_bind",
    0x14: "retry",
    0x45: "uncertain",
    0x58: "throttle",
    0x64: "retry",
    0xFF: "uncertain",
}


def submit_action(status: int) -> SubmitAction:
    """What the status of a submit_sm_resp, a generic_nack or a bind answer asks for.

    throttle: pause this connection; retry: this message again later, same gateway; permanent: never with this
    content and number; stop_bind: the account is wrong, a person must act; uncertain: it may or may not have
    been taken.
    """
    return _ACTIONS.get(status, "permanent")


def _read_text(text: str) -> tuple[str | None, str, str]:
    found = _appendix_b(text)
    if found:
        message_id, word, err = found.groups()
        return message_id, word, err
    body = _text_field.split(text, 1)[0]  # the message's own beginning may imitate fields
    word = _search(_stat_field, body)
    if word.isdecimal():
        word = STATES.get(int(word), word)
    return _search(_id_field, body) or None, word.replace("-", "_"), _search(_err_field, body)


def _search(pattern: re.Pattern[str], text: str) -> str:
    """A field's value; "" also when another field follows at once ("id: sub:001" names no id)."""
    found = pattern.search(text)
    return "" if found is None or _a_field_name(found[1]) else found[1]


def _tlv_text(value: bytes | str | int | None) -> str | None:
    if value is None:
        return None
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text.split("\0", 1)[0].strip() or None


def _tlv_number(value: bytes | str | int | None) -> int:
    """0 (no state) for anything that is not a number."""
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return int.from_bytes(value[:4], "big")
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) < 9 else 0


def _network_error(value: bytes | str | int | None) -> str:
    """network_error_code is a network type and two octets of that network's code: "3:34"."""
    if isinstance(value, bytes) and len(value) == 3:
        return f"{value[0]}:{int.from_bytes(value[1:], 'big')}"
    return _tlv_text(value) or ""
