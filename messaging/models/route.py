from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from messaging.enums import MessageClass


class Route(models.Model):
    """Which texts may go by which gateway. Routes are read from the top: the first that fits is the way, those
    below it stand in while its gateway does not take texts. In the same place the more particular goes first.

    An empty class list, prefix, region or store fits everything. As long as no route is in use, every gateway takes
    everything. The rule itself is one function in the database (messaging/sql/routes.sql).
    """

    position = models.PositiveIntegerField(
        pgettext_lazy("in a line", "place"),
        default=10,
        help_text=_(
            "Read from the lowest. In the same place the longest beginning of the number goes first."
        ),
    )
    gateway = models.ForeignKey(
        "messaging.Gateway", models.CASCADE, verbose_name=_("gateway"), related_name="routes"
    )
    classes = ArrayField(
        models.CharField(max_length=16, choices=MessageClass),
        verbose_name=_("classes"),
        default=list,
        blank=True,
    )
    prefix = models.CharField(
        _("numbers beginning with"),
        max_length=15,
        blank=True,
        validators=[RegexValidator(r"^\+[1-9][0-9]*\Z", _("With the country, for example +86 or +1310."))],
        help_text=_("With the country, for example +86 or +1310. Empty: every number."),
    )
    region = models.ForeignKey(
        "messaging.Region",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("or numbers of a region"),
        related_name="routes",
    )
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only of this store")
    )
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ("position", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(prefix="") | Q(region=None),
                name="route_prefix_or_region",
                violation_error_message=_("Give a beginning or a region, not both."),
            )
        ]
        indexes = [models.Index(fields=["position", "id"], name="route_order", condition=Q(is_active=True))]

    def __str__(self) -> str:
        return f"{self.position} · {self.region or self.prefix or '+'} → {self.gateway}"
