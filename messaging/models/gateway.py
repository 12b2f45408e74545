import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from messaging.enums import BindState, GatewayKind, MessageClass


class Gateway(models.Model):
    """A way to phones. One process at a time holds its lease; a write with a dead epoch changes nothing.

    `secret` is encrypted (messaging/secrets.py) and never shown again: the password, or of kinds with several secrets
    all of them. `options` are what the kind needs beside it (messaging/domain/gateways.py). `price_minor` is per part.
    What it can carry (`has_…`, `classes`, empty for all) decides where routes may send a text. `callback_token` is the
    secret path its provider reports to, `callback_sources` the networks it may report from (empty: any).
    `state_since` is since when it is connected, or is not; trying again and again does not begin it anew.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=GatewayKind, default=GatewayKind.SMPP)
    host = models.CharField(_("host"), max_length=200, blank=True)
    port = models.PositiveIntegerField(_("port"), default=0, validators=[MaxValueValidator(65535)])
    system_id = models.CharField(_("system id"), max_length=15, blank=True)
    secret = models.TextField(_("password"), blank=True, editable=False)
    sender = models.CharField(_("sender"), max_length=20, blank=True)
    window = models.PositiveIntegerField(
        _("window"), default=50, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    rate = models.PositiveIntegerField(_("texts per second at most"), default=0)
    price_minor = models.PositiveIntegerField(_("price per part"), default=0)
    options = models.JSONField(default=dict, blank=True, editable=False)
    classes = ArrayField(
        models.CharField(max_length=16, choices=MessageClass),
        verbose_name=_("classes"),
        default=list,
        blank=True,
    )
    has_receipts = models.BooleanField(_("reports deliveries"), default=True)
    has_inbound = models.BooleanField(_("brings answers"), default=True)
    has_long_texts = models.BooleanField(_("carries long texts"), default=True)
    has_unicode = models.BooleanField(_("carries every script"), default=True)
    has_names = models.BooleanField(_("shows a name as the sender"), default=False)
    needs_template = models.BooleanField(
        _("sends by the provider’s templates"), default=False, editable=False
    )
    callback_token = models.CharField(max_length=64, blank=True, editable=False)
    callback_sources = models.CharField(
        _("reports only from"),
        max_length=400,
        blank=True,
        help_text=_("Addresses or networks, with spaces between. Empty: from anywhere."),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    needs_reports = models.BooleanField(
        _("refuse what is not reported"),
        default=False,
        help_text=_(
            "Chinese carriers block signatures, links and phone numbers that were not reported. With this on, the "
            "engine refuses such texts itself."
        ),
    )
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
        constraints = [
            models.UniqueConstraint(
                fields=["callback_token"], condition=~Q(callback_token=""), name="gateway_callback_token"
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="gateway_state_since",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("bind_state"),
                condition=pgtrigger.Condition("((OLD.bind_state = 'bound') <> (NEW.bind_state = 'bound'))"),
                func="IF NEW.state_since = OLD.state_since THEN NEW.state_since := now(); END IF; RETURN NEW;",
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
