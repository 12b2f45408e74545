"""Whose value is honoured where: the exceptions to what the house decides for all its stores."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class StoreAcceptance(models.Model):
    """Whether value sold by `issuer` may be used at `server`, kind by kind. A pair without a row is as the house says."""

    issuer = models.ForeignKey(
        "members.Store", models.CASCADE, related_name="accepted_elsewhere", verbose_name=_("sold by")
    )
    server = models.ForeignKey(
        "members.Store", models.CASCADE, related_name="accepts", verbose_name=_("used at")
    )
    takes_principal = models.BooleanField(_("principal"), default=True)
    takes_bonus = models.BooleanField(_("bonus"), default=True)
    takes_services = models.BooleanField(_("services"), default=True)

    class Meta:
        verbose_name = _("acceptance between stores")
        verbose_name_plural = _("acceptance between stores")
        ordering = ("server__name", "issuer__name")
        constraints = [
            models.UniqueConstraint(fields=["issuer", "server"], name="acceptance_pair"),
            models.CheckConstraint(condition=~Q(issuer=F("server")), name="acceptance_of_others"),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} → {self.server}"
