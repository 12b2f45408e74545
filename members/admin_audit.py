"""What is changed in the set-up goes into the audit log: who, what, before and after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from members.domain import audit
from members.models import AuditVerb, Staff, StaffRole, Store

_SECRET = ("password", "secret", "key")
_VERBS = {
    "apikey": (AuditVerb.KEY_CREATED, AuditVerb.KEY_CHANGED),
    "template": (AuditVerb.TEXT_WRITTEN, AuditVerb.TEXT_WRITTEN),
}


class AuditedMixin:
    """An admin whose forms and removals go into the audit log."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Called once a form is saved: what it changed goes into the audit log, with what was there before."""
        record_form(request, form, formsets or (), is_new=add)
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Called before rows are deleted."""
        record_removals(request, queryset)
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def record_form(request: HttpRequest, form: Any, formsets: Iterable[Any], *, is_new: bool) -> None:
    """Write what a saved form of the set-up changed, and each row of its tables."""
    row: Model = getattr(form, "instance", None) or form.user  # the page for a password has a form of its own
    before, after = _changes(form)
    if is_new or before or after:
        _write(request, _verb(row, after, is_new=is_new), row, None if is_new else before, after)
    for formset in formsets:
        for new in formset.new_objects:
            _write(request, _row_verb(new, 0), _named(new), None, audit.facts_of(new), _store_of(new))
        for changed, names in formset.changed_objects:
            facts = {name: getattr(changed, name, None) for name in names}
            _write(request, _row_verb(changed, 1), _named(changed), None, facts, _store_of(changed))
        for gone in formset.deleted_objects:
            _write(request, _row_verb(gone, 2), _named(gone), audit.facts_of(gone), None, _store_of(gone))


def record_change(request: HttpRequest, row: Model, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Write what a button of a list changed of one row: no form tells of it."""
    _write(request, AuditVerb.CHANGED, row, before, after)


def record_removals(request: HttpRequest, rows: Iterable[Model]) -> None:
    """Write each row that is about to be deleted, as it was."""
    for row in rows:
        verb = _row_verb(row, 2) if isinstance(row, StaffRole) else AuditVerb.REMOVED
        _write(request, verb, row, audit.facts_of(row), None)


def _changes(form: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = {}, {}
    for name in form.changed_data:
        is_secret = any(word in name for word in _SECRET)
        new = form.cleaned_data.get(name)
        before[name] = "•" if is_secret else form.get_initial_for_field(form.fields[name], name)
        after[name] = "•" if is_secret else _plain(new)
    return before, after


def _plain(value: Any) -> Any:
    if hasattr(value, "values_list") or isinstance(value, (list, tuple, set)):
        return [str(one) for one in value]
    return value.pk if isinstance(value, Model) else value


def _verb(row: Model, after: dict[str, Any], *, is_new: bool) -> str:
    if after.get("revoked"):
        return AuditVerb.KEY_REVOKED
    if not is_new and any("password" in name for name in after) and isinstance(row, Staff):
        return AuditVerb.PASSWORD_SET
    added, changed = _VERBS.get(row._meta.model_name or "", (AuditVerb.ADDED, AuditVerb.CHANGED))
    return added if is_new else changed


def _row_verb(row: Model, which: int) -> str:
    of_role = (AuditVerb.ROLE_GIVEN, AuditVerb.ROLE_CHANGED, AuditVerb.ROLE_TAKEN)
    return (
        of_role if isinstance(row, StaffRole) else (AuditVerb.ADDED, AuditVerb.CHANGED, AuditVerb.REMOVED)
    )[which]


def _named(row: Model) -> Model:
    """A role is told of the person who has it."""
    return row.staff if isinstance(row, StaffRole) else row


def _store_of(row: Model) -> Store | None:
    found = row if isinstance(row, Store) else getattr(row, "store", None) or getattr(row, "home_store", None)
    return found if isinstance(found, Store) else None


def _write(
    request: HttpRequest,
    verb: str,
    row: Model,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    store: Store | None = None,
) -> None:
    by = request.user
    audit.write(
        actor=by if isinstance(by, Staff) else None,
        verb=verb,
        subject=row,
        store=store or _store_of(row),
        before=before,
        after=after,
        at=timezone.now(),
    )
