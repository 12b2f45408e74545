"""What staff may do alone, what a second person has said yes to, and where the books were last verified."""

from __future__ import annotations

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.enums import Role
from members.models.staff import Staff, StaffRole


class LimitedDeed(models.TextChoices):
    """The deeds that can be limited, and what is summed of each. `control_uses` in guard.sql says the same."""

    REFUND = "refund", _("Refunds")
    REFUND_RECHARGE = "refund_recharge", _("Recharges refunded")
    RECHARGE = "recharge", _("Recharges with a plan")
    SELL_SERVICES = "sell_services", _("Services sold")
    ADJUST = "adjust", _("Bonus given or taken")
    ADJUST_POINTS = "adjust_points", _("Points given or taken")
    CLOSE = "close", _("Cards closed")
    TRANSFER = "transfer", _("Value moved to another card")
    TRANSFER_POINTS = "transfer_points", _("Points moved to another card")
    TRANSFER_SERVICES = "transfer_services", _("Services moved to another card")
    RETURN_SERVICES = "return_services", _("Services returned")
    REFUND_POINTS = "refund_points", _("Points given back for rewards")
    OPENING = "opening", _("Opening balances")
    EXPORT = "export", _("Members taken away as a file")


COUNTED_WHOLE = frozenset(
    {
        LimitedDeed.ADJUST_POINTS,
        LimitedDeed.TRANSFER_POINTS,
        LimitedDeed.REFUND_POINTS,
        LimitedDeed.TRANSFER_SERVICES,
        LimitedDeed.RETURN_SERVICES,
    }
)  # in points or services, not in money


NO_LIMITS = frozenset({LimitedDeed.EXPORT})  # no deed of the ledger: what may be done alone is a setting


class Window(models.IntegerChoices):
    """How long back a limit looks, in hours; it moves with the clock."""

    HOUR = 1, _("1 hour")
    DAY = 24, _("24 hours")
    MONTH = 720, _("30 days")


