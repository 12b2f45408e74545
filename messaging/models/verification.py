import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import CodePurpose, LockKind


class VerificationCode(models.Model):
    """A code asked for by a phone, one row each time it is asked for: only its salted keyed hash is kept.

    A repeat while the code is valid is a row of its own (`same_as`) with the same salt and so the same code; checks
    and use are counted at the first. Written for unknown phones too, so that the answer is the same; `is_sent` says
    whether a text of `parts` went out. The hashes say where it was asked from and among which numbers, for the
    limits. `source` names the API key that asked, `api:` and its beginning: the text counts under that key's budgets.
    `is_text_kept` until the text that carries the code has been blanked (`verification.forget_codes`).
    """

    phone_hash = models.BinaryField(max_length=16)
    ip_hash = models.BinaryField(max_length=16, default=b"")
    device_hash = models.BinaryField(max_length=16, default=b"")
    prefix_hash = models.BinaryField(max_length=16, default=b"")
    span_hash = models.BinaryField(max_length=16, default=b"")
    shifted_span_hash = models.BinaryField(max_length=16, default=b"")
    purpose = models.CharField(max_length=16, choices=CodePurpose)
    same_as = models.ForeignKey("self", models.CASCADE, null=True, related_name="repeats")
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, related_name="+")
    source = models.CharField(max_length=64, blank=True, default="", db_default="")
    salt = models.BinaryField(max_length=16)
    code_hash = models.BinaryField(max_length=32)
    digits = models.PositiveSmallIntegerField(default=6)
    checks = models.PositiveSmallIntegerField(default=0)
    parts = models.PositiveSmallIntegerField(default=0)
    is_member = models.BooleanField(default=False)
    is_sent = models.BooleanField(default=False)
    is_text_kept = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["phone_hash", "purpose", "-id"], name="code_latest"),
            models.Index(fields=["ip_hash", "created_at"], name="code_from_address"),
            models.Index(fields=["device_hash", "created_at"], name="code_from_device"),
            models.Index(fields=["prefix_hash", "created_at"], name="code_of_prefix"),
            models.Index(fields=["span_hash", "created_at"], name="code_of_span"),
            models.Index(fields=["shifted_span_hash", "created_at"], name="code_of_shifted_span"),
            # what codes cost, and how many of them were used
            models.Index(fields=["created_at"], name="code_sent", condition=Q(is_sent=True)),
            models.Index(fields=["expires_at"], name="code_to_forget", condition=Q(is_text_kept=True)),
        ]


class FailedCheck(models.Model):
    """A check of a code that has not been proven right. Removed when it is; counted for the limits.

    `phone_hash` is empty when there was no live code to guess: that counts against the network alone.
    """

    phone_hash = models.BinaryField(max_length=16, null=True)
    network_hash = models.BinaryField(max_length=16)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["phone_hash", "at"], name="failed_check_phone"),
            models.Index(fields=["network_hash", "at"], name="failed_check_network"),
        ]


class VerificationLock(models.Model):
    """A number or a span of numbers that gets no codes, or a breaker of the whole house that is on.

    A lock ends at `until`; a breaker at `closed_at`, when its figures are good again. `released_at` ends either: a
    person decided so. `facts` says what was seen, phones masked.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=LockKind)
    key_hash = models.BinaryField(max_length=16, default=b"")
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("lock of verification codes")
        verbose_name_plural = _("locks of verification codes")
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(until=None, closed_at=None, released_at=None),
                name="breaker_on_once",
            )
        ]
        indexes = [models.Index(fields=["kind", "key_hash", "-opened_at"], name="lock_latest")]


class SpentProof(models.Model):
    """A proof of work that was accepted: none is accepted twice."""

    token_hash = models.BinaryField(max_length=32, unique=True)
    at = models.DateTimeField(db_index=True)
