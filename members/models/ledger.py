"""The ledger's tables. Only `domain.ledger` writes them; the guards stand in the database."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.enums import MEMBER_ACCOUNTS, AccountKind, OperationKind, TenderType, Unit
from members.models.append_only import append_only

# Keys without a constraint: what a deed points at stays (accounts, deeds, entries and lots are never deleted), and the
# guards in posting.sql look whether it is there, once a statement. A foreign key would look once a row, and lock the row
# of a busy store each time. Keys without an index: another index begins with the same column.

# The deeds whose sum per person may be limited (control_left in guard.sql asks for exactly these).
LIMITED_KINDS = (
    OperationKind.REFUND,
    OperationKind.REFUND_RECHARGE,
    OperationKind.RECHARGE,
    OperationKind.ADJUST,
    OperationKind.CLOSE,
    OperationKind.MOVE_OUT,
    OperationKind.OPENING,
    OperationKind.SELL_SERVICES,
)


class PostingRule(models.Model):
    """The posting matrix: which deed may touch which kind of account, with which sign."""

    operation_kind = models.CharField(max_length=24, choices=OperationKind)
    account_kind = models.CharField(max_length=24, choices=AccountKind)
    sign = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operation_kind", "account_kind", "sign"], name="posting_rule_once"
            )
        ]


class Account(models.Model):
    """A member's principal, bonus, services or points, or a store's counter-account.

    Member accounts keep `balance`, `last_seq` and the hash of their last entry, and are never negative.
    Counter-accounts keep none of it: a running balance would make one store one hot row. An account that
    `verify_ledger` found wrong `is_frozen`: no deed opens on it until a person has looked.
    """

    kind = models.CharField(_("kind"), max_length=24, choices=AccountKind)
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="accounts")
    card = models.ForeignKey(
        "members.Card", models.PROTECT, null=True, related_name="accounts", db_index=False
    )
    store = models.ForeignKey(
        "members.Store", models.PROTECT, null=True, related_name="accounts", db_index=False
    )
    balance = models.BigIntegerField(_("balance"), null=True)
    last_seq = models.PositiveIntegerField(default=0)
    last_hash = models.BinaryField(max_length=32, null=True, editable=False)
    is_frozen = models.BooleanField(_("frozen"), default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.CheckConstraint(
                condition=Q(balance__isnull=True) | Q(balance__gte=0, balance__lte=10**12),
                name="account_balance_range",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=MEMBER_ACCOUNTS, member__isnull=False, balance__isnull=False)
                | (~Q(kind__in=MEMBER_ACCOUNTS) & Q(store__isnull=False, member=None, balance=None)),
                name="account_owner",
            ),
            models.UniqueConstraint(fields=["card", "kind"], name="account_card_kind"),
            models.UniqueConstraint(
                fields=["member", "kind"],
                condition=Q(card=None, member__isnull=False),
                name="account_member_kind",
            ),
            models.UniqueConstraint(fields=["store", "kind"], name="account_store_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class Operation(models.Model):
    """One deed at the ledger: who, where, when, for whom. `request` is what was asked, for honest replays."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=24, choices=OperationKind)
    scope = models.CharField(max_length=64)
    key = models.CharField(_("idempotency key"), max_length=128)
    request = models.JSONField(default=dict)
    store = models.ForeignKey(
        "members.Store", models.PROTECT, related_name="operations", db_constraint=False, db_index=False
    )
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="operations", db_constraint=False, db_index=False
    )
    card = models.ForeignKey("members.Card", models.PROTECT, null=True, db_constraint=False)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversals", db_index=False)
    amount_minor = models.BigIntegerField(_("amount"), default=0)
    note = models.CharField(_("note"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="operation_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, amount_minor__lte=10**9), name="operation_amount_range"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="operation_member"),
            models.Index(fields=["store", "-id"], name="operation_store"),
            models.Index(fields=["store", "at"], name="operation_store_at"),
            models.Index(
                fields=["staff", "created_at"],
                name="operation_limited_deeds",
                condition=Q(kind__in=LIMITED_KINDS),
            ),
            models.Index(fields=["reverses"], name="operation_reverses", condition=Q(reverses__isnull=False)),
        ]
        triggers: list[pgtrigger.Trigger] = append_only("operation")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class Lot(models.Model):
    """A portion of value with one origin and one expiry. `remaining` falls as it is used.

    `operation` made this lot; `source` is the deed the value first came from, wherever it moved since. The bonus
    and the principal of a recharge share it, which is how the pair is spent in proportion, and its store is the
    one that sold the value. `paid_minor` is what the member paid for the lot. `terms` say where and for what it
    may be used: {"stores": [ids], "categories": [ids], "share_max_percent": n}, each optional. Before
    `active_from` it is pending. `held` is set aside by open holds and cannot be spent by anything else.
    """

    # lot_spendable finds what is left of an account's lots; nobody asks for the empty ones
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="lots", db_constraint=False, db_index=False
    )
    operation = models.ForeignKey(Operation, models.PROTECT, related_name="lots", db_constraint=False)
    source = models.ForeignKey(Operation, models.PROTECT, related_name="sourced_lots", db_constraint=False)
    original = models.BigIntegerField()
    remaining = models.BigIntegerField()
    held = models.BigIntegerField(default=0, db_default=0)
    paid_minor = models.BigIntegerField(default=0)
    terms = models.JSONField(null=True)
    active_from = models.DateTimeField(_("usable from"), null=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [
            models.CheckConstraint(
                condition=Q(original__gt=0, remaining__gte=0, remaining__lte=F("original")), name="lot_range"
            ),
            models.CheckConstraint(condition=Q(held__gte=0, held__lte=F("remaining")), name="lot_held"),
        ]
        indexes = [
            models.Index(
                fields=["account", "expires_at", "id"], name="lot_spendable", condition=Q(remaining__gt=0)
            ),
            models.Index(
                fields=["expires_at"],
                name="lot_to_expire",
                condition=Q(remaining__gt=0, expires_at__isnull=False),
            ),
        ]


class RestoredLot(models.Model):
    """A lot that a refund made of what came back: `left` is the lot it was taken from, which ends too soon to take it."""

    lot = models.OneToOneField(Lot, models.PROTECT, related_name="restored")
    left = models.ForeignKey(Lot, models.PROTECT, related_name="restored_as")

    class Meta:
        triggers: list[pgtrigger.Trigger] = append_only("restored_lot")


class Entry(models.Model):
    """One line of an account. Numbered without gaps, with the balance after it, chained by its hash.

    `hash` is SHA-256 of the account's previous hash and this entry's account, number, amount, balance and deed
    (`ledger_link` in ledger.sql). The entries of counter-accounts have none of it.
    """

    operation = models.ForeignKey(Operation, models.PROTECT, related_name="entries", db_constraint=False)
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    operation_kind = models.CharField(max_length=24, choices=OperationKind)
    account_kind = models.CharField(max_length=24, choices=AccountKind)
    sign = models.SmallIntegerField()
    unit = models.CharField(max_length=8, choices=Unit)
    amount = models.BigIntegerField()
    seq = models.PositiveIntegerField(null=True)
    balance_after = models.BigIntegerField(null=True)
    hash = models.BinaryField(max_length=32, null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="entry_seq"),
            models.CheckConstraint(condition=~Q(amount=0), name="entry_amount"),
            models.CheckConstraint(
                condition=Q(seq=None, balance_after=None, hash=None)
                | Q(seq__gte=1, balance_after__gte=0, hash__isnull=False),
                name="entry_numbering",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = append_only("entry")


class LotUse(models.Model):
    """How much one entry took from (negative) or returned to (positive) one lot; the way back for a refund."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="lot_uses", db_constraint=False)
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses", db_constraint=False)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="lot_use_amount")]
        triggers: list[pgtrigger.Trigger] = append_only("lot_use")


class Tender(models.Model):
    """Outside money of one deed, by its name; a reference pays once. Negative when given back.

    Cash lies in the drawer of a shift.
    """

    operation = models.ForeignKey(Operation, models.PROTECT, related_name="tenders")
    type = models.CharField(_("tender"), max_length=16, choices=TenderType)
    amount_minor = models.BigIntegerField(_("amount"))
    reference = models.CharField(_("reference"), max_length=64, blank=True)
    shift = models.ForeignKey("members.Shift", models.PROTECT, null=True, related_name="tenders")

    class Meta:
        verbose_name = _("tender")
        verbose_name_plural = _("tenders")
        constraints = [
            models.UniqueConstraint(
                fields=["type", "reference"],
                condition=~Q(reference="") & Q(amount_minor__gt=0),
                name="tender_reference_once",
            ),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="tender_amount"),
            models.CheckConstraint(
                condition=~Q(type=TenderType.CASH) | Q(shift__isnull=False), name="tender_cash_in_shift"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = append_only("tender")
