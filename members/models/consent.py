import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.enums import ConsentSource, Purpose
from members.models.append_only import append_only


class ConsentEntry(models.Model):
    """One word given or taken back. Never changed; the state of a member is the last entry per purpose."""

    member = models.ForeignKey("members.Member", models.CASCADE, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose)
    is_given = models.BooleanField(_("given"))
    wording_version = models.CharField(_("wording"), max_length=32, blank=True)
    source = models.CharField(_("source"), max_length=16, choices=ConsentSource)
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, blank=True)
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, blank=True)
    at = models.DateTimeField(_("at"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("consent entry")
        verbose_name_plural = _("consent entries")
        indexes = [models.Index(fields=["member", "purpose", "-id"], name="consent_latest")]
        triggers: list[pgtrigger.Trigger] = append_only("consent")
