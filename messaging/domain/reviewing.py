"""The review of wordings: what waits, what changed since the last approved one, sending back, an owner on their own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.enums import Role
from members.models import Staff, Store
from members.refusals import Refused
from messaging.domain.rules import home_pack, provider_packs
from messaging.domain.texts import NotWaiting
from messaging.enums import MessageClass, VersionStatus
from messaging.models import TemplateVersion
from messaging.pack_check import PackFinding, check_packs
from messaging.rules import ProviderPack

COOLING = timedelta(hours=24)
REVIEWERS = (Role.MANAGER, Role.OWNER)
_WORD = re.compile(r"[A-Za-z0-9_{}|]+|\s+|.", re.DOTALL)


class NotAlone(Refused):
    """A colleague may approve it: the way for one person is closed."""

    code = "not_alone"


class NoReason(Refused):
    """Sent back without a word why."""

    code = "no_reason"
    field = "reason"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a comparison: `same`, `new` (only in the wording read) or `gone` (only in the one before)."""

    kind: str
    text: str


def waiting() -> QuerySet[TemplateVersion]:
    """Every wording that waits for a reviewer, the oldest first; one that a newer one replaced waits no more."""
    newer = TemplateVersion.objects.filter(
        template=OuterRef("template"), language=OuterRef("language"), number__gt=OuterRef("number")
    )
    drafts = TemplateVersion.objects.filter(~Exists(newer), status=VersionStatus.DRAFT)
    return drafts.select_related("template__store", "written_by").order_by("id")


def approved_before(version: TemplateVersion) -> TemplateVersion | None:
    """The wording that is sent now in this language, or the last that was."""
    earlier = TemplateVersion.objects.filter(
        template=version.template, language=version.language, number__lt=version.number
    )
    return (
        earlier.filter(status__in=[VersionStatus.APPROVED, VersionStatus.RETIRED]).order_by("-number").first()
    )


def compared(before: str, after: str) -> list[Piece]:
    """The two wordings side by side in one line: words of letters whole, Chinese by the character."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    pieces: list[Piece] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
            continue
        if gone := "".join(old[a:b]):
            pieces.append(Piece("gone", gone))
        if added := "".join(new[c:d]):
            pieces.append(Piece("new", added))
    return pieces


def pack_findings(
    text: str, message_class: str, language: str, providers: Iterable[ProviderPack] | None = None
) -> list[PackFinding]:
    """What the packs of the house's country and its providers say about a wording, in the reader's `language`."""
    packs = provider_packs() if providers is None else providers
    return check_packs(text, message_class, country=home_pack(), providers=packs, language=language)


@transaction.atomic
def send_back(*, version: TemplateVersion, by: Staff, reason: str, at: datetime) -> TemplateVersion:
    """Refuse a waiting wording with a reason its author reads. Raises NoReason, NotWaiting."""
    if not reason.strip():
        raise NoReason(_("Say why, so that the author can put it right."))
    locked = _locked(version)
    locked.status = VersionStatus.RETURNED
    locked.returned_by, locked.returned_at, locked.return_reason = by, at, reason.strip()[:300]
    locked.save(update_fields=["status", "returned_by", "returned_at", "return_reason"])
    _write(locked, by, "text_sent_back", at, reason=locked.return_reason)
    return locked


@transaction.atomic
def start_cooling(*, version: TemplateVersion, by: Staff, at: datetime) -> TemplateVersion:
    """An owner without a colleague may approve their own marketing text 24 hours after saying so, for all to read.

    Raises NotAlone while somebody else could approve it, NotWaiting.
    """
    locked = _locked(version)
    if locked.written_by_id != by.pk or not _is_owner(locked, by) or others_who_may_approve(locked, by):
        raise NotAlone(_("A colleague can approve this text: ask them."))
    locked.cooling_until = at + COOLING
    locked.save(update_fields=["cooling_until"])
    _write(locked, by, "text_cooling_started", at, until=locked.cooling_until.isoformat())
    return locked


def may_cool(version: TemplateVersion, by: Staff) -> bool:
    """Whether the way for one person is open to this reader."""
    is_own = version.template.message_class == MessageClass.MARKETING and version.written_by_id == by.pk
    return is_own and _is_owner(version, by) and not others_who_may_approve(version, by)


def others_who_may_approve(version: TemplateVersion, besides: Staff) -> list[Staff]:
    """Colleagues who may approve this wording: in charge of its store, or of any for a text of every store."""
    stores = Store.objects.filter(is_active=True)
    if version.template.store_id:
        stores = stores.filter(pk=version.template.store_id)
    people = Staff.objects.filter(is_active=True, roles__store__in=stores, roles__role__in=REVIEWERS)
    return list(people.exclude(pk=besides.pk).distinct().order_by("display_name")[:4])


def _is_owner(version: TemplateVersion, by: Staff) -> bool:
    if by.is_superuser:
        return True
    held = by.roles.filter(role=Role.OWNER)
    return (
        held.filter(store_id=version.template.store_id).exists()
        if version.template.store_id
        else held.exists()
    )


def _locked(version: TemplateVersion) -> TemplateVersion:
    found = (
        TemplateVersion.objects.select_for_update(of=("self",))
        .select_related("template__store")
        .get(pk=version.pk)
    )
    if found.status != VersionStatus.DRAFT:
        raise NotWaiting(_("This wording is not waiting any more."))
    return found


def _write(version: TemplateVersion, by: Staff, verb: str, at: datetime, **facts: str) -> None:
    audit.write(
        actor=by,
        verb=verb,
        subject=version,
        store=version.template.store,
        after={"language": version.language, "text": version.text, **facts},
        at=at,
    )
