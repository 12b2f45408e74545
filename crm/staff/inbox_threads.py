"""What a phone and the shop said to each other, in order, and the answers that lie ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from messaging.domain.texts import shown_text
from messaging.enums import Cause, MessageClass, VersionStatus
from messaging.models import Conversation, InboundText, Message, StaffReply, TemplateVersion
from messaging.rendering import RenderError, compile_template

SHOWN = 40  # of each direction, the newest
SIGNATURE_END = "】"


@dataclass(frozen=True)
class Said:
    """One text of a thread. `who` wrote it: a person of staff, or nobody when it answered by itself."""

    at: datetime
    text: str
    is_theirs: bool
    who: str = ""
    state: str = ""
    reason: str = ""
    is_complete: bool = True


@dataclass(frozen=True)
class Canned:
    """An approved answer with this member's name and store in it."""

    version: TemplateVersion
    name: str
    text: str


def thread_of(found: Conversation, store_ids: Sequence[int]) -> list[Said]:
    """The newest texts both ways, oldest first; of ours those of the reader's stores. Three queries."""
    theirs = InboundText.objects.filter(phone=found.phone).order_by("-id")[:SHOWN]
    to_them = Message.objects.filter(member=found.member) if found.member_id else _to_stranger(found)
    ours = to_them.filter(Q(store_id__in=store_ids) | Q(store=None), phone=found.phone).order_by("-id")[
        :SHOWN
    ]
    replies = StaffReply.objects.filter(conversation=found).select_related("staff")
    wrote = {reply.message_id: str(reply.staff) for reply in replies.order_by("-id")[:SHOWN]}
    said = [_theirs(text) for text in theirs] + [_ours(message, wrote) for message in ours]
    return sorted(said, key=lambda one: one.at)


def canned_answers(found: Conversation) -> list[Canned]:
    """Approved templates of class trigger without an event, of this store or every store, in the member's language."""
    language = found.member.language if found.member else (found.store.language if found.store else "en")
    values = {
        "name": found.member.name if found.member else "",
        "store": found.store.name if found.store else "",
    }
    versions = TemplateVersion.objects.filter(
        Q(template__store=found.store_id) | Q(template__store=None),
        template__message_class=MessageClass.TRIGGER,
        template__event_type="",
        status=VersionStatus.APPROVED,
    )
    best: dict[int, TemplateVersion] = {}
    for version in versions.select_related("template").order_by("template__name", "language"):
        if version.language == language or version.template_id not in best:
            best[version.template_id] = version
    filled = ((version, _filled(version, values)) for version in best.values())
    return [Canned(version, version.template.name, text) for version, text in filled if text]


def _filled(version: TemplateVersion, values: dict[str, str]) -> str:
    """The wording with what is known here; nothing when it asks for more."""
    try:
        return compile_template(version.text).render({name: value for name, value in values.items() if value})
    except RenderError:
        return ""


def _to_stranger(found: Conversation) -> Any:
    return Message.objects.filter(member=None)


def _theirs(text: InboundText) -> Said:
    return Said(text.received_at, text.text, True, is_complete=text.is_complete)


def _ours(message: Message, wrote: dict[int | None, str]) -> Said:
    text = shown_text(message)
    body = text.partition(SIGNATURE_END)[2] if text.startswith("【") else text
    is_answer = message.cause == Cause.REPLY
    who = wrote.get(message.pk, "") if is_answer else ""
    return Said(message.created_at, body, False, who, message.state, message.reason)
