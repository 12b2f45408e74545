from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.enums import ReportStatus


class ProviderTemplate(models.Model):
    """What one gateway's provider calls a wording, and whether it has passed its review there.

    Written by hand or by an adapter's import. `reason` is the provider's own word for a refusal.
    """

    version = models.ForeignKey("messaging.TemplateVersion", models.CASCADE, related_name="at_providers")
    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE, verbose_name=_("gateway"))
    code = models.CharField(_("the provider’s template id"), max_length=64, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=ReportStatus, default=ReportStatus.NONE)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("template at a provider")
        verbose_name_plural = _("templates at providers")
        ordering = ("gateway", "id")
        constraints = [models.UniqueConstraint(fields=["version", "gateway"], name="provider_template_once")]

    def __str__(self) -> str:
        return f"{self.version} · {self.gateway}"
