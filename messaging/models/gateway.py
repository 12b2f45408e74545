import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from messaging.enums import BindState, GatewayKind


class Gateway(models.Model):
    """A way to phones. One process at a time holds its lease; a write with a dead epoch changes nothing.

    `secret` is encrypted (messaging/secrets.py) and never shown again. `price_minor` is per part.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=GatewayKind, default=GatewayKind.SMPP)
    host = models.CharField(_("host"), max_length=200)
    port = models.PositiveIntegerField(_("port"), validators=[MinValueValidator(1), MaxValueValidator(65535)])
    system_id = models.CharField(_("system id"), max_length=15)
    secret = models.TextField(_("password"), blank=True, editable=False)
    sender = models.CharField(_("sender"), max_length=20, blank=True)
    window = models.PositiveIntegerField(
        _("window"), default=50, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    rate = models.PositiveIntegerField(_("texts per second at most"), default=0)
    price_minor = models.PositiveIntegerField(_("price per part"), default=0)
    is_active = models.BooleanField(_("in use"), default=True)
    bind_state = models.CharField(
        _("connection"), max_length=16, choices=BindState, default=BindState.OFF, editable=False
    )
    last_error = models.CharField(_("last error"), max_length=200, blank=True, editable=False)
    state_since = models.DateTimeField(_("so since"), db_default=Now(), editable=False)
    bound_at = models.DateTimeField(_("connected since"), null=True, editable=False)
    lease_owner = models.CharField(max_length=80, blank=True, editable=False)
    lease_epoch = models.BigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        ordering = ("id",)
        triggers = [
            pgtrigger.Trigger(
                name="gateway_state_since",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("bind_state"),
                condition=pgtrigger.Condition("OLD.bind_state IS DISTINCT FROM NEW.bind_state"),
                func="NEW.state_since := now(); RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="gateway_prices",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("price_minor"),
                func="PERFORM sms_price_changed(NEW.id, NEW.price_minor); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return self.name
