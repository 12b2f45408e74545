"""Which tone and icon a state or a message wears. The words for states are `messaging.states`' own."""

from typing import NamedTuple

from django.contrib.messages import constants

from messaging.states import State


class Face(NamedTuple):
    """`tone`: plain, brand, good, move, wait or bad. `is_live` breathes, because more will come by itself."""

    tone: str
    icon: str
    is_live: bool = False


STATE_FACES = {
    State.HELD: Face("wait", "circle-pause"),
    State.QUEUED: Face("move", "clock", True),
    State.SUBMITTING: Face("move", "send", True),
    State.ACCEPTED: Face("move", "check", True),
    State.RETRY_WAIT: Face("wait", "rotate-cw", True),
    State.UNCERTAIN: Face("wait", "circle-question-mark", True),
    State.DELIVERED: Face("good", "check-check"),
    State.UNDELIVERED: Face("bad", "circle-x"),
    State.NO_RECEIPT: Face("wait", "circle-dashed"),
    State.REJECTED: Face("bad", "ban"),
    State.EXPIRED: Face("plain", "timer-off"),
    State.CANCELLED: Face("plain", "x"),
    State.SUPPRESSED: Face("plain", "circle-slash"),
    State.UNKNOWN: Face("wait", "circle-question-mark"),
    State.QUARANTINED: Face("bad", "shield-alert"),
}
MESSAGE_LEVEL_TONES = {
    constants.DEBUG: "plain",
    constants.INFO: "move",
    constants.SUCCESS: "good",
    constants.WARNING: "wait",
    constants.ERROR: "bad",
}
