import uuid

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from messaging.enums import Cause, MessageClass
from messaging.states import HOLDS_MONEY, MOVES, Reason, State

_HOLDING = ", ".join(f"'{state}'" for state in sorted(state.value for state in HOLDS_MONEY))


def _forbidden_sql() -> str:
    allowed = ", ".join(
        f"'{old.value}>{new.value}'"
        for old, targets in MOVES.items()
        for new in sorted(targets, key=lambda state: state.value)
    )
    return f"OLD.state <> NEW.state AND OLD.state || '>' || NEW.state <> ALL (ARRAY[{allowed}])"


class Message(models.Model):
    """One text to one phone, with its class, its cause and where it stands.

    One row per (cause, cause_id, phone), kept by the database: the only way to the wire. `due_at` is when it
    may leave, `expires_at` when it no longer may. `reason` says why it waits or was not sent: the first gate that
    said no. `gates` holds all of them as bits (states.GATES) where a marketing text was judged. `reserved_milli` is what
    was put aside for it under the budgets when it was queued, in thousandths of a minor unit. `is_personal`: a marketing
    text for a moment of its reader's own (a trigger rule's, a wake-up programme's); it may use the slots kept under the cap.

    No index names what changes on the way to the phone (state, due_at, attempts …), and pages are left half
    empty: each move stays on its page and touches no index. What waits is found through `Waiting`, what a gateway
    has through `Handover`.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, related_name="messages", db_index=False
    )
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, related_name="messages")
    phone = models.CharField(_("phone"), max_length=20)
    phone_hash = models.BinaryField(max_length=16)
    message_class = models.CharField(_("class"), max_length=16, choices=MessageClass)
    priority = models.SmallIntegerField()
    template_version = models.ForeignKey(
        "messaging.TemplateVersion", models.PROTECT, null=True, db_index=False
    )
    language = models.CharField(max_length=10, blank=True)
    text = models.TextField(_("text"))
    encoding = models.CharField(max_length=8)
    parts = models.PositiveSmallIntegerField(_("parts"))
    cause = models.CharField(_("cause"), max_length=8, choices=Cause)
    cause_id = models.BigIntegerField()
    event = models.ForeignKey(
        "members.MembershipEvent", models.PROTECT, null=True, related_name="messages", db_index=False
    )
    timezone = models.CharField(max_length=128)
    state = models.CharField(_("state"), max_length=12, choices=State)
    reason = models.CharField(_("reason"), max_length=24, choices=Reason, blank=True, default=Reason.NONE)
    gates = models.SmallIntegerField(null=True, editable=False)
    due_at = models.DateTimeField(_("due at"))
    expires_at = models.DateTimeField(_("expires at"))
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    gateway = models.ForeignKey("messaging.Gateway", models.PROTECT, null=True, db_index=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    submitted_at = models.DateTimeField(_("sent at"), null=True)
    final_at = models.DateTimeField(_("settled at"), null=True)
    reserved_milli = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    is_personal = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["cause", "cause_id", "phone"], name="message_once")]
        indexes = [
            models.Index(fields=["member", "-id"], name="message_member"),
            # texts to numbers that are no member's
            models.Index(
                fields=["phone_hash", "-id"], name="message_stranger", condition=Q(member__isnull=True)
            ),
            # days: a summary of pages, nothing to keep for a row
            BrinIndex(fields=["created_at"], name="message_days", pages_per_range=32, autosummarize=True),
            # answers to a phone in the last hour; and what was sent to a number that is no member's
            models.Index(
                fields=["phone", "created_at"], name="message_replies", condition=Q(cause=Cause.REPLY)
            ),
            models.Index(fields=["phone", "-id"], name="message_of_stranger", condition=Q(member=None)),
            models.Index(fields=["event"], name="message_event", condition=Q(event__isnull=False)),
            # rolling caps and opt-outs
            models.Index(
                fields=["phone_hash", "created_at"],
                name="message_marketing_of_phone",
                condition=Q(message_class=MessageClass.MARKETING),
            ),
        ]
        triggers = [
            # the table of moves is the trigger's condition: a permitted move costs no call
            pgtrigger.Trigger(
                name="message_moves",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(_forbidden_sql()),
                func="RAISE EXCEPTION 'a message cannot go from % to %', OLD.state, NEW.state;",
            ),
            pgtrigger.Trigger(
                name="message_settles",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "OLD.reserved_milli > 0 AND OLD.state IS DISTINCT FROM NEW.state "
                    f"AND OLD.state IN ({_HOLDING}) AND NEW.state NOT IN ({_HOLDING})"
                ),
                func="INSERT INTO messaging_settling (message_id) VALUES (NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_message_class_display()} #{self.pk}"


class Attempt(models.Model):
    """One try to hand one message to one gateway, committed before the first byte leaves.

    `outcome` is empty until the gateway answers; the provider's raw word is kept. Written only by the gateway
    process, thousands a second: no index and no foreign-key check beyond what a loop needs. It is written in the
    statement that moves its message; a trigger takes it away with a deleted one.
    """

    message = models.ForeignKey(
        Message, models.CASCADE, related_name="tries", db_index=False, db_constraint=False
    )
    number = models.PositiveSmallIntegerField()
    gateway = models.ForeignKey("messaging.Gateway", models.PROTECT, db_index=False, db_constraint=False)
    epoch = models.BigIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=12, blank=True)
    raw_status = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [models.UniqueConstraint(fields=["message", "number"], name="attempt_number")]
        indexes = [
            BrinIndex(fields=["started_at"], name="attempt_hours", pages_per_range=32, autosummarize=True)
        ]


class SubmittedPart(models.Model):
    """The gateway's id of one part of an accepted attempt, and what its receipt said.

    `part` counts from 1. A message is delivered when each of its parts is, whichever attempt carried it.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="submitted_parts", db_constraint=False)
    attempt = models.ForeignKey(
        Attempt, models.CASCADE, related_name="submitted_parts", db_index=False, db_constraint=False
    )
    gateway = models.ForeignKey("messaging.Gateway", models.PROTECT, db_index=False, db_constraint=False)
    part = models.PositiveSmallIntegerField()
    provider_id = models.CharField(max_length=80)
    outcome = models.CharField(max_length=12, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "provider_id"], name="submitted_part_id"),
        ]


