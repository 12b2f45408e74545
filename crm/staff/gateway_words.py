"""What a gateway said, in an owner's words. The carrier's own word stays beside it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# SMPP 3.4, §5.1.3
_BY_WORD: dict[str, Promise] = {
    "0x01": _("The text was too long or malformed for the carrier"),
    "0x08": _("The carrier had a fault of its own"),
    "0x0A": _("The sender is not allowed for this account"),
    "0x0B": _("The number does not exist or is not served"),
    "0x0C": _("The carrier did not know the text"),
    "0x14": _("The carrier’s queue is full"),
    "0x33": _("The number does not exist or is not served"),
    "0x45": _("The carrier did not take the text"),
    "0x58": _("We sent faster than the carrier allows"),
    "0x61": _("The time of sending was not accepted"),
    "0x62": _("The end of validity was not accepted"),
    "0x64": _("The carrier asked to try again later"),
    "0xFF": _("The carrier gave no reason"),
    "timeout": _("The carrier did not answer in time"),
    "process lost": _("Our process ended before the answer came"),
    "connection lost": _("The connection was lost before the answer came"),
    "not written": _("The connection was lost before it was sent"),
    "gate too old": _("Our process was held up and sent nothing"),
}
_BY_OUTCOME: dict[str, Promise] = {
    "permanent": _("The carrier refused it for good"),
    "retry": _("The carrier could not take it just now"),
    "throttle": _("We sent faster than the carrier allows"),
    "stop_bind": _("The carrier ended the connection"),
    "uncertain": _("No answer came; it may have gone out"),
    "not_sent": _("It did not leave us"),
    "accepted": _("The carrier took it"),
}


def in_words(outcome: str, raw: str) -> str | Promise:
    """A sentence for an outcome and the carrier's word."""
    return _BY_WORD.get(raw) or _BY_OUTCOME.get(outcome) or raw or outcome
