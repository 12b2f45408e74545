"""Keys of other companies' systems, and the answers already given to their writes."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey


class ApiKey(AbstractAPIKey):
    """A key of a partner's system: stored hashed, shown once, bound to stores."""

    stores = models.ManyToManyField("members.Store", related_name="api_keys", verbose_name=_("stores"))

    @property
    def source(self) -> str:
        """Whose word it is that this key reports: of its events and deeds, and the subject of its budgets."""
        return f"api:{self.prefix}"

    class Meta(AbstractAPIKey.Meta):
        verbose_name = _("API key")  # type: ignore[assignment]
        verbose_name_plural = _("API keys")  # type: ignore[assignment]


class IdempotentRequest(models.Model):
    """The first answer to a write, kept in the effect's own transaction, byte for byte.

    Same key and same request: the same answer again. Same key, other request: refused, naming what differs.
    `fingerprint` holds a keyed hash of every field, not the field.
    """

    api_key = models.ForeignKey(ApiKey, models.CASCADE)
    key = models.CharField(max_length=128)
    fingerprint = models.JSONField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="idempotent_request_once")]
