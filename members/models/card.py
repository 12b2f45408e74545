from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.enums import CardStatus, SpendOrder

if TYPE_CHECKING:
    from members.models.staff import Staff


class CardProduct(models.Model):
    """A kind of stored-value card and the order in which a spend takes its lots."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    spend_order = models.CharField(
        _("spend order"), max_length=16, choices=SpendOrder, default=SpendOrder.PRO_RATA
    )
    points_per_unit = models.PositiveIntegerField(
        _("points per whole unit of money spent"), default=1, validators=[MaxValueValidator(1000)]
    )
    points_valid_days = models.PositiveIntegerField(_("points valid for days"), null=True, blank=True)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("card product")
        verbose_name_plural = _("card products")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class CardQuerySet(models.QuerySet["Card"]):
    def visible_to(self, staff: Staff) -> CardQuerySet:
        return self if staff.is_superuser else self.filter(store__roles__staff=staff).distinct()


class Card(models.Model):
    """A member's card. Its value stands in its principal and bonus accounts; points stand with the member."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(_("card number"), max_length=24, unique=True)
    product = models.ForeignKey(CardProduct, models.PROTECT, verbose_name=_("product"))
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="cards", verbose_name=_("member")
    )
    store = models.ForeignKey("members.Store", models.PROTECT, verbose_name=_("store"))
    status = models.CharField(
        _("status"), max_length=16, choices=CardStatus, default=CardStatus.ACTIVE, editable=False
    )
    opened_at = models.DateTimeField(_("opened at"))

    objects = CardQuerySet.as_manager()

    class Meta:
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.number


class OfferQuerySet(models.QuerySet):
    def offered(self, store_id: int) -> OfferQuerySet:
        """What this store offers: the offers of every store and its own."""
        return self.filter(is_active=True).filter(Q(store=None) | Q(store_id=store_id))


class RechargePlan(models.Model):
    """Pay so much, get a bonus on top. Money in minor units."""

    name = models.CharField(_("name"), max_length=80)
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only at this store")
    )
    pay_minor = models.BigIntegerField(
        _("member pays"), validators=[MinValueValidator(1), MaxValueValidator(10**9)]
    )
    bonus_minor = models.BigIntegerField(
        _("bonus"), default=0, validators=[MinValueValidator(0), MaxValueValidator(10**9)]
    )
    bonus_valid_days = models.PositiveIntegerField(_("bonus valid for days"), null=True, blank=True)
    points = models.PositiveIntegerField(_("points"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("recharge plan")
        verbose_name_plural = _("recharge plans")
        ordering = ("pay_minor",)
        constraints = [
            models.CheckConstraint(
                condition=Q(pay_minor__gt=0, bonus_minor__gte=0), name="recharge_plan_amounts"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Reward(models.Model):
    """Something a member may take for points."""

    name = models.CharField(_("name"), max_length=80)
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only at this store")
    )
    points = models.PositiveIntegerField(_("points"), validators=[MinValueValidator(1)])
    is_active = models.BooleanField(_("offered"), default=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering = ("points",)
        constraints = [models.CheckConstraint(condition=Q(points__gt=0), name="reward_points")]

    def __str__(self) -> str:
        return self.name
