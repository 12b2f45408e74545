"""The words of campaigns."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CampaignKind(models.TextChoices):
    PUSH = "push", _("Promotion push")
    WAKEUP = "wakeup", _("Wake-up programme")


class CampaignStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class Timing(models.TextChoices):
    NOW = "now", _("As soon as it is launched")
    ONCE = "once", _("Once, at a time")
    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every week")
    MONTHLY = "monthly", _("Every month")


class RunStatus(models.TextChoices):
    FREEZING = "freezing", _("Choosing recipients")
    SENDING = "sending", _("Sending")
    STOPPED = "stopped", _("Stopped")
    DONE = "done", _("Done")


class Firing(models.TextChoices):
    """What a trigger rule did about an event."""

    SENT = "sent", _("Text queued")
    NOT_SENT = "not_sent", _("Not sent")
    FAILED = "failed", _("Failed")
