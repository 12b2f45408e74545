"""A member's wish to be forgotten, and that it was done."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ErasureStatus(models.TextChoices):
    ASKED = "asked", pgettext_lazy("erasure", "Asked for")
    DONE = "done", pgettext_lazy("erasure", "Done")
    WITHDRAWN = "withdrawn", pgettext_lazy("erasure", "Withdrawn")


class Erasure(models.Model):
    """One wish. A member asks in the portal and staff in charge confirm it, or staff write it down with a reason."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="erasures")
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="+", verbose_name=_("store"))
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=ErasureStatus, default=ErasureStatus.ASKED)
    forfeited_minor = models.BigIntegerField(_("value given up"), default=0)
    asked_at = models.DateTimeField(_("asked at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(status=ErasureStatus.ASKED), name="erasure_one_open"
            ),
            models.CheckConstraint(
                condition=Q(status=ErasureStatus.ASKED, ended_at=None)
                | (~Q(status=ErasureStatus.ASKED) & Q(ended_at__isnull=False)),
                name="erasure_ends_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} #{self.pk}"
