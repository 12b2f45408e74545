import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence

import pgtrigger
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
        triggers = [
            # an approval is for a text in its class: another class voids it
            pgtrigger.Trigger(
                name="template_class_voids",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("message_class"),
                condition=pgtrigger.Condition("OLD.message_class IS DISTINCT FROM NEW.message_class"),
                func=(
                    "UPDATE messaging_templateversion SET status = 'retired' "
                    "WHERE template_id = NEW.id AND status = 'approved'; RETURN NEW;"
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """One wording in one language. Its text never changes: an edit is a new version with a new approval.

    `placeholders` are those it uses, each with kind, cap (characters) and fallback; `contacts` the links and phone
    numbers in it, `{name}` where a placeholder carries one. Approval is bound to `content_hash` over all of it. One
    sent back keeps its reason. `cooling_until`: an owner without a colleague may approve their own text from then on.
    """

    template = models.ForeignKey(Template, models.CASCADE, related_name="versions")
    language = models.CharField(_("language"), max_length=10)
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), max_length=1000)
    placeholders = models.JSONField(default=list, editable=False)
    contacts = models.JSONField(default=list, editable=False)
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
    returned_by = models.ForeignKey(
        "members.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("sent back by")
    )
    returned_at = models.DateTimeField(_("sent back at"), null=True)
    return_reason = models.CharField(_("why it was sent back"), max_length=300, blank=True)
    cooling_until = models.DateTimeField(_("own approval possible from"), null=True)

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
            models.CheckConstraint(
                condition=~Q(status=VersionStatus.RETURNED) | ~Q(return_reason=""),
                name="template_return_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="template_waiting", condition=Q(status=VersionStatus.DRAFT))
        ]
        triggers = [
            pgtrigger.Trigger(
                name="template_text_stays",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("text", "language", "placeholders", "contacts", "template_id"),
                condition=pgtrigger.Condition(
                    "ROW(OLD.text, OLD.language, OLD.placeholders, OLD.contacts, OLD.template_id) IS DISTINCT FROM "
                    "ROW(NEW.text, NEW.language, NEW.placeholders, NEW.contacts, NEW.template_id)"
                ),
                func="RAISE EXCEPTION 'a wording does not change: write a new version';",
            )
        ]

    def __str__(self) -> str:
        return f"{self.template} · {self.language} v{self.number}"


def content_hash(
    message_class: str,
    language: str,
    text: str,
    placeholders: Sequence[Mapping[str, object]] = (),
    contacts: Sequence[str] = (),
) -> str:
    """What an approval is bound to: SHA-256 over class, language, text, typed placeholders and contacts."""
    declared = json.dumps([list(placeholders), list(contacts)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256("\x1f".join((message_class, language, text, declared)).encode()).hexdigest()
