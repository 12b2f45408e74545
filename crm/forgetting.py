"""What the web keeps of an erased person: the admin's own log and the API's stored answers lose what names them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from crm.api.models import IdempotentRequest
from members import signals
from members.domain.traces import BLANK, Traces
from members.models import Member

_GONE = '{"code": "member_erased"}'


def forget(sender: Any, *, traces: Traces, **_: Any) -> None:
    """In the transaction of the erasure."""
    about = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Member), object_id__in=map(str, traces.member_ids)
    )
    about.update(object_repr=BLANK, change_message="")
    answers = reduce(or_, (Q(answer__contains=public_id) for public_id in traces.public_ids))
    IdempotentRequest.objects.filter(answers).update(status=410, answer=_GONE)


def connect() -> None:
    """Connect the receiver."""
    signals.person_erased.connect(forget, dispatch_uid="web_forgets")