class Receipt(models.Model):
    """A delivery report as it came, stored before it was acknowledged; unmatched ones wait for their id.

    `phone` is whom it is about, as the carrier wrote it, kept only until it is matched.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.PROTECT, db_index=False, db_constraint=False)
    provider_id = models.CharField(max_length=80)
    stat = models.CharField(max_length=32, blank=True)
    err = models.CharField(max_length=32, blank=True)
    outcome = models.CharField(max_length=12)
    is_final = models.BooleanField()
    raw = models.TextField()
    phone = models.CharField(max_length=32, blank=True, db_default="")
    received_at = models.DateTimeField(db_default=Now())
    matched_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        indexes = [
            models.Index(
                fields=["gateway", "provider_id"], name="receipt_parked", condition=Q(matched_at=None)
            ),
            BrinIndex(fields=["received_at"], name="receipt_hours", pages_per_range=32, autosummarize=True),
        ]


class InboundPart(models.Model):
    """A piece of a long inbound text, kept until the others are here or a day has passed.

    `phone` is as the carrier wrote it. A piece that comes twice is kept once.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.PROTECT)
    phone = models.CharField(max_length=32)
    to = models.CharField(max_length=32, blank=True)
    reference = models.PositiveIntegerField()
    total = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField()
    text = models.TextField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "phone", "to", "reference", "total", "number"], name="inbound_part_once"
            )
        ]


class InboundText(models.Model):
    """What a phone sent us, stored before it was acknowledged, and what we understood.

    `intent` is that of the grammar, or "auto" for an answering machine. `conversation` is where a person finds it.
    `is_complete` is False when parts of a long text never came.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.PROTECT)
    phone = models.CharField(_("phone"), max_length=32)
    to = models.CharField(_("to"), max_length=32, blank=True)
    text = models.TextField(_("text"))
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="inbound_texts")
    intent = models.CharField(_("understood as"), max_length=16, blank=True)
    argument = models.CharField(max_length=80, blank=True)
    is_complete = models.BooleanField(default=True)
    conversation = models.ForeignKey(
        "messaging.Conversation", models.SET_NULL, null=True, related_name="texts", db_index=False
    )
    received_at = models.DateTimeField(_("received at"), db_default=Now())
    handled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("inbound text")
        verbose_name_plural = _("inbound texts")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["received_at"], name="inbound_unhandled", condition=Q(handled_at=None)),
            # a phone's thread, and how often it says the same
            models.Index(fields=["phone", "-id"], name="inbound_of_phone"),
        ]
