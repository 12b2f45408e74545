import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import URGENT, Concern, ConversationStatus


class Conversation(models.Model):
    """What one phone and the shop say to each other, where a person has to answer; one row a phone, reopened.

    `store` is the member's home store, or the last store that texted the number; without one it lies in the pool of
    those in charge. `due_at` is when the first answer of this round is due, `answered_at` when it was given.
    `UNREAD`: nobody has looked at what came in; until somebody has, the phone gets no marketing (messaging/sql).
    Status waiting is the member's turn, or put off until `snoozed_until`. `about` is the text a dispute is about.
    """

    UNREAD: ClassVar[dict[str, Any]] = {"is_unread": True, "status": ConversationStatus.OPEN}

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    phone = models.CharField(_("phone"), max_length=32, unique=True)
    phone_hash = models.BinaryField(max_length=16)
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="conversations")
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, related_name="conversations")
    owner = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="conversations")
    status = models.CharField(
        _("state"), max_length=8, choices=ConversationStatus, default=ConversationStatus.OPEN
    )
    concern = models.CharField(_("about"), max_length=12, choices=Concern, default=Concern.QUESTION)
    about = models.ForeignKey(
        "messaging.Message", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    is_unread = models.BooleanField(default=True)
    opened_at = models.DateTimeField(_("since"))
    last_at = models.DateTimeField(_("last text"))
    due_at = models.DateTimeField(_("answer due"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    snoozed_until = models.DateTimeField(_("put off until"), null=True)
    done_at = models.DateTimeField(null=True)

    @property
    def is_urgent(self) -> bool:
        """Somebody may be spending what is not theirs."""
        return self.concern in URGENT

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ("-last_at", "-id")
        indexes = [
            models.Index(fields=["store", "status", "-last_at", "-id"], name="conversation_list"),
            # the number beside the inbox, and what is overdue
            models.Index(
                fields=["store"], name="conversation_unread", condition=Q(is_unread=True, status="open")
            ),
            models.Index(
                fields=["snoozed_until"],
                name="conversation_snoozed",
                condition=Q(snoozed_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_concern_display()} #{self.pk}"


class StaffReply(models.Model):
    """What a person answered; its text left by the outbox as `message`. One reply a key, however often it is sent.

    The message's cause is "reply" like that of an automatic answer, its cause_id this row's id with a minus: an
    automatic answer has the id of the inbound text.
    """

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="replies")
    staff = models.ForeignKey("members.Staff", models.PROTECT, related_name="+")
    key = models.UUIDField(unique=True)
    text = models.TextField(_("text"), max_length=1000)
    template_version = models.ForeignKey(
        "messaging.TemplateVersion", models.PROTECT, null=True, db_index=False
    )
    message = models.ForeignKey("messaging.Message", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
