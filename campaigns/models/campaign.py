from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.enums import CampaignKind, CampaignStatus, RunStatus, Timing

if TYPE_CHECKING:
    from members.models import Staff


class StoreScopedQuerySet(models.QuerySet):
    def visible_to(self, staff: Staff) -> StoreScopedQuerySet:
        """Rows of the stores this person has a role in; all of them for a superuser."""
        return self if staff.is_superuser else self.filter(store__roles__staff=staff).distinct()


class Campaign(models.Model):
    """What is said, to whom, when: a promotion push or a wake-up programme of one store.

    `audience` holds the criteria (domain/audiences.py checks them). `wording` is the text by language while it is
    written; what is sent is the approved version of `template`, and only while it says the same. `unpaid_window` is the
    window whose run has not started because a budget was used up; empty once a run has started.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=16, choices=CampaignKind, default=CampaignKind.PUSH)
    store = models.ForeignKey(
        "members.Store", models.CASCADE, related_name="campaigns", verbose_name=_("store")
    )
    audience = models.JSONField(_("audience"), default=dict, blank=True)
    template = models.ForeignKey(
        "messaging.Template", models.PROTECT, null=True, blank=True, verbose_name=_("text")
    )
    wording = models.JSONField(_("wording"), default=dict, blank=True)
    timing = models.CharField(_("when"), max_length=16, choices=Timing, default=Timing.NOW)
    start_on = models.DateField(_("first day"), null=True, blank=True)
    end_on = models.DateField(_("last day"), null=True, blank=True)
    at_time = models.TimeField(_("time of day, in the store’s zone"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=16, choices=CampaignStatus, default=CampaignStatus.DRAFT, editable=False
    )
    created_by = models.ForeignKey("members.Staff", models.PROTECT, related_name="+", editable=False)
    launched_by = models.ForeignKey(
        "members.Staff", models.PROTECT, null=True, related_name="+", editable=False
    )
    launched_at = models.DateTimeField(null=True, editable=False)
    unpaid_window = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ("-id",)
        indexes = [
            models.Index(
                fields=["timing"], name="campaign_ticking", condition=Q(status=CampaignStatus.ACTIVE)
            )
        ]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One sending of a campaign. Unique on (campaign, window): beats may tick twice, a run happens once.

    `window` is the local date for a recurring run, or 'once'. `as_of` is the instant the audience is judged by.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="runs")
    window = models.CharField(max_length=32)
    status = models.CharField(_("status"), max_length=16, choices=RunStatus, default=RunStatus.FREEZING)
    as_of = models.DateTimeField()
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    stopped_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    recipients_total = models.PositiveIntegerField(_("recipients"), default=0)
    chunks_total = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["campaign", "window"], name="run_once")]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.window}"


class RunChunk(models.Model):
    """A piece of a run's recipients, expanded by one Celery job; marked in the job's own transaction."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    expanded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="run_chunk_once")]
        indexes = [models.Index(fields=["run"], name="chunk_waiting", condition=Q(expanded_at=None))]


class Recipient(models.Model):
    """One person frozen into a run; one row per run and phone. `score` is the wake-up score, if any."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="recipients")
    member = models.ForeignKey("members.Member", models.CASCADE, related_name="+")
    phone = models.CharField(max_length=20)
    chunk = models.PositiveIntegerField()
    score = models.FloatField(null=True)

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        constraints = [
            models.UniqueConstraint(fields=["run", "phone"], name="recipient_once"),
        ]
        indexes = [models.Index(fields=["run", "chunk"], name="recipient_chunk")]
