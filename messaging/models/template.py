import hashlib
import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import MessageClass, VersionStatus


class Template(models.Model):
    """A text by name. Its class decides its rules; what is sent is an approved version in a language.

    `event_type` names the event whose placeholders it may use; empty for campaign and system texts.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.SlugField(_("key"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=80)
    message_class = models.CharField(_("class"), max_length=16, choices=MessageClass)
    event_type = models.CharField(_("event"), max_length=64, blank=True)
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only at this store")
    )

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """One wording in one language. Its text never changes: an edit is a new version with a new approval.

    Approval is bound to `content_hash`, the SHA-256 of class, language and text.
    """

    template = models.ForeignKey(Template, models.CASCADE, related_name="versions")
    language = models.CharField(_("language"), max_length=10)
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), max_length=1000)
    content_hash = models.CharField(max_length=64, editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=VersionStatus, default=VersionStatus.DRAFT, editable=False
    )
    written_by = models.ForeignKey(
        "members.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("written by")
    )
    approved_by = models.ForeignKey(
        "members.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved at"), null=True)
    approved_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        ordering = ("template", "language", "-number")
        constraints = [
            models.UniqueConstraint(fields=["template", "language", "number"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["template", "language"],
                condition=Q(status=VersionStatus.APPROVED),
                name="template_one_approved",
            ),
            models.CheckConstraint(
                condition=~Q(status=VersionStatus.APPROVED) | Q(approved_hash=models.F("content_hash")),
                name="template_approval_bound",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} · {self.language} v{self.number}"


def content_hash(message_class: str, language: str, text: str) -> str:
    """What an approval is bound to: SHA-256 over class, language and text."""
    return hashlib.sha256("\x1f".join((message_class, language, text)).encode()).hexdigest()
