"""Reading a carrier's words: what a receipt's Stat says, and what a Result asks of us. Literal tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from messaging.gateways.base import ReceiptOutcome

SubmitAction = Literal["accepted", "retry", "throttle", "permanent", "stop_bind", "uncertain"]


class Verdict(NamedTuple):
    """`is_final` False: another receipt may come, or the message's own time limit decides."""

    outcome: ReceiptOutcome
    is_final: bool


_LOST, _OPEN = Verdict("undelivered", True), Verdict("unknown", False)

# CMPP 3.0, 8.4.5.1. ACCEPTD and ENROUTE are on the way; UNKNOWN is a gateway that lost sight of it.
_WORDS: dict[str, Verdict] = {
    "DELIVRD": Verdict("delivered", True),
    "EXPIRED": _LOST,
    "DELETED": _LOST,
    "UNDELIV": _LOST,
    "REJECTD": _LOST,
    "REJECT": _LOST,
    "ACCEPTD": Verdict("accepted", False),
    "ENROUTE": Verdict("accepted", False),
    "UNKNOWN": _OPEN,
}

# Who reports, before the colon. MC and IC: no report came back from the SMSC or the next gateway in time (48 h),
# so nobody knows. All others are a step on the way that refused or did not answer; a later DELIVRD still wins.
_NO_REPORT = frozenset({"MC", "IC"})
_code = re.compile(r"([A-Z]{1,3}):?-?[0-9A-Z]{1,5}|-?[0-9]{1,7}").fullmatch


def read_stat(stat: str) -> Verdict:
    """What a receipt's Stat means: one of the words, a network's code ("MA:0001", "ID:0076", "-9000"), or
    something never heard of, which decides nothing. Never fails.
    """
    word = stat.strip().upper()
    if word in _WORDS:
        return _WORDS[word]
    found = _code(word) if word.strip("-0") and any(map(str.isdecimal, word)) else None
    if found is None or found[1] in _NO_REPORT:
        return _OPEN
    return _LOST


# CMPP 3.0, 8.4.3.2: 1 structure, 2 command, 4 length, 5 fee code, 6 too long, 7 service code, 9 not this
# gateway's charge number, 10 Src_Id, 11 Msg_src, 12 Fee_terminal_Id, 13 Dest_terminal_Id: a definite no to this
# message. 3 is a doubled sequence number: ours was not looked at, another number may go.
_ACTIONS: dict[int, SubmitAction] = {0: "accepted", 3: "retry", 8: "throttle"}
_NO_ACTIONS: Mapping[str, SubmitAction] = MappingProxyType({})


def submit_action(result: int, own: Mapping[str, SubmitAction] = _NO_ACTIONS) -> SubmitAction:
    """What the Result of a SUBMIT_RESP asks for; `own` says it for the gateway's own codes (100 to 199 and
    more), by their decimal number. Everything not named is a definite, permanent no.
    """
    return own.get(str(result)) or _ACTIONS.get(result, "permanent")
