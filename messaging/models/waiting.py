"""What has to be looked at again, by ids: small tables beside the messages, so that these need no index for it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q

from messaging.states import State

MAY_EXPIRE = (State.HELD, State.QUEUED, State.RETRY_WAIT)


class WaitingQuerySet(models.QuerySet):
    def message_ids(self) -> models.QuerySet:
        """The ids in these chunks, as a subquery; some may have moved on."""
        return self.annotate(
            message_id=Func("ids", function="unnest", output_field=models.BigIntegerField())
        ).values("message_id")


class Waiting(models.Model):
    """Messages that wait alike: up to a thousand of one enqueueing, or a single one.

    Written by triggers whenever a message comes to wait (messaging/sql/waiting.sql), so no way into a waiting state
    can forget it. A hint, never the truth: whoever takes ids from it asks the messages themselves. `taken` of
    `ids` are gone already; a chunk shrinks without being written anew.
    """

    state = models.CharField(max_length=12, choices=State)
    priority = models.SmallIntegerField()
    gateway = models.ForeignKey(
        "messaging.Gateway", models.CASCADE, null=True, db_index=False, db_constraint=False
    )
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ids = ArrayField(models.BigIntegerField())
    taken = models.IntegerField(default=0)

    objects = WaitingQuerySet.as_manager()

    class Meta:
        indexes = [
            # the claim of the gateway process
            models.Index(
                fields=["priority", "due_at", "id"], name="waiting_claim", condition=Q(state=State.QUEUED)
            ),
            # the sweeps, and the person who looks: pauses that are over, doubts, what is held, set aside or not known
            models.Index(fields=["state", "due_at"], name="waiting_sweep", condition=~Q(state=State.QUEUED)),
            # the sweep of what nobody could send in time
            models.Index(fields=["expires_at"], name="waiting_expiry", condition=Q(state__in=MAY_EXPIRE)),
        ]


class Handover(models.Model):
    """The attempts of one claim, first to last: all of this gateway and epoch between these ids.

    Open until each has an answer; kept until each had its receipt, or 72 hours.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE, db_index=False, db_constraint=False)
    epoch = models.BigIntegerField()
    started_at = models.DateTimeField()
    first_attempt = models.BigIntegerField()
    last_attempt = models.BigIntegerField()
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first_attempt__lte=F("last_attempt")), name="handover_range")
        ]
        indexes = [
            models.Index(fields=["started_at"], name="handover_age"),
            models.Index(fields=["gateway"], name="handover_open", condition=Q(is_open=True)),
        ]
