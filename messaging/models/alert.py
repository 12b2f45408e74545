"""What needs a person, what stands still, what was counted."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import MessageClass


class AlertKind(models.TextChoices):
    """What may be wrong. Each has a sentence of what to do (messaging/domain/alerts.py)."""

    GATEWAY_DOWN = "gateway_down", _("A gateway is not connected")
    ERRORS_RISING = "errors_rising", _("A gateway refuses more texts than usual")
    CODES_SLOW = "codes_slow", _("Codes leave too slowly")
    RECEIPTS_LATE = "receipts_late", _("Delivery reports are late")
    BUDGET_NEAR = "budget_near", _("A budget is nearly used up")
    BUDGET_FULL = "budget_full", _("A budget is used up")
    QUEUE_STUCK = "queue_stuck", _("Texts wait and none leaves")
    BEAT_SILENT = "beat_silent", _("The schedule does not run")
    CLOCK_WRONG = "clock_wrong", _("The clocks disagree")
    RESTORED = "restored", _("The database was restored from a backup")


class Alert(models.Model):
    """One thing that is wrong, from when it was noticed until it was over. One open row for a kind and subject.

    `facts` are the figures of its sentence. `mailed_at`: the owners were written to.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("what"), max_length=16, choices=AlertKind)
    subject = models.CharField(max_length=80, blank=True)
    store = models.ForeignKey("members.Store", models.CASCADE, null=True, related_name="+")
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(_("over since"), null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(closed_at=None), name="alert_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class PauseReason(models.TextChoices):
    PERSON = "person", _("Stopped by a person")
    RESTORE = "restore", _("Restored from a backup")


class Pause(models.Model):
    """Texts of a gateway, of a class, or all of them wait. The claim passes over them; nothing is cancelled.

    No gateway: every gateway. No class: every class. What is too late meanwhile expires as always.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE, null=True, related_name="pauses")
    message_class = models.CharField(max_length=16, choices=MessageClass, blank=True)
    reason = models.CharField(max_length=8, choices=PauseReason, default=PauseReason.PERSON)
    by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "message_class", "reason"], nulls_distinct=False, name="pause_once"
            )
        ]


class Heartbeat(models.Model):
    """Who ticks, and when it last did. The row `house` also counts: a file beside the database remembers how far.

    A count that is lower here than in the file is a database that went back in time.
    """

    name = models.CharField(max_length=32, primary_key=True)
    identity = models.UUIDField(default=uuid.uuid4)
    count = models.BigIntegerField(default=0)
    at = models.DateTimeField()


class Tally(models.Model):
    """The tries of one gateway and class that began in one hour, and what has become of them. Counted anew while it may
    change (72 hours); the board and the reports read these rows, not the messages.

    `cost_milli` is in thousandths of a minor unit, at the prices of the moment of each answer.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE, related_name="tallies", db_index=False)
    message_class = models.CharField(max_length=16)
    hour_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    unanswered = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    undelivered = models.PositiveIntegerField(default=0)
    no_receipt = models.PositiveIntegerField(default=0)
    parts = models.PositiveIntegerField(default=0)
    cost_milli = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour_at", "gateway", "message_class"], name="tally_once")
        ]
