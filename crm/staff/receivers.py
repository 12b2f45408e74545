"""Coming and going, and changed settings, for the audit log."""

from __future__ import annotations

from typing import Any

import structlog
from axes.signals import user_locked_out
from constance.signals import config_updated
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.utils import timezone

from members.domain import audit
from members.models import AuditVerb, Staff


@receiver(user_logged_in)
def write_login(user: Any, **_: Any) -> None:
    """Somebody came in."""
    if isinstance(user, Staff):
        audit.write(actor=user, verb=AuditVerb.LOGGED_IN, subject=user, at=timezone.now())


@receiver(user_logged_out)
def write_logout(user: Any, **_: Any) -> None:
    """Somebody went."""
    if isinstance(user, Staff):
        audit.write(actor=user, verb=AuditVerb.LOGGED_OUT, subject=user, at=timezone.now())


@receiver(user_login_failed)
def write_failure(credentials: dict[str, Any], **_: Any) -> None:
    """A wrong name or password. A name nobody has is not kept: people type passwords there."""
    _write_name(AuditVerb.LOGIN_FAILED, credentials.get("username"))


@receiver(user_locked_out)
def write_lockout(username: str | None = None, **_: Any) -> None:
    """Too many failures."""
    _write_name(AuditVerb.LOCKED_OUT, username)


def _write_name(verb: AuditVerb, username: Any) -> None:
    known = Staff.objects.filter(username=str(username or "")).first()
    audit.write(actor=None, verb=verb, subject=known or ("login", "?"), at=timezone.now())


@receiver(config_updated)
def write_setting(key: str, old_value: Any, new_value: Any, **_: Any) -> None:
    """A setting of the house was changed in the set-up; by whom, the request knows."""
    if old_value is None or old_value == new_value:
        return  # the first reading of a setting stores its default
    bound = structlog.contextvars.get_contextvars()
    by = Staff.objects.filter(pk=bound.get("staff_id", 0)).first()
    audit.write(
        actor=by,
        verb=AuditVerb.SETTING_CHANGED,
        subject=("setting", key),
        before={key: old_value},
        after={key: new_value},
        at=timezone.now(),
    )
