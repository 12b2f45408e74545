"""What China's carriers want reported before anything is sent: papers, signature, and each link and number in a text.

The chain: qualification → signature → template (models/provider.py) → contact. Each carries a state per gateway.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import Carrier, ContactKind, ReportStatus


class Qualification(models.Model):
    """The papers behind a signature: a licence, a trademark, an app's registration."""

    name = models.CharField(_("holder"), max_length=120)
    kind = models.CharField(_("kind of paper"), max_length=60)
    number = models.CharField(_("number"), max_length=60, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)

    class Meta:
        verbose_name = _("qualification")
        verbose_name_plural = _("qualifications")
        ordering = ("name", "kind")

    def __str__(self) -> str:
        return f"{self.name} · {self.kind}"


class Signature(models.Model):
    """A sender's name as it is reported, on the strength of a qualification."""

    text = models.CharField(_("signature"), max_length=16, unique=True)
    qualification = models.ForeignKey(
        Qualification, models.PROTECT, null=True, blank=True, verbose_name=_("qualification")
    )

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        ordering = ("text",)

    def __str__(self) -> str:
        return self.text


class Contact(models.Model):
    """A link or phone number that texts under a signature may carry. A link covers what begins with it."""

    signature = models.ForeignKey(
        Signature, models.CASCADE, related_name="contacts", verbose_name=_("signature")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=ContactKind)
    value = models.CharField(_("link or number"), max_length=200)

    class Meta:
        verbose_name = _("reported contact")
        verbose_name_plural = _("reported contacts")
        ordering = ("signature", "value")
        constraints = [models.UniqueConstraint(fields=["signature", "value"], name="contact_once")]

    def __str__(self) -> str:
        return self.value


class Registration(models.Model):
    """How far the report of a signature or a contact is, at one gateway and one carrier (empty: all of them)."""

    signature = models.ForeignKey(
        Signature,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="registrations",
        verbose_name=_("signature"),
    )
    contact = models.ForeignKey(
        Contact,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="registrations",
        verbose_name=_("contact"),
    )
    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE, verbose_name=_("gateway"))
    carrier = models.CharField(_("carrier"), max_length=12, choices=Carrier, blank=True)
    status = models.CharField(
        _("status"), max_length=12, choices=ReportStatus, default=ReportStatus.SUBMITTED
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    changed_on = models.DateField(_("since"), null=True, blank=True)

    class Meta:
        verbose_name = _("report to carriers")
        verbose_name_plural = _("reports to carriers")
        ordering = ("gateway", "carrier")
        constraints = [
            models.CheckConstraint(condition=Q(signature=None) ^ Q(contact=None), name="registration_of_one"),
            models.UniqueConstraint(
                fields=["signature", "contact", "gateway", "carrier"],
                nulls_distinct=False,
                name="registration_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signature or self.contact} · {self.gateway}"
