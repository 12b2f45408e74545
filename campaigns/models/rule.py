from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.enums import Firing
from messaging.states import Reason


class TriggerRule(models.Model):
    """When this event happens, send that template: per store or for all, on or off.

    A store's own rule for an event, on or off, stands in place of the rules for all stores. The same member
    hears of the same rule at most once in `dedupe_seconds`.
    """

    name = models.CharField(_("name"), max_length=80)
    event_type = models.CharField(_("event"), max_length=64)
    template = models.ForeignKey("messaging.Template", models.PROTECT, verbose_name=_("template"))
    store = models.ForeignKey(
        "members.Store", models.CASCADE, null=True, blank=True, verbose_name=_("only at this store")
    )
    dedupe_seconds = models.PositiveIntegerField(_("not again within (seconds)"), default=0)
    is_on = models.BooleanField(_("on"), default=True)

    class Meta:
        verbose_name = _("trigger rule")
        verbose_name_plural = _("trigger rules")
        ordering = ("event_type", "id")
        indexes = [models.Index(fields=["event_type"], name="rule_event", condition=models.Q(is_on=True))]

    def __str__(self) -> str:
        return self.name


class RuleFiring(models.Model):
    """What one rule did about one event: the text it queued, or why there is none. Once per rule and event.

    Its text is the message with cause RULE and this id. `reason` is one of messaging.states.Reason.
    """

    rule = models.ForeignKey(TriggerRule, models.CASCADE, related_name="firings", db_index=False)
    event = models.ForeignKey("members.MembershipEvent", models.CASCADE, related_name="firings")
    member = models.ForeignKey("members.Member", models.CASCADE, related_name="firings", db_index=False)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Firing)
    reason = models.CharField(_("reason"), max_length=24, choices=Reason, blank=True, default=Reason.NONE)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("rule firing")
        verbose_name_plural = _("rule firings")
        constraints = [models.UniqueConstraint(fields=["rule", "event"], name="rule_once_per_event")]
        indexes = [models.Index(fields=["member", "rule", "-at"], name="firing_dedupe")]
