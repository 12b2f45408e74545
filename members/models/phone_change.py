"""A member's new phone number: asked for, waited for, and told to the old one."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PhoneChangeStatus(models.TextChoices):
    PENDING = "pending", pgettext_lazy("phone change", "Waiting")
    DONE = "done", pgettext_lazy("phone change", "Done")
    STOPPED = "stopped", pgettext_lazy("phone change", "Stopped")


class PhoneChange(models.Model):
    """One change of number. Ends once: done or stopped; one of a member waits at a time.

    With the code of the old number it is done at once, else `staff` in charge asked for it and it waits until
    `takes_effect_at`. The whole new number is kept only while it waits; afterwards the masked ones say enough.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="phone_changes")
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="+", verbose_name=_("store"))
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    new_phone = models.CharField(_("new number"), max_length=20, blank=True)
    old_masked = models.CharField(_("old number"), max_length=24)
    new_masked = models.CharField(_("new number"), max_length=24)
    is_confirmed_by_old = models.BooleanField(_("confirmed from the old number"), default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    status = models.CharField(
        _("status"), max_length=8, choices=PhoneChangeStatus, default=PhoneChangeStatus.PENDING
    )
    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    asked_at = models.DateTimeField(_("asked at"))
    takes_effect_at = models.DateTimeField(_("takes effect at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ended_by = models.CharField(_("ended by"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("phone change")
        verbose_name_plural = _("phone changes")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="phone_change_once"),
            models.UniqueConstraint(
                fields=["member"],
                condition=Q(status=PhoneChangeStatus.PENDING),
                name="phone_change_one_waits",
            ),
            models.CheckConstraint(
                condition=(Q(status=PhoneChangeStatus.PENDING, ended_at=None) & ~Q(new_phone=""))
                | (~Q(status=PhoneChangeStatus.PENDING) & Q(ended_at__isnull=False, new_phone="")),
                name="phone_change_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(is_confirmed_by_old=True)
                | Q(staff__isnull=False, takes_effect_at__gt=F("asked_at")) & ~Q(reason=""),
                name="phone_change_needs_a_word",
            ),
        ]
        indexes = [
            models.Index(
                fields=["takes_effect_at"],
                name="phone_change_due",
                condition=Q(status=PhoneChangeStatus.PENDING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old_masked} → {self.new_masked}"
