"""What an audit entry is about, in the reader's language.

The row keeps the words of whoever wrote it. Where these differ by language and what they name is still there, it says
today what it is called; else the kept words stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.staff.audit_words import short
from members.models import (
    Account,
    Approval,
    AuditEntry,
    FraudCase,
    FraudRule,
    Operation,
    StaffLimit,
    StaffRole,
)
from messaging.models import Budget, Conversation, Message

# What is called by a word of ours, and what its name reads besides.
_BY_LANGUAGE: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "account": (Account, ()),
    "approval": (Approval, ("maker",)),
    "budget": (Budget, ("store",)),
    "conversation": (Conversation, ()),
    "fraudcase": (FraudCase, ()),
    "fraudrule": (FraudRule, ()),
    "message": (Message, ()),
    "operation": (Operation, ()),
    "stafflimit": (StaffLimit, ("staff",)),
    "staffrole": (StaffRole, ("staff", "store")),
}
_NO_ROW: dict[tuple[str, str], str | Promise] = {
    ("stafflimit", "Staff limits"): _("Staff limits"),
    ("messages", "messages"): _("Messages"),
    ("messages", "dead letters"): _("What stands still"),
    ("members", "members"): _("Members"),
    ("audit", "audit log"): _("Audit"),
}


def subjects_of(entries: Iterable[AuditEntry]) -> dict[int, str]:
    """By the entry's id. One query for each kind of subject among them, at most."""
    entries = list(entries)
    asked: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        if entry.subject_type in _BY_LANGUAGE and entry.subject_id.isdecimal():
            asked[entry.subject_type].add(int(entry.subject_id))
    found = {kind: _named(kind, ids) for kind, ids in asked.items()}
    return {entry.pk: _said(entry, found) for entry in entries}


def _named(kind: str, ids: set[int]) -> dict[int, Any]:
    model, related = _BY_LANGUAGE[kind]
    rows = model._default_manager.select_related(*related) if related else model._default_manager.all()
    return rows.in_bulk(ids)


def _said(entry: AuditEntry, found: dict[str, dict[int, Any]]) -> str:
    if entry.subject_id.isdecimal() and (row := found.get(entry.subject_type, {}).get(int(entry.subject_id))):
        return str(row)
    return str(_NO_ROW.get((entry.subject_type, entry.subject)) or short(entry.subject))