class StaffLimit(models.Model):
    """How much of a kind of deed a person may do alone in a rolling window; above it a second person approves.

    Said for a role or for one person. A person's own limit stands in place of their role's for the same window.
    Of several roles in a store the highest counts. Deeds that were approved do not count.
    """

    deed = models.CharField(_("deed"), max_length=24, choices=LimitedDeed)
    role = models.CharField(
        _("role"),
        max_length=16,
        blank=True,
        choices=[(role.value, role.label) for role in (Role.CASHIER, Role.MANAGER, Role.OWNER)],
    )
    staff = models.ForeignKey(
        "members.Staff",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="limits",
        verbose_name=_("person"),
    )
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only at this store")
    )
    window_hours = models.PositiveSmallIntegerField(_("within"), choices=Window, default=Window.DAY)
    amount_max = models.BigIntegerField(
        _("at most in all"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In 1/100 of the currency; points and services as they are. Empty: any amount."),
    )
    count_max = models.PositiveIntegerField(_("at most this often"), null=True, blank=True)

    class Meta:
        verbose_name = _("staff limit")
        verbose_name_plural = _("staff limits")
        ordering = ("deed", "role", "window_hours")
        constraints = [
            models.CheckConstraint(
                condition=Q(role="", staff__isnull=False) | (~Q(role="") & Q(staff=None)),
                name="staff_limit_whose",
                violation_error_message=_("Choose a role or a person, not both."),
            ),
            models.CheckConstraint(
                condition=Q(amount_max__isnull=False) | Q(count_max__isnull=False),
                name="staff_limit_says_something",
                violation_error_message=_("Say how much or how often."),
            ),
            models.CheckConstraint(
                condition=Q(amount_max=None) | Q(amount_max__gte=0), name="staff_limit_amount"
            ),
            models.CheckConstraint(condition=Q(window_hours__in=Window.values), name="staff_limit_window"),
            models.UniqueConstraint(
                fields=["deed", "role", "staff", "store", "window_hours"],
                nulls_distinct=False,
                name="staff_limit_once",
            ),
        ]

    def __str__(self) -> str:
        whose = self.staff or self.get_role_display()
        return f"{self.get_deed_display()}: {whose}, {self.get_window_hours_display()}"


class ApprovalStatus(models.TextChoices):
    PENDING = "pending", _("Waiting")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    USED = "used", _("Used")


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def visible_to(self, staff: Staff) -> ApprovalQuerySet:
        """Those of the stores this person is in charge of, and what they asked for themselves."""
        if staff.is_superuser:
            return self
        roles = (Role.MANAGER, Role.OWNER, Role.AUDITOR)
        held = StaffRole.objects.filter(staff=staff, role__in=roles)
        return self.filter(Q(maker=staff) | Q(store_id__in=held.values("store")))


class Approval(models.Model):
    """A second person's yes to exactly one deed, used at most once.

    `payload` is what the deed asks of the ledger, key for key; `payload_hash` (set by the database) binds the yes
    to it. Who asked, for what and until when never change; triggers in control.sql hold that.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    deed = models.CharField(_("deed"), max_length=24, choices=LimitedDeed)
    payload = models.JSONField()
    payload_hash = models.BinaryField(max_length=32, editable=False)
    amount = models.BigIntegerField(_("amount"), default=0)
    store = models.ForeignKey("members.Store", models.PROTECT, verbose_name=_("store"))
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, verbose_name=_("member"))
    note = models.CharField(_("reason"), max_length=200, blank=True)
    maker = models.ForeignKey(
        "members.Staff", models.PROTECT, related_name="approvals_asked", verbose_name=_("asked by")
    )
    checker = models.ForeignKey(
        "members.Staff",
        models.PROTECT,
        null=True,
        related_name="approvals_given",
        verbose_name=_("decided by"),
    )
    status = models.CharField(
        _("status"), max_length=16, choices=ApprovalStatus, default=ApprovalStatus.PENDING
    )
    asked_at = models.DateTimeField(_("asked at"))
    expires_at = models.DateTimeField(_("valid until"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    used_at = models.DateTimeField(_("used at"), null=True)
    operation = models.OneToOneField(
        "members.Operation", models.PROTECT, null=True, related_name="approval", verbose_name=_("operation")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(checker=None) | ~Q(checker=F("maker")), name="approval_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(status=ApprovalStatus.PENDING, checker=None, decided_at=None)
                | (~Q(status=ApprovalStatus.PENDING) & Q(checker__isnull=False, decided_at__isnull=False)),
                name="approval_decided",
            ),
            models.CheckConstraint(
                condition=Q(status=ApprovalStatus.USED, used_at__isnull=False)
                & (Q(operation__isnull=False) | Q(deed=LimitedDeed.EXPORT))
                | (~Q(status=ApprovalStatus.USED) & Q(used_at=None, operation=None)),
                name="approval_used",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="approval_store"),
            models.Index(
                fields=["store"], name="approval_waiting", condition=Q(status=ApprovalStatus.PENDING)
            ),
            models.Index(fields=["maker", "-id"], name="approval_maker"),
        ]

    def __str__(self) -> str:
        return f"{self.get_deed_display()} · {self.maker}"


class OpeningBatch(models.Model):
    """A file of opening balances as it was read: its rows, its sums, and the approval it waits for."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    store = models.ForeignKey("members.Store", models.PROTECT, verbose_name=_("store"))
    product = models.ForeignKey("members.CardProduct", models.PROTECT, verbose_name=_("card product"))
    file_name = models.CharField(_("file"), max_length=120)
    digest = models.CharField(max_length=64, editable=False)
    rows = models.JSONField(default=list)
    money_minor = models.BigIntegerField(_("money in all"))
    points = models.BigIntegerField(_("points in all"))
    maker = models.ForeignKey("members.Staff", models.PROTECT, verbose_name=_("handed in by"))
    approval = models.OneToOneField("members.Approval", models.PROTECT, null=True, verbose_name=_("approval"))
    handed_in_at = models.DateTimeField(_("handed in at"))
    posted_at = models.DateTimeField(_("posted at"), null=True)

    class Meta:
        verbose_name = _("opening balances")
        verbose_name_plural = _("opening balances")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["store", "digest"], name="opening_batch_once"),
            models.CheckConstraint(condition=Q(money_minor__gte=0, points__gte=0), name="opening_batch_sums"),
        ]

    def __str__(self) -> str:
        return self.file_name


class VerifyState(models.Model):
    """How far the books have been verified: one row."""

    last_entry_id = models.BigIntegerField(default=0)
    verified_at = models.DateTimeField(null=True)
    accounts = models.BigIntegerField(default=0)
    is_sound = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="verify_state_single")]
