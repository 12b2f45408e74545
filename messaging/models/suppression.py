from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import CodePurpose, SuppressionScope


class Suppression(models.Model):
    """A phone that is not to be texted, by its keyed hash: it outlives an erased member and a new import."""

    phone_hash = models.BinaryField(max_length=16)
    scope = models.CharField(
        _("scope"), max_length=16, choices=SuppressionScope, default=SuppressionScope.MARKETING
    )
    source = models.CharField(_("source"), max_length=32)
    at = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(
                fields=["phone_hash", "scope"], condition=Q(lifted_at=None), name="suppression_once"
            )
        ]


class VerificationCode(models.Model):
    """A code asked for by a phone: only its salted keyed hash is kept; five checks, five minutes, one use.

    Written for unknown phones too, so that the answer is the same. `ip_hash` is where it was asked from.
    `is_text_kept` until the text message that carries the code has been blanked (`verification.forget_codes`).
    """

    phone_hash = models.BinaryField(max_length=16)
    ip_hash = models.BinaryField(max_length=16, default=b"")
    purpose = models.CharField(max_length=16, choices=CodePurpose)
    salt = models.BinaryField(max_length=16)
    code_hash = models.BinaryField(max_length=32)
    checks = models.PositiveSmallIntegerField(default=0)
    is_text_kept = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["phone_hash", "purpose", "-id"], name="code_latest"),
            models.Index(fields=["ip_hash", "created_at"], name="code_from_address"),
            models.Index(fields=["expires_at"], name="code_to_forget", condition=Q(is_text_kept=True)),
        ]


class FailedCheck(models.Model):
    """A check of a code that has not been proven right. Removed when it is; counted for the limits.

    `phone_hash` is empty when there was no live code to guess: that counts against the address alone.
    """

    phone_hash = models.BinaryField(max_length=16, null=True)
    ip_hash = models.BinaryField(max_length=16)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["phone_hash", "at"], name="failed_check_phone"),
            models.Index(fields=["ip_hash", "at"], name="failed_check_address"),
        ]
