"""The words of the ledger and the counter, once. Values are stored; labels are shown."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a member of staff may do in one store."""

    CASHIER = "cashier", _("Cashier")
    MANAGER = "manager", _("Manager")
    MARKETER = "marketer", _("Marketer")
    OWNER = "owner", _("Owner")
    AUDITOR = "auditor", _("Auditor")


class Purpose(models.TextChoices):
    """What a member may be texted for."""

    SERVICE = "service", _("Service texts")
    MARKETING = "marketing", _("Marketing texts")


class ConsentSource(models.TextChoices):
    TILL = "till", _("Till")
    PORTAL = "portal", _("Portal")
    TEXT = "text", _("Text message")
    IMPORT = "import", _("Import")
    API = "api", _("API")


class Gender(models.TextChoices):
    UNSAID = "", _("Not said")
    FEMALE = "female", _("Female")
    MALE = "male", _("Male")


class CardStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    FROZEN = "frozen", _("Frozen (lost)")
    REPLACED = "replaced", _("Replaced")
    CLOSED = "closed", _("Closed")


class SpendOrder(models.TextChoices):
    """Which lots a spend takes first."""

    PRO_RATA = "pro_rata", _("Principal and bonus in proportion")
    PRINCIPAL_FIRST = "principal_first", _("Principal first")
    BONUS_FIRST = "bonus_first", _("Bonus first")


class Unit(models.TextChoices):
    MONEY = "money", _("Money")
    POINTS = "points", _("Points")


class AccountKind(models.TextChoices):
    """Four kinds a member holds, and the counter-accounts of a store, which keep no balance."""

    PRINCIPAL = "principal", _("Principal")
    BONUS = "bonus", _("Bonus")
    POINTS = "points", _("Points")
    TENDER = "tender", _("Outside money")
    SALES = "sales", _("Sales")
    BONUS_COST = "bonus_cost", _("Bonus cost")
    POINTS_COST = "points_cost", _("Points cost")
    REWARDS = "rewards", _("Rewards handed out")
    BREAKAGE = "breakage", _("Expired value")
    POINTS_BREAKAGE = "points_breakage", _("Expired points")


MEMBER_ACCOUNTS = (AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.POINTS)
POINTS_ACCOUNTS = (
    AccountKind.POINTS,
    AccountKind.POINTS_COST,
    AccountKind.REWARDS,
    AccountKind.POINTS_BREAKAGE,
)


class OperationKind(models.TextChoices):
    """A deed at the ledger."""

    OPEN_CARD = "open_card", _("Card opened")
    RECHARGE = "recharge", _("Recharge")
    SPEND = "spend", _("Spend")
    REDEEM = "redeem", _("Points redeemed")
    REFUND = "refund", _("Refund")
    EXPIRE = "expire", _("Expired")


class TenderType(models.TextChoices):
    """Money from outside the ledger."""

    CASH = "cash", _("Cash")
    BANK_CARD = "bank_card", _("Bank card")
    WECHAT = "wechat", _("WeChat Pay")
    ALIPAY = "alipay", _("Alipay")
    OTHER = "other", _("Other")


# (operation kind, account kind, sign): what may touch what. The database holds the same rows and a foreign
# key to them, so that value can neither buy value nor turn into cash by a wrong posting.
POSTING_MATRIX = (
    (OperationKind.RECHARGE, AccountKind.PRINCIPAL, 1),
    (OperationKind.RECHARGE, AccountKind.BONUS, 1),
    (OperationKind.RECHARGE, AccountKind.POINTS, 1),
    (OperationKind.RECHARGE, AccountKind.TENDER, -1),
    (OperationKind.RECHARGE, AccountKind.BONUS_COST, -1),
    (OperationKind.RECHARGE, AccountKind.POINTS_COST, -1),
    (OperationKind.SPEND, AccountKind.PRINCIPAL, -1),
    (OperationKind.SPEND, AccountKind.BONUS, -1),
    (OperationKind.SPEND, AccountKind.TENDER, -1),
    (OperationKind.SPEND, AccountKind.SALES, 1),
    (OperationKind.SPEND, AccountKind.POINTS, 1),
    (OperationKind.SPEND, AccountKind.POINTS_COST, -1),
    (OperationKind.REDEEM, AccountKind.POINTS, -1),
    (OperationKind.REDEEM, AccountKind.REWARDS, 1),
    (OperationKind.REFUND, AccountKind.PRINCIPAL, 1),
    (OperationKind.REFUND, AccountKind.BONUS, 1),
    (OperationKind.REFUND, AccountKind.TENDER, 1),
    (OperationKind.REFUND, AccountKind.SALES, -1),
    (OperationKind.REFUND, AccountKind.POINTS, -1),
    (OperationKind.REFUND, AccountKind.POINTS_COST, 1),
    (OperationKind.EXPIRE, AccountKind.PRINCIPAL, -1),
    (OperationKind.EXPIRE, AccountKind.BONUS, -1),
    (OperationKind.EXPIRE, AccountKind.BREAKAGE, 1),
    (OperationKind.EXPIRE, AccountKind.POINTS, -1),
    (OperationKind.EXPIRE, AccountKind.POINTS_BREAKAGE, 1),
)
