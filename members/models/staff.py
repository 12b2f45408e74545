from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.enums import Role


class Staff(AbstractUser):
    """A person who works here and logs in. What they may do is said per store by their roles.

    `member` and `phone_hash` say which member accounts are their own: nobody deals with those themselves.
    """

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    display_name = models.CharField(pgettext_lazy("person", "name"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    member = models.OneToOneField(
        "members.Member",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="as_staff",
        verbose_name=_("member account"),
    )
    phone_hash = models.BinaryField(max_length=16, null=True, editable=False)

    class Meta:
        verbose_name = _("staff")
        verbose_name_plural = _("staff")

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    def may(self, store_id: int, *roles: Role) -> bool:
        """Whether this person holds one of these roles in that store. A superuser may everything."""
        if not self.is_active:
            return False
        return self.is_superuser or self.roles.filter(store_id=store_id, role__in=roles).exists()

    def may_anywhere(self, *roles: Role) -> bool:
        return self.is_active and (self.is_superuser or self.roles.filter(role__in=roles).exists())


class StaffRole(models.Model):
    """One role of one person in one store."""

    staff = models.ForeignKey(Staff, models.CASCADE, related_name="roles", verbose_name=_("staff"))
    store = models.ForeignKey("members.Store", models.CASCADE, related_name="roles", verbose_name=_("store"))
    role = models.CharField(_("role"), max_length=16, choices=Role)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [models.UniqueConstraint(fields=["staff", "store", "role"], name="staff_role_once")]

    def __str__(self) -> str:
        return f"{self.staff}: {self.get_role_display()} · {self.store}"
