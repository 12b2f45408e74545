"""What messaging does when a person's number changes, two members become one, or a person is erased.

In the transaction of the change, which a failure here undoes. Connected in `MessagingConfig.ready`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from members import signals
from members.domain.traces import Traces
from members.models import Member
from messaging.domain import forgetting, suppressions


def suppressions_follow(
    sender: Any, *, member: Member, old_hash: bytes, new_hash: bytes, at: datetime, **_: Any
) -> None:
    """A no is the person's: the new number refuses what the old one refused, which keeps refusing it too."""
    suppressions.copy(old_hash, new_hash, at=at)


def suppressions_join(sender: Any, *, kept: Member, merged: Member, at: datetime, **_: Any) -> None:
    """What one of the two numbers refused the person refused."""
    suppressions.copy(bytes(merged.phone_hash), bytes(kept.phone_hash), at=at)


def forget_texts(sender: Any, *, traces: Traces, at: datetime, **_: Any) -> None:
    """Texts to and from an erased person lose number and words; their suppressions stay, by keyed hash."""
    forgetting.forget(traces, at=at)


def connect() -> None:
    """Connect every receiver."""
    signals.phone_moved.connect(suppressions_follow, dispatch_uid="suppressions_follow")
    signals.members_merged.connect(suppressions_join, dispatch_uid="suppressions_join")
    signals.person_erased.connect(forget_texts, dispatch_uid="forget_texts")
