from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import ReportStatus


class ProviderTemplate(models.Model):
    """What one gateway's provider calls a wording, and whether it has passed its review there.

    The wording is a version, or one of the engine's own texts (`system_text`, a key of messaging/system_texts.py) in
    a language. `parameters` maps our placeholders to the provider's names, "1", "2" … where it goes by place; those
    it leaves out keep their own name or their order. `reason` is the provider's own word for a refusal.
    """

    version = models.ForeignKey(
        "messaging.TemplateVersion", models.CASCADE, null=True, blank=True, related_name="at_providers"
    )
    system_text = models.CharField(_("the engine’s own text"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE, verbose_name=_("gateway"))
    code = models.CharField(_("the provider’s template id"), max_length=64, blank=True)
    parameters = models.JSONField(_("names of the placeholders there"), default=dict, blank=True)
    status = models.CharField(
        _("status"), max_length=12, choices=ReportStatus, default=ReportStatus.NONE, blank=True
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("template at a provider")
        verbose_name_plural = _("templates at providers")
        ordering = ("gateway", "id")
        constraints = [
            models.UniqueConstraint(fields=["version", "gateway"], name="provider_template_once"),
            models.UniqueConstraint(
                fields=["gateway", "system_text", "language"],
                condition=~Q(system_text=""),
                name="provider_system_text_once",
            ),
            models.CheckConstraint(
                condition=Q(version__isnull=False, system_text="") | (Q(version=None) & ~Q(system_text="")),
                name="provider_template_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version or self.system_text} · {self.gateway}"


class InboundKey(models.Model):
    """A provider's key of an inbound text that came by callback: taken in once, however often it is delivered.

    `digest` is the key's SHA-256; `raw` is what was posted.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE)
    digest = models.BinaryField(max_length=32)
    raw = models.TextField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "digest"], name="inbound_key_once")]
