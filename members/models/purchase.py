from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Purchase(models.Model):
    """A visit with a bill, rung up here (with its operation) or brought from an old till (without).

    Money in minor units. What audiences and the wake-up score read.
    """

    member = models.ForeignKey("members.Member", models.CASCADE, related_name="purchases", db_index=False)
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="purchases")
    operation = models.OneToOneField(
        "members.Operation", models.PROTECT, null=True, blank=True, related_name="purchase"
    )
    at = models.DateTimeField(_("at"))
    amount_minor = models.BigIntegerField(_("amount"))
    items = models.PositiveIntegerField(_("items"), default=1)
    external_ref = models.CharField(_("reference"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        constraints = [
            models.UniqueConstraint(
                fields=["store", "external_ref"], condition=~Q(external_ref=""), name="purchase_ref_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="purchase_amount"),
        ]
        indexes = [models.Index(fields=["member", "at"], name="purchase_member_at")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} #{self.pk}"
