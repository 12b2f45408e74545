"""Tiers: what they ask, what they give, who holds which, and how it came."""

from __future__ import annotations

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import append_only


class TierMeasure(models.TextChoices):
    """What is summed over the window."""

    SPEND = "spend", _("Money spent")
    VISITS = "visits", _("Visits")
    RECHARGE = "recharge", _("Money recharged")
    POINTS = "points", _("Points earned")


class DowngradePolicy(models.TextChoices):
    """What happens when the figure no longer reaches."""

    AT_ONCE = "at_once", _("Falls at once")
    PERIOD_END = "period_end", _("Kept until the end of the period")
    ONE_STEP = "one_step", _("Falls one step at the end of each period")


class TierPeriod(models.IntegerChoices):
    """Periods start in January."""

    MONTH = 1, _("Month")
    QUARTER = 3, _("Quarter")
    HALF_YEAR = 6, _("Half year")
    YEAR = 12, _("Year")


class TierScheme(models.Model):
    """How tiers are judged: one measure, summed over the last months up to a day. One scheme is in use.

    The days are those of the member's home store. What was given back never counted. See `domain.tiers`.
    """

    name = models.CharField(_("name"), max_length=80)
    measure = models.CharField(_("measure"), max_length=12, choices=TierMeasure, default=TierMeasure.SPEND)
    window_months = models.PositiveSmallIntegerField(
        _("months that count"), default=12, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    policy = models.CharField(
        _("when it no longer reaches"),
        max_length=12,
        choices=DowngradePolicy,
        default=DowngradePolicy.AT_ONCE,
    )
    period_months = models.PositiveSmallIntegerField(
        _("period"), choices=TierPeriod, default=TierPeriod.HALF_YEAR
    )
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace"), default=0, validators=[MaxValueValidator(366)]
    )
    is_active = models.BooleanField(_("in use"), default=False)

    class Meta:
        verbose_name = _("tier scheme")
        verbose_name_plural = _("tier schemes")
        ordering = ("-is_active", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=Q(is_active=True),
                name="tier_scheme_one_active",
                violation_error_message=_("Another scheme is in use."),
            ),
            models.CheckConstraint(
                condition=Q(window_months__gte=1, window_months__lte=60, period_months__in=TierPeriod.values),
                name="tier_scheme_months",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tier(models.Model):
    """A tier of a scheme, from a threshold up (minor units, visits or points). Ranked by its threshold."""

    scheme = models.ForeignKey(TierScheme, models.CASCADE, related_name="tiers", verbose_name=_("scheme"))
    name = models.CharField(_("name"), max_length=40)
    threshold = models.BigIntegerField(
        _("from"), validators=[MinValueValidator(1), MaxValueValidator(10**12)]
    )
    discount_percent = models.PositiveSmallIntegerField(
        _("discount, percent"), default=0, validators=[MaxValueValidator(100)]
    )
    points_percent = models.PositiveSmallIntegerField(
        _("points, percent"), default=100, validators=[MinValueValidator(100), MaxValueValidator(1000)]
    )
    coupon = models.ForeignKey(
        "members.CouponDefinition",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("coupon for whoever rises to it"),
        help_text=_("Once a member and tier."),
    )

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ("scheme", "threshold")
        constraints = [
            models.UniqueConstraint(fields=["scheme", "threshold"], name="tier_threshold_once"),
            models.UniqueConstraint(fields=["scheme", "name"], name="tier_name_once"),
            models.CheckConstraint(
                condition=Q(threshold__gt=0, discount_percent__lte=100, points_percent__gte=100),
                name="tier_figures",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TierStanding(models.Model):
    """The tier a member holds now; no row is no tier. The last TierEntry says the same.

    `until_on` is the last day of an override; after it the figures decide again.
    """

    member = models.OneToOneField("members.Member", models.CASCADE, primary_key=True, related_name="standing")
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="standings")
    since = models.DateTimeField(_("since"))
    until_on = models.DateField(_("set by hand until"), null=True)

    class Meta:
        verbose_name = _("tier held")
        verbose_name_plural = _("tiers held")


class TierOverride(models.Model):
    """A tier given by hand, with a reason and a last day. Until then the figures do not decide."""

    member = models.ForeignKey("members.Member", models.CASCADE, related_name="tier_overrides")
    tier = models.ForeignKey(Tier, models.PROTECT, verbose_name=_("tier"))
    reason = models.CharField(_("reason"), max_length=200)
    until_on = models.DateField(_("last day"))
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))
    ended_at = models.DateTimeField(_("taken back at"), null=True)

    class Meta:
        verbose_name = _("tier set by hand")
        verbose_name_plural = _("tiers set by hand")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(ended_at=None), name="tier_override_one_open"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="tier_override_reason"),
        ]


class TierEntry(models.Model):
    """A member moved from one tier (or none) to another (or none), with the figure at that moment."""

    member = models.ForeignKey("members.Member", models.PROTECT, related_name="tier_entries")
    tier_before = models.ForeignKey(Tier, models.PROTECT, null=True, related_name="+")
    tier = models.ForeignKey(Tier, models.PROTECT, null=True, related_name="+")
    figure = models.BigIntegerField(_("figure"))
    override = models.ForeignKey(TierOverride, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("tier move")
        verbose_name_plural = _("tier moves")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(tier__isnull=False) | Q(tier_before__isnull=False), name="tier_entry_moves"
            )
        ]
        indexes = [models.Index(fields=["member", "-id"], name="tier_entry_member")]
        triggers: list[pgtrigger.Trigger] = append_only("tier_entry")
