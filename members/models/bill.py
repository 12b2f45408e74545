"""What a bill was made of. A spend without lines is one line and stores none."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import append_only


class BillLineKind(models.TextChoices):
    """What a line of a bill is."""

    GOODS = "goods", _("Goods")
    TIER = "tier", _("Tier discount")
    COUPON = "coupon", _("Coupon")


class GoodsCategory(models.Model):
    """A group of goods, by which value may be limited and points may be earned."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("goods category")
        verbose_name_plural = _("goods categories")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class BillLine(models.Model):
    """One line of a spend: goods, or (negative) what a tier or a coupon took off, by its name."""

    operation = models.ForeignKey("members.Operation", models.PROTECT, related_name="bill_lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(_("kind"), max_length=8, choices=BillLineKind)
    category = models.ForeignKey(
        GoodsCategory, models.PROTECT, null=True, related_name="+", verbose_name=_("category")
    )
    label = models.CharField(_("text"), max_length=120, blank=True)
    amount_minor = models.BigIntegerField(_("amount"))
    is_discounted = models.BooleanField(_("already reduced"), default=False)

    class Meta:
        verbose_name = _("bill line")
        verbose_name_plural = _("bill lines")
        ordering = ("operation", "position")
        constraints = [
            models.UniqueConstraint(fields=["operation", "position"], name="bill_line_position"),
            models.CheckConstraint(
                condition=Q(kind=BillLineKind.GOODS, amount_minor__gt=0)
                | (~Q(kind=BillLineKind.GOODS) & Q(amount_minor__lt=0, category=None)),
                name="bill_line_sign",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = append_only("bill_line")

    def __str__(self) -> str:
        return self.label

    @property
    def said(self) -> str:
        """The line as a receipt has it: its own words, else the category, else the kind."""
        own = self.label or (self.category.name if self.category else "")
        if self.kind == BillLineKind.GOODS:
            return own or str(BillLineKind.GOODS.label)
        return f"{BillLineKind(self.kind).label}: {own}" if own else str(BillLineKind(self.kind).label)
