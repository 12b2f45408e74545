from __future__ import annotations

import uuid
import zoneinfo
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from members.models.staff import Staff


def validate_timezone(name: str) -> None:
    """Refuse what is not an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone, such as Asia/Shanghai."), params={"name": name}
        )


class StoreQuerySet(models.QuerySet["Store"]):
    def visible_to(self, staff: Staff) -> StoreQuerySet:
        """The stores this person has a role in; all of them for a superuser."""
        return self if staff.is_superuser else self.filter(roles__staff=staff).distinct()


class Store(models.Model):
    """A place with a till. Times are shown in its zone; its signature stands in front of its texts."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    timezone = models.CharField(
        _("time zone"), max_length=64, default="Asia/Shanghai", validators=[validate_timezone]
    )
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    sms_signature = models.CharField(_("SMS signature"), max_length=16)
    is_active = models.BooleanField(_("open"), default=True)

    objects = StoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)
