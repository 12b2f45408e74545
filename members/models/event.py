import re
import uuid
from typing import Any

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.append_only import append_only

FIELD_KINDS = ("text", "money", "number", "date", "datetime")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_TAKEN = {"name", "store", "store_phone", "at"}


class MembershipEvent(models.Model):
    """A fact that happened to a member, as published. Its `payload` holds the placeholders of its type."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(_("event"), max_length=64)
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="events", db_index=False)
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="events")
    operation = models.ForeignKey(
        "members.Operation", models.PROTECT, null=True, related_name="events", db_index=False
    )
    payload = models.JSONField(default=dict)
    source = models.CharField(_("source"), max_length=64)
    key = models.CharField(max_length=160)
    at = models.DateTimeField(_("at"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="event_once"),
            models.UniqueConstraint(
                fields=["operation", "type"], condition=Q(operation__isnull=False), name="event_of_operation"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="event_member"),
            models.Index(fields=["type", "-id"], name="event_type_newest"),
        ]
        triggers: list[pgtrigger.Trigger] = append_only("event")

    def __str__(self) -> str:
        return f"{self.type} #{self.pk}"


class MissedSignal(models.Model):
    """A receiver that failed on an event, kept for the sweep; written in the event's own transaction."""

    event = models.ForeignKey(MembershipEvent, models.CASCADE, related_name="missed")
    receiver = models.CharField(max_length=160)
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=1)
    next_at = models.DateTimeField(db_index=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("missed signal")
        verbose_name_plural = _("missed signals")
        constraints = [models.UniqueConstraint(fields=["event", "receiver"], name="missed_signal_once")]


def validate_fields(fields: Any) -> None:
    """Refuse anything but names with kinds an event can have."""
    if not isinstance(fields, dict):
        raise ValidationError(_('Write the fields as names with kinds: {"room": "text"}.'))
    for name, kind in fields.items():
        if not _FIELD.fullmatch(name) or name in _TAKEN:
            raise ValidationError(_("“%(name)s” cannot be the name of a field."), params={"name": name})
        if kind not in FIELD_KINDS:
            raise ValidationError(
                _("“%(kind)s” is not one of %(kinds)s."),
                params={"kind": kind, "kinds": ", ".join(FIELD_KINDS)},
            )


class CustomEventType(models.Model):
    """An event a shop names itself, with the fields it declares: {"room": "text", "due": "money"}."""

    name = models.SlugField(_("name"), max_length=48, unique=True)
    label = models.CharField(_("label"), max_length=80)
    fields = models.JSONField(_("fields"), default=dict, blank=True, validators=[validate_fields])

    class Meta:
        verbose_name = _("custom event")
        verbose_name_plural = _("custom events")

    def __str__(self) -> str:
        return self.label
