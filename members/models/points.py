"""How points are earned, why they were, what they are given for and who was told that they end."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import append_only
from members.models.card import OfferQuerySet


class EarningOccasion(models.TextChoices):
    """What has to happen for a rule to be asked."""

    SPEND = "spend", _("A bill is paid")
    RECHARGE = "recharge", _("A card is recharged")
    BIRTHDAY = "birthday", _("It is the member’s birthday")
    EVENT = "event", _("An event happens")


class EarningEffect(models.TextChoices):
    """What a rule gives."""

    RATE = "rate", _("Points per amount")
    TIMES = "times", _("Times the points")
    EXTRA = "extra", _("Extra points")


class BirthdaySpan(models.TextChoices):
    """When a bill counts as paid on a birthday."""

    ANY = "", _("Any time")
    DAY = "day", _("On the birthday")
    MONTH = "month", _("In the month of the birthday")


class EarningRule(models.Model):
    """One rule by which members earn points. What it does not say does not limit it.

    Rules are asked in the order of `position`. The first rate that fits a line of the bill decides its points;
    without one the card product's own rate does. “Times” adds to those points, each from the same base, never on
    top of each other; “extra” is added as it is. After a rule that `is_last` no further rule is asked.
    `tier` means this tier and those above. Its points last `valid_months`, then up to the next `expires_month` and
    `expires_day`; when it says nothing, as long as the card product says.
    """

    name = models.CharField(_("name"), max_length=80)
    occasion = models.CharField(
        _("when"), max_length=12, choices=EarningOccasion, default=EarningOccasion.SPEND
    )
    effect = models.CharField(_("gives"), max_length=8, choices=EarningEffect, default=EarningEffect.EXTRA)
    points = models.PositiveIntegerField(_("points"), default=0, validators=[MaxValueValidator(10**6)])
    per_minor = models.PositiveIntegerField(
        _("per amount paid"), default=100, validators=[MinValueValidator(1), MaxValueValidator(10**8)]
    )
    percent = models.PositiveIntegerField(
        _("percent of the points"), default=100, validators=[MinValueValidator(100), MaxValueValidator(1000)]
    )
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only at this store")
    )
    card_product = models.ForeignKey(
        "members.CardProduct", models.CASCADE, null=True, blank=True, verbose_name=_("only with this card")
    )
    category = models.ForeignKey(
        "members.GoodsCategory",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("only for these goods"),
    )
    tier = models.ForeignKey(
        "members.Tier", models.CASCADE, null=True, blank=True, verbose_name=_("only from this tier up")
    )
    birthday = models.CharField(
        _("birthday"), max_length=8, choices=BirthdaySpan, default=BirthdaySpan.ANY, blank=True
    )
    is_first_purchase = models.BooleanField(_("only the first purchase"), default=False)
    event_type = models.CharField(_("event"), max_length=64, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name=_("only on these weekdays"), default=list, blank=True
    )
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    valid_months = models.PositiveSmallIntegerField(
        _("points valid for months"), null=True, blank=True, validators=[MaxValueValidator(120)]
    )
    expires_month = models.PositiveSmallIntegerField(
        _("end in month"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    expires_day = models.PositiveSmallIntegerField(
        _("end on day"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    position = models.PositiveSmallIntegerField(_("order"), default=10)
    is_last = models.BooleanField(_("no further rule after this one"), default=False)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        ordering = ("position", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(effect=EarningEffect.TIMES, percent__gt=100)
                | Q(effect=EarningEffect.RATE, points__gt=0, per_minor__gt=0)
                | Q(effect=EarningEffect.EXTRA, points__gt=0),
                name="earning_rule_gives",
                violation_error_message=_("Say what the rule gives: points, or more than 100 percent."),
            ),
            models.CheckConstraint(
                condition=Q(effect=EarningEffect.EXTRA)
                | Q(occasion__in=(EarningOccasion.SPEND, EarningOccasion.RECHARGE)),
                name="earning_rule_needs_amount",
                violation_error_message=_("A birthday or an event has no amount: give extra points."),
            ),
            models.CheckConstraint(
                condition=~Q(occasion=EarningOccasion.EVENT) | ~Q(event_type=""),
                name="earning_rule_names_event",
                violation_error_message=_("Choose the event."),
            ),
            models.CheckConstraint(
                condition=Q(expires_month=None, expires_day=None)
                | Q(expires_month__isnull=False, expires_day__isnull=False),
                name="earning_rule_end_day",
                violation_error_message=_("A fixed last day needs its month and its day."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Earning(models.Model):
    """Why a deed earned points: so many by this rule, with the figures they were reckoned from (`why`).

    A bill that earned only its card product's rate has no row: its amount says it all.
    """

    operation = models.ForeignKey("members.Operation", models.PROTECT, related_name="earnings")
    rule = models.ForeignKey(EarningRule, models.PROTECT, null=True, related_name="+")
    points = models.BigIntegerField(_("points"))
    why = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("earning")
        verbose_name_plural = _("earnings")
        constraints = [models.CheckConstraint(condition=Q(points__gt=0), name="earning_points")]
        triggers: list[pgtrigger.Trigger] = append_only("earning")


class Reward(models.Model):
    """Something a member may take for points: so many in stock, so many for each member, while it is offered.

    `tier` means this tier and those above. Without a stock there is always one.
    """

    name = models.CharField(_("name"), max_length=80)
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only at this store")
    )
    points = models.PositiveIntegerField(_("points"), validators=[MinValueValidator(1)])
    stock = models.PositiveIntegerField(_("in stock"), null=True, blank=True)
    per_member_max = models.PositiveSmallIntegerField(
        _("at most per member"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    tier = models.ForeignKey(
        "members.Tier", models.SET_NULL, null=True, blank=True, verbose_name=_("only from this tier up")
    )
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    is_active = models.BooleanField(_("offered"), default=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering = ("points",)
        constraints = [models.CheckConstraint(condition=Q(points__gt=0), name="reward_points")]

    def __str__(self) -> str:
        return self.name


class RewardTaking(models.Model):
    """One reward handed out by a deed, until a refund puts it back."""

    operation = models.OneToOneField("members.Operation", models.PROTECT, related_name="reward_taking")
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="takings")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="reward_takings")
    returned_at = models.DateTimeField(_("put back at"), null=True)

    class Meta:
        verbose_name = _("reward taken")
        verbose_name_plural = _("rewards taken")
        indexes = [models.Index(fields=["member", "reward"], name="reward_taking_member")]


class ExpiryWarning(models.Model):
    """A lot whose member was told that it ends then. Once for each end."""

    lot = models.ForeignKey("members.Lot", models.PROTECT, related_name="expiry_warnings")
    expires_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "expires_at"], name="expiry_warning_once")]
