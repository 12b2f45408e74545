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


class CardKind(models.TextChoices):
    """What a card holds."""

    STORED_VALUE = "stored_value", _("Stored value")
    SERVICES = "services", _("Count card")
    POINTS_ONLY = "points_only", _("Points only")


class CloseMethod(models.TextChoices):
    """How much a card that is closed pays out; never more than the principal left."""

    PRO_RATA = "pro_rata", _("Pro rata")
    PRINCIPAL_FIRST = "principal_first", _("Principal used first")
    FULL_PRICE = "full_price", _("Used at full price")


class CardProduct(models.Model):
    """A kind of card: what it holds, in which order a spend takes its lots, what closing it pays out.

    A count card is sold for `price_minor` with `services_count` services of one group; `full_price_minor` is what
    one of them costs without the card.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=CardKind, default=CardKind.STORED_VALUE)
    spend_order = models.CharField(
        _("spend order"), max_length=16, choices=SpendOrder, default=SpendOrder.PRO_RATA
    )
    close_method = models.CharField(
        _("closing pays out"), max_length=16, choices=CloseMethod, default=CloseMethod.PRO_RATA
    )
    service_group = models.ForeignKey(
        "members.ServiceGroup", models.PROTECT, null=True, blank=True, verbose_name=_("service group")
    )
    services_count = models.PositiveIntegerField(
        _("services"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    price_minor = models.PositiveBigIntegerField(
        _("price"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10**9)]
    )
    full_price_minor = models.PositiveBigIntegerField(
        _("one service without the card"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10**9)],
    )
    services_valid_days = models.PositiveIntegerField(
        _("services valid for days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(36500)],
    )
    sharers_max = models.PositiveSmallIntegerField(
        _("people it may be shared with"), default=0, validators=[MaxValueValidator(20)]
    )
    stores = models.ManyToManyField(
        "members.Store",
        blank=True,
        related_name="+",
        verbose_name=_("services taken only at"),
        help_text=_("None: wherever the selling store’s services are taken."),
    )
    points_per_unit = models.PositiveIntegerField(
        _("points per whole unit of money spent"), default=1, validators=[MaxValueValidator(1000)]
    )
    points_valid_days = models.PositiveIntegerField(_("points valid for days"), null=True, blank=True)
    points_pending_days = models.PositiveSmallIntegerField(
        _("points usable after days"),
        default=0,
        help_text=_("The days in which goods may be brought back. 0: at once."),
        validators=[MaxValueValidator(366)],
    )
    point_value_minor = models.PositiveIntegerField(
        _("100 points pay"),
        null=True,
        blank=True,
        help_text=_("In money. Empty: points do not pay bills."),
        validators=[MinValueValidator(1), MaxValueValidator(10**6)],
    )
    points_share_max_percent = models.PositiveSmallIntegerField(
        _("points pay at most this share of a bill (%)"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    code_above_minor = models.PositiveBigIntegerField(
        _("the member’s code from the card above"),
        null=True,
        blank=True,
        help_text=_("Empty: as the house says. 0: never."),
        validators=[MaxValueValidator(10**9)],
    )
    low_below_minor = models.PositiveBigIntegerField(
        _("the balance is low below"),
        null=True,
        blank=True,
        help_text=_("A payment that brings the card below this tells the member. Empty: never."),
        validators=[MaxValueValidator(10**9)],
    )
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("card product")
        verbose_name_plural = _("card products")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind=CardKind.SERVICES)
                | Q(
                    service_group__isnull=False,
                    services_count__gt=0,
                    price_minor__gt=0,
                    full_price_minor__gt=0,
                ),
                name="card_product_of_services",
                violation_error_message=_(
                    "A count card needs a service group, how many services, its price and the price of one service."
                ),
            )
        ]

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
    replaces = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="replaced_by",
        verbose_name=_("replaces card"),
    )

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
    """Pay so much, get a bonus, points or a coupon on top. Money in minor units.

    What the bonus may pay for (stores, goods, share of a bill) is frozen into its lot when it is sold.
    """

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
    coupon = models.ForeignKey(
        "members.CouponDefinition",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("coupon"),
    )
    product = models.ForeignKey(
        CardProduct,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="plans",
        verbose_name=_("only with this card product"),
    )
    bonus_stores = models.ManyToManyField(
        "members.Store",
        blank=True,
        related_name="+",
        verbose_name=_("bonus pays only at"),
        help_text=_("None: at every store that takes it."),
    )
    bonus_categories = models.ManyToManyField(
        "members.GoodsCategory",
        blank=True,
        related_name="+",
        verbose_name=_("bonus pays only for"),
        help_text=_("None: for all goods."),
    )
    bonus_share_max_percent = models.PositiveSmallIntegerField(
        _("bonus pays at most this share of a bill (%)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    is_first_only = models.BooleanField(_("only as the first recharge"), default=False)
    per_member_max = models.PositiveSmallIntegerField(
        _("times a member may take it"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    starts_on = models.DateField(_("on sale from"), null=True, blank=True)
    ends_on = models.DateField(_("on sale until"), null=True, blank=True, help_text=_("This day included."))
    is_active = models.BooleanField(_("on sale"), default=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("recharge plan")
        verbose_name_plural = _("recharge plans")
        ordering = ("pay_minor",)
        constraints = [
            models.CheckConstraint(
                condition=Q(pay_minor__gt=0, bonus_minor__gte=0), name="recharge_plan_amounts"
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
                name="recharge_plan_dates",
                violation_error_message=_("The plan would end before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
