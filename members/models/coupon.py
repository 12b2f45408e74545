"""Coupons: what they take off, whom they were given to, what became of each. The database keeps L14 (coupons.sql)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import append_only

if TYPE_CHECKING:
    from members.models.staff import Staff

_MONEY = (MinValueValidator(1), MaxValueValidator(10**9))
_DAYS = (MinValueValidator(1), MaxValueValidator(3660))


class CouponKind(models.TextChoices):
    """What a coupon takes off a bill."""

    AMOUNT = "amount", _("Money off")
    PERCENT = "percent", _("Percent off")
    ITEM = "item", _("Something free")


class CouponState(models.TextChoices):
    ISSUED = "issued", _("Issued")
    RESERVED = "reserved", _("Reserved")
    REDEEMED = "redeemed", _("Used")
    VOID = "void", _("Void")
    EXPIRED = "expired", _("Expired")


class CouponRefundPolicy(models.TextChoices):
    """What becomes of a coupon when the whole bill it was used on is refunded."""

    RESTORE = "restore", _("Given back as it was")
    REISSUE = "reissue", _("Given back with more days")
    VOID = "void", _("Lost")


class CouponDefinitionQuerySet(models.QuerySet["CouponDefinition"]):
    def visible_to(self, staff: Staff) -> CouponDefinitionQuerySet:
        """Those of every store, and those of a store this person has a role in."""
        if staff.is_superuser:
            return self
        return self.filter(Q(stores=None) | Q(stores__roles__staff=staff)).distinct()

    def at_store(self, store_id: int) -> CouponDefinitionQuerySet:
        """Those that this store takes."""
        return self.filter(Q(stores=None) | Q(stores=store_id)).distinct()


class CouponDefinition(models.Model):
    """What coupons of one sort are worth, when, where, and how many there may be. Money in minor units.

    No stores means every store, no categories all goods, no weekdays every day. `issued`, `used` and `taken_minor`
    are counted by the database, which refuses a coupon above the quota and a use above the budget.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=CouponKind, default=CouponKind.AMOUNT)
    off_minor = models.BigIntegerField(_("money off"), null=True, blank=True, validators=_MONEY)
    percent = models.PositiveSmallIntegerField(
        _("percent off"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    item = models.CharField(_("what is free"), max_length=80, blank=True)
    off_max_minor = models.BigIntegerField(_("at most"), null=True, blank=True, validators=_MONEY)
    min_spend_minor = models.BigIntegerField(
        _("from a bill of"), default=0, validators=[MinValueValidator(0), MaxValueValidator(10**9)]
    )
    stores = models.ManyToManyField("members.Store", blank=True, related_name="+", verbose_name=_("stores"))
    categories = models.ManyToManyField(
        "members.GoodsCategory", blank=True, related_name="+", verbose_name=_("goods categories")
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name=_("weekdays"), default=list, blank=True
    )
    hours_from = models.TimeField(_("from the hour"), null=True, blank=True)
    hours_till = models.TimeField(_("till the hour"), null=True, blank=True)
    valid_from = models.DateField(_("first day"), null=True, blank=True)
    valid_to = models.DateField(_("last day"), null=True, blank=True)
    valid_days = models.PositiveIntegerField(_("days after issue"), null=True, blank=True, validators=_DAYS)
    stacks_with_coupons = models.BooleanField(_("together with other coupons"), default=False)
    stacks_with_tier = models.BooleanField(_("together with a tier discount"), default=True)
    quota = models.PositiveIntegerField(
        _("how many in all"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    member_limit = models.PositiveIntegerField(
        _("per member"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    staff_daily_limit = models.PositiveIntegerField(
        _("by hand, per person of staff a day"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    budget_minor = models.BigIntegerField(
        _("budget"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10**12)]
    )
    refund_policy = models.CharField(
        _("when the bill is refunded"),
        max_length=8,
        choices=CouponRefundPolicy,
        default=CouponRefundPolicy.RESTORE,
    )
    refund_days = models.PositiveIntegerField(_("more days"), null=True, blank=True, validators=_DAYS)
    is_active = models.BooleanField(_("may be issued"), default=True)
    issued = models.PositiveIntegerField(_("issued"), default=0, db_default=0, editable=False)
    used = models.PositiveIntegerField(_("used"), default=0, db_default=0, editable=False)
    taken_minor = models.BigIntegerField(_("taken off"), default=0, db_default=0, editable=False)

    objects = CouponDefinitionQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon definition")
        verbose_name_plural = _("coupon definitions")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=CouponKind.AMOUNT, off_minor__isnull=False, off_minor__gt=0, percent=None)
                | Q(
                    kind=CouponKind.PERCENT,
                    percent__isnull=False,
                    percent__gte=1,
                    percent__lte=100,
                    off_minor=None,
                )
                | (
                    Q(kind=CouponKind.ITEM, off_minor__isnull=False, off_minor__gt=0, percent=None)
                    & ~Q(item="")
                ),
                name="coupon_definition_worth",
            ),
            models.CheckConstraint(condition=Q(min_spend_minor__gte=0), name="coupon_definition_from"),
            models.CheckConstraint(
                condition=Q(quota=None) | Q(issued__lte=F("quota")), name="coupon_within_quota"
            ),
            models.CheckConstraint(
                condition=Q(taken_minor__gte=0)
                & (Q(budget_minor=None) | Q(taken_minor__lte=F("budget_minor"))),
                name="coupon_within_budget",
            ),
            models.CheckConstraint(
                condition=~Q(refund_policy=CouponRefundPolicy.REISSUE)
                | Q(refund_days__isnull=False, refund_days__gt=0),
                name="coupon_definition_reissue",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class HandoutState(models.TextChoices):
    """Where the handing out of coupons to many stands."""

    RUNNING = "running", _("Being handed out")
    DONE = "done", _("Handed out")
    STOPPED = "stopped", _("Stopped")
    UNDOING = "undoing", _("Being taken back")
    UNDONE = "undone", _("Taken back")


class CouponHandout(models.Model):
    """Coupons for everybody an audience names, one each. Done in the background, batch after batch in member order.

    `last_member_id` says how far it is; the criteria are asked as of `asked_at`.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    definition = models.ForeignKey(
        CouponDefinition, models.PROTECT, related_name="handouts", verbose_name=_("definition")
    )
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="+", verbose_name=_("store"))
    staff = models.ForeignKey(
        "members.Staff", models.PROTECT, related_name="+", verbose_name=_("handed out by")
    )
    audience = models.JSONField(_("for whom"), default=dict)
    reason = models.CharField(_("reason"), max_length=200)
    key = models.CharField(max_length=80, unique=True)
    state = models.CharField(_("state"), max_length=8, choices=HandoutState, default=HandoutState.RUNNING)
    matching = models.PositiveIntegerField(_("meet the criteria"), default=0)
    issued = models.PositiveIntegerField(_("issued"), default=0)
    skipped = models.PositiveIntegerField(_("left out"), default=0)
    voided = models.PositiveIntegerField(_("taken back"), default=0)
    stopped_by = models.CharField(_("why it stopped"), max_length=200, blank=True)
    last_member_id = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField(_("asked at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("handing out of coupons")
        verbose_name_plural = _("handings out of coupons")
        ordering = ("-id",)
        indexes = [
            models.Index(
                fields=["id"],
                name="handout_under_way",
                condition=Q(state__in=[HandoutState.RUNNING, HandoutState.UNDOING]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.definition} · {self.store}"

    @property
    def seen(self) -> int:
        """How many members it has come to."""
        return self.issued + self.skipped

    @property
    def is_under_way(self) -> bool:
        return self.state in (HandoutState.RUNNING, HandoutState.UNDOING)


class CouponQuerySet(models.QuerySet["Coupon"]):
    def visible_to(self, staff: Staff) -> CouponQuerySet:
        """Those of members whose home store this person has a role in."""
        return self if staff.is_superuser else self.filter(member__home_store__roles__staff=staff).distinct()

    def filter_free(self, reference: str, at: datetime) -> CouponQuerySet:
        """Those that may be reserved for `reference` now."""
        is_free = Q(state=CouponState.ISSUED) | Q(state=CouponState.RESERVED, reserved_until__lte=at)
        is_own = Q(state=CouponState.RESERVED, reserved_for=reference)
        return self.filter(is_free | is_own).filter(Q(expires_at=None) | Q(expires_at__gt=at))


class Coupon(models.Model):
    """One coupon of one member, by a code nobody else can use. `round` counts the times it was used.

    Its state moves only by conditional updates; the database checks at commit that it agrees with its uses.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("code"), max_length=12, unique=True)
    definition = models.ForeignKey(
        CouponDefinition, models.PROTECT, related_name="coupons", verbose_name=_("definition")
    )
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="coupons", verbose_name=_("member")
    )
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="+", verbose_name=_("store"))
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    state = models.CharField(_("state"), max_length=8, choices=CouponState, default=CouponState.ISSUED)
    round = models.PositiveSmallIntegerField(default=0, db_default=0)
    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=160)
    handout = models.ForeignKey(CouponHandout, models.PROTECT, null=True, related_name="coupons")
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    issued_at = models.DateTimeField(_("issued at"))
    active_from = models.DateTimeField(_("usable from"), null=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)
    reserved_for = models.CharField(_("reserved for"), max_length=80, blank=True)
    reserved_until = models.DateTimeField(_("reserved until"), null=True)
    warned_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(_("voided at"), null=True)
    voided_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    void_reason = models.CharField(_("why void"), max_length=200, blank=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="coupon_issued_once"),
            models.CheckConstraint(
                condition=Q(state=CouponState.RESERVED, reserved_until__isnull=False)
                | (~Q(state=CouponState.RESERVED) & Q(reserved_until=None, reserved_for="")),
                name="coupon_reserved_until",
            ),
            models.CheckConstraint(
                condition=~Q(state=CouponState.VOID) | (Q(voided_at__isnull=False) & ~Q(void_reason="")),
                name="coupon_void_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="coupon_member"),
            models.Index(fields=["definition", "-id"], name="coupon_definition_newest"),
            models.Index(
                fields=["expires_at"],
                name="coupon_to_expire",
                condition=Q(state__in=[CouponState.ISSUED, CouponState.RESERVED]),
            ),
            models.Index(
                fields=["reserved_until"],
                name="coupon_to_release",
                condition=Q(state=CouponState.RESERVED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code[:4]}-{self.code[4:]}"

    @property
    def last_on(self) -> date | None:
        """The last day on which it can be used, in its store's time; None without an end."""
        if self.expires_at is None:
            return None
        return (self.expires_at - timedelta(microseconds=1)).astimezone(self.store.zone).date()


class CouponUseKind(models.TextChoices):
    USED = "used", _("Used")
    RETURNED = "returned", _("Taken back")


class CouponUse(models.Model):
    """A coupon used on a spend, or freed again by the refund of it: once each in a round. Never changed."""

    coupon = models.ForeignKey(Coupon, models.PROTECT, related_name="uses")
    operation = models.ForeignKey("members.Operation", models.PROTECT, related_name="coupon_uses")
    kind = models.CharField(max_length=8, choices=CouponUseKind, default=CouponUseKind.USED)
    round = models.PositiveSmallIntegerField()
    amount_minor = models.BigIntegerField(_("amount"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("use of a coupon")
        verbose_name_plural = _("uses of coupons")
        constraints = [
            models.UniqueConstraint(fields=["coupon", "round", "kind"], name="coupon_used_once"),
            models.UniqueConstraint(fields=["operation", "coupon"], name="coupon_use_of_operation"),
            models.CheckConstraint(
                condition=Q(kind=CouponUseKind.USED, amount_minor__gt=0)
                | Q(kind=CouponUseKind.RETURNED, amount_minor__lt=0),
                name="coupon_use_sign",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = append_only("coupon_use")


class CouponMiss(models.Model):
    """A code that was typed and not found, kept for an hour's count of who guesses."""

    member = models.ForeignKey("members.Member", models.CASCADE, related_name="+")
    scope = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("wrong coupon code")
        verbose_name_plural = _("wrong coupon codes")
        indexes = [
            models.Index(fields=["member", "at"], name="coupon_miss_member"),
            models.Index(fields=["scope", "at"], name="coupon_miss_scope"),
        ]
