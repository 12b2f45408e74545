"""Who did what that money or people depend on: one row each, never changed, each chained to the one before it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models.append_only import append_only


class AuditVerb(models.TextChoices):
    """What was done. Rooms may write verbs of their own; these have words."""

    LOGGED_IN = "logged_in", _("Logged in")
    LOGGED_OUT = "logged_out", _("Log-out")
    LOGIN_FAILED = "login_failed", _("Log-in failed")
    LOCKED_OUT = "locked_out", _("Locked out after failed log-ins")
    PASSWORD_SET = "password_set", _("Password set")
    ADDED = "added", _("Added")
    CHANGED = "changed", _("Changed")
    REMOVED = "removed", _("Removed")
    ROLE_GIVEN = "role_given", _("Role given")
    ROLE_CHANGED = "role_changed", _("Role changed")
    ROLE_TAKEN = "role_taken", _("Role taken away")
    SETTING_CHANGED = "setting_changed", _("Setting changed")
    PHONE_SHOWN = "phone_shown", _("Whole phone number shown")
    EXPORTED = "exported", _("Exported")
    IMPORTED = "imported", _("Imported")
    APPROVAL_ASKED = "approval_asked", _("Approval asked for")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    APPROVAL_USED = "approval_used", _("Approval used")
    KEY_CREATED = "key_created", _("API key created")
    KEY_CHANGED = "key_changed", _("API key changed")
    KEY_REVOKED = "key_revoked", _("API key revoked")
    TEXT_WRITTEN = "text_written", _("Text changed")
    TEXT_APPROVED = "text_approved", _("Text approved")
    TEXT_APPROVED_ALONE = "text_approved_alone", _("Own text approved after cooling off")
    TEXT_COOLING_STARTED = "text_cooling_started", _("Cooling off of an own text started")
    TEXT_SENT_BACK = "text_sent_back", _("Text sent back")
    SUPPRESSION_LIFTED = "suppression_lifted", _("Suppression lifted")
    TEXTS_PAUSED = "texts_paused", _("Texts told to wait")
    TEXTS_RESUMED = "texts_resumed", _("Texts let go again")
    TEXTS_RELEASED = "texts_released", _("Texts released")
    TEXTS_DROPPED = "texts_dropped", _("Texts given up")
    RESTORED = "restored", _("Restored from a backup")
    MESSAGE_READ = "message_read", _("Text read")
    ADJUSTED = "adjusted", _("Value adjusted")
    OPENING_CHECKED = "opening_checked", _("Opening balances handed in")
    OPENING_POSTED = "opening_posted", _("Opening balances posted")
    ACCOUNT_FROZEN = "account_frozen", _("Account frozen")
    ACCOUNT_UNFROZEN = "account_unfrozen", _("Account released")
    CARD_FROZEN = "card_frozen", _("Card frozen")
    CARD_UNFROZEN = "card_unfrozen", _("Card active again")
    CARD_CLOSED = "card_closed", _("Card closed")
    CARD_REPLACED = "card_replaced", _("Card replaced")
    CARD_PAUSED = "card_paused", _("Card paused")
    CARD_RESUMED = "card_resumed", _("Card resumed")
    SHARER_ADDED = "sharer_added", _("Sharer of a card added")
    SHARER_REMOVED = "sharer_removed", _("Sharer of a card removed")
    MEMBER_MERGED = "member_merged", _("Members merged")
    MERGE_UNDONE = "merge_undone", _("Merge undone")
    MEMBER_ERASED = "member_erased", _("Member erased")
    PHONE_CHANGED = "phone_changed", _("Phone changed")
    PHONE_CHANGE_ASKED = "phone_change_asked", _("Phone change asked for")
    PHONE_CHANGE_STOPPED = "phone_change_stopped", _("Phone change stopped")
    ERASURE_ASKED = "erasure_asked", _("Erasure asked for")
    TIER_OVERRIDDEN = "tier_overridden", _("Tier set by hand")
    COUPON_VOIDED = "coupon_voided", _("Coupon voided")
    COUPONS_HANDED_OUT = "coupons_handed_out", _("Coupons handed out")
    COUPONS_TAKEN_BACK = "coupons_taken_back", _("Coupons taken back")
    SHIFT_CLOSED = "shift_closed", _("Shift closed with a difference")
    DAY_CLOSED = "day_closed", _("Day closed")
    DAY_REOPENED = "day_reopened", _("Day opened again")
    FRAUD_JUDGED = "fraud_judged", _("Fraud case judged")
    CODES_RELEASED = "codes_released", _("Codes allowed again")
    DISPUTE_OPENED = "dispute_opened", _("“This was not me” by text")
    CONVERSATION_ANSWERED = "conversation_answered", _("Text answered")
    CONVERSATION_ASSIGNED = "conversation_assigned", _("Conversation given to somebody")
    CONVERSATION_SNOOZED = "conversation_snoozed", _("Conversation put off")
    CONVERSATION_DONE = "conversation_done", _("Conversation done")
    OFFERS_STOPPED = "offers_stopped", _("Offers to a number stopped")
    CONVERSATION_REOPENED = "conversation_reopened", _("Conversation opened again")
    LEDGER_ROOT = "ledger_root", _("Root of the ledger")


class AuditEntry(models.Model):
    """One row of the audit log. `seq` and `hash` are set by the database (members/sql/audit.sql), under one lock.

    `scope` names who acted when it was no person of staff; `subject` is kept as text, because what it names may be
    gone one day. `before` and `after` hold only what differs, phones masked, secrets never.
    """

    seq = models.BigIntegerField(_("number"), unique=True, editable=False)
    at = models.DateTimeField(_("at"))
    staff = models.ForeignKey(
        "members.Staff", models.PROTECT, null=True, related_name="audit_entries", verbose_name=_("person")
    )
    scope = models.CharField(_("done by"), max_length=64)
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, verbose_name=_("store"))
    verb = models.CharField(_("what"), max_length=32)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    address = models.CharField(_("from"), max_length=45, blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    hash = models.BinaryField(max_length=32, editable=False)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["staff", "-seq"], name="audit_staff"),
            models.Index(fields=["verb", "-seq"], name="audit_verb"),
            models.Index(fields=["subject_type", "subject_id", "-seq"], name="audit_subject"),
            models.Index(fields=["store", "-seq"], name="audit_store"),
        ]
        triggers: list[pgtrigger.Trigger] = append_only("audit")

    def __str__(self) -> str:
        return f"#{self.seq} {self.verb}"

    @property
    def verb_label(self) -> str | Promise:
        """The verb in words; one we have no words for as it is written."""
        return AuditVerb(self.verb).label if self.verb in AuditVerb.values else self.verb
