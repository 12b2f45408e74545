from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.enums import Gender
from members.phones import mask

if TYPE_CHECKING:
    from members.models.staff import Staff


class MemberStatus(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("member", "Active")
    MERGED = "merged", pgettext_lazy("member", "Merged into another")
    ERASED = "erased", pgettext_lazy("member", "Erased")


class MemberQuerySet(models.QuerySet["Member"]):
    def current(self) -> MemberQuerySet:
        """Those who are members: neither merged into another nor erased."""
        return self.filter(status=MemberStatus.ACTIVE)

    def visible_to(self, staff: Staff) -> MemberQuerySet:
        """Members whose home store this person has a role in; all of them for a superuser."""
        return self if staff.is_superuser else self.filter(home_store__roles__staff=staff).distinct()


class Member(models.Model):
    """One person per phone (E.164). `phone_hash` is the keyed hash that suppressions are matched by.

    The two `has_…_consent` flags are the fold of the consent ledger, moved only by `domain.enrolment`. A merged member
    keeps its row and its number, which then leads to `merged_into`; of an erased one a pseudonym is left. Until
    `cooling_until` (a change of phone is asked for, or was just made) a spend of stored value is limited.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member_no = models.CharField(_("member number"), max_length=32, unique=True)
    phone = models.CharField(_("phone"), max_length=20, unique=True)
    phone_hash = models.BinaryField(max_length=16, editable=False, unique=True)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    gender = models.CharField(_("gender"), max_length=8, choices=Gender, blank=True, default=Gender.UNSAID)
    home_store = models.ForeignKey(
        "members.Store", models.PROTECT, related_name="members", verbose_name=_("home store")
    )
    tags = ArrayField(models.CharField(max_length=40), verbose_name=_("tags"), default=list, blank=True)
    notes = models.TextField(_("notes"), max_length=2000, blank=True)
    source = models.CharField(_("source"), max_length=32, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, blank=True)
    has_service_consent = models.BooleanField(_("service texts"), default=False, editable=False)
    has_marketing_consent = models.BooleanField(_("marketing texts"), default=False, editable=False)
    identity_checked_on = models.DateField(_("identity checked on"), null=True, blank=True)
    enrolled_at = models.DateTimeField(_("enrolled at"), default=now)
    status = models.CharField(
        _("status"),
        max_length=8,
        choices=MemberStatus,
        default=MemberStatus.ACTIVE,
        db_default=MemberStatus.ACTIVE,
        editable=False,
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="absorbed",
        verbose_name=_("merged into"),
    )
    cooling_until = models.DateTimeField(_("spending limited until"), null=True, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ("-id",)
        indexes = [
            GinIndex(OpClass("phone", "gin_trgm_ops"), name="member_phone_trgm"),
            GinIndex(OpClass("name", "gin_trgm_ops"), name="member_name_trgm"),
            GinIndex(fields=["tags"], name="member_tags"),
            models.Index(fields=["home_store", "-id"], name="member_store_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=MemberStatus.MERGED, merged_into__isnull=False)
                | (~Q(status=MemberStatus.MERGED) & Q(merged_into=None)),
                name="member_merged_into",
            ),
            models.CheckConstraint(
                condition=~Q(status=MemberStatus.ERASED) | Q(name="", birthday=None, notes=""),
                name="member_erased_is_nobody",
            ),
        ]

    def __str__(self) -> str:
        return self.name or mask(self.phone)

    @property
    def is_registered(self) -> bool:
        """Whether the member's cards are registered ones: known by name and phone."""
        return bool(self.name and self.phone)

    @property
    def is_current(self) -> bool:
        return self.status == MemberStatus.ACTIVE


class MemberFacts(models.Model):
    """What audiences ask of a member, kept up to date by the deeds themselves (one row a member).

    Money in minor units. `last_visit_at` and `visits` count purchases, refunded ones included.
    """

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="facts")
    visits = models.PositiveIntegerField(_("visits"), default=0)
    first_visit_at = models.DateTimeField(_("first visit"), null=True)
    last_visit_at = models.DateTimeField(_("last visit"), null=True, db_index=True)
    spend_minor = models.BigIntegerField(_("spent"), default=0)

    class Meta:
        verbose_name = _("member facts")
        verbose_name_plural = _("member facts")
