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
    CARRIER = "carrier", _("Carrier’s blacklist")


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
    SERVICES = "services", _("Services")


class AccountKind(models.TextChoices):
    """Four kinds a member holds, and the counter-accounts of a store, which keep no balance.

    Money in and costs are negative on a counter-account, what is sold or owed to others positive.
    """

    PRINCIPAL = "principal", _("Principal")
    BONUS = "bonus", _("Bonus")
    SERVICES = "services", _("Services")
    POINTS = "points", _("Points")
    TENDER = "tender", _("Outside money")
    SALES = "sales", _("Sales")
    DISCOUNTS = "discounts", _("Discounts given")
    BONUS_COST = "bonus_cost", _("Bonus cost")
    POINTS_TENDER = "points_tender", _("Points taken as money")
    DEFERRED = "deferred", _("Services sold and not served")
    SETTLEMENT = "settlement", _("Owed between stores")
    TRANSIT = "transit", _("On its way")
    OPENING = "opening", _("Opening balances")
    KEPT = "kept", _("Kept on closing")
    BREAKAGE = "breakage", _("Expired value")
    POINTS_COST = "points_cost", _("Points cost")
    REWARDS = "rewards", _("Rewards handed out")
    POINTS_TRANSIT = "points_transit", _("Points on their way")
    POINTS_BREAKAGE = "points_breakage", _("Expired points")
    SERVICES_SOLD = "services_sold", _("Services sold")
    SERVICES_SERVED = "services_served", _("Services served")
    SERVICES_TRANSIT = "services_transit", _("Services on their way")
    SERVICES_BREAKAGE = "services_breakage", _("Expired services")


MEMBER_ACCOUNTS = (AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.SERVICES, AccountKind.POINTS)
STORED_VALUE = (AccountKind.PRINCIPAL, AccountKind.BONUS)
POINTS_ACCOUNTS = (
    AccountKind.POINTS,
    AccountKind.POINTS_COST,
    AccountKind.REWARDS,
    AccountKind.POINTS_TRANSIT,
    AccountKind.POINTS_BREAKAGE,
)
SERVICES_ACCOUNTS = (
    AccountKind.SERVICES,
    AccountKind.SERVICES_SOLD,
    AccountKind.SERVICES_SERVED,
    AccountKind.SERVICES_TRANSIT,
    AccountKind.SERVICES_BREAKAGE,
)


class OperationKind(models.TextChoices):
    """A deed at the ledger."""

    OPEN_CARD = "open_card", _("Card opened")
    RECHARGE = "recharge", _("Recharge")
    SPEND = "spend", _("Spend")
    REDEEM = "redeem", _("Points redeemed")
    EARN = "earn", _("Points earned")
    REFUND = "refund", _("Refund")
    REFUND_RECHARGE = "refund_recharge", _("Recharge refunded")
    SELL_SERVICES = "sell_services", _("Services sold")
    SERVE = "serve", _("Service taken")
    HOLD = "hold", _("Value held")
    RELEASE = "release", _("Hold released")
    MOVE_OUT = "move_out", _("Value moved away")
    MOVE_IN = "move_in", _("Value moved here")
    FREEZE = "freeze", _("Card frozen")
    UNFREEZE = "unfreeze", _("Card active again")
    CLOSE = "close", _("Card closed")
    ADJUST = "adjust", _("Adjustment")
    OPENING = "opening", _("Opening balance")
    EXPIRE = "expire", _("Expired")


# Deeds that move no value, and the closing of an empty card: they have no entries.
WITHOUT_ENTRIES = (
    OperationKind.OPEN_CARD,
    OperationKind.HOLD,
    OperationKind.RELEASE,
    OperationKind.FREEZE,
    OperationKind.UNFREEZE,
    OperationKind.CLOSE,
)


class HoldStatus(models.TextChoices):
    OPEN = "open", _("Open")
    CAPTURED = "captured", _("Captured")
    RELEASED = "released", _("Released")
    EXPIRED = "expired", _("Expired")


class TenderType(models.TextChoices):
    """Money from outside the ledger."""

    CASH = "cash", _("Cash")
    BANK_CARD = "bank_card", _("Bank card")
    WECHAT = "wechat", _("WeChat Pay")
    ALIPAY = "alipay", _("Alipay")
    OTHER = "other", _("Other")


# (operation kind, account kind, signs): what may touch what. The database holds the same rows and a foreign
# key to them, so that value can neither buy value nor turn into cash by a wrong posting.
_BOTH, _IN, _OUT = (1, -1), (1,), (-1,)
_A, _O = AccountKind, OperationKind
_POSTINGS: dict[OperationKind, dict[AccountKind, tuple[int, ...]]] = {
    _O.RECHARGE: {
        _A.PRINCIPAL: _IN,
        _A.BONUS: _IN,
        _A.POINTS: _IN,
        _A.TENDER: _OUT,
        _A.BONUS_COST: _OUT,
        _A.POINTS_COST: _OUT,
    },
    _O.SPEND: {
        _A.PRINCIPAL: _OUT,
        _A.BONUS: _OUT,
        _A.POINTS: _BOTH,
        _A.TENDER: _OUT,
        _A.POINTS_TENDER: _OUT,
        _A.DISCOUNTS: _OUT,
        _A.SALES: _IN,
        _A.POINTS_COST: _OUT,
        _A.REWARDS: _IN,
        _A.SETTLEMENT: _BOTH,
    },
    _O.REDEEM: {_A.POINTS: _OUT, _A.REWARDS: _IN},
    _O.EARN: {_A.POINTS: _IN, _A.POINTS_COST: _OUT},
    _O.REFUND: {
        _A.PRINCIPAL: _IN,
        _A.BONUS: _IN,
        _A.SERVICES: _IN,
        _A.POINTS: _BOTH,
        _A.TENDER: _IN,
        _A.POINTS_TENDER: _IN,
        _A.DISCOUNTS: _IN,
        _A.SALES: _OUT,
        _A.POINTS_COST: _IN,
        _A.REWARDS: _OUT,
        _A.DEFERRED: _IN,
        _A.SERVICES_SERVED: _OUT,
        _A.SETTLEMENT: _BOTH,
    },
    _O.SELL_SERVICES: {
        _A.SERVICES: _IN,
        _A.SERVICES_SOLD: _OUT,
        _A.TENDER: _OUT,
        _A.DEFERRED: _IN,
    },
    _O.SERVE: {
        _A.SERVICES: _OUT,
        _A.SERVICES_SERVED: _IN,
        _A.DEFERRED: _OUT,
        _A.SALES: _IN,
        _A.SETTLEMENT: _BOTH,
    },
    _O.MOVE_OUT: {
        _A.PRINCIPAL: _OUT,
        _A.BONUS: _OUT,
        _A.TRANSIT: _IN,
        _A.SERVICES: _OUT,
        _A.SERVICES_TRANSIT: _IN,
        _A.POINTS: _OUT,
        _A.POINTS_TRANSIT: _IN,
    },
    _O.MOVE_IN: {
        _A.PRINCIPAL: _IN,
        _A.BONUS: _IN,
        _A.TRANSIT: _OUT,
        _A.SERVICES: _IN,
        _A.SERVICES_TRANSIT: _OUT,
        _A.POINTS: _IN,
        _A.POINTS_TRANSIT: _OUT,
    },
    _O.ADJUST: {_A.BONUS: _BOTH, _A.BONUS_COST: _BOTH, _A.POINTS: _BOTH, _A.POINTS_COST: _BOTH},
    _O.OPENING: {
        _A.PRINCIPAL: _IN,
        _A.BONUS: _IN,
        _A.SERVICES: _IN,
        _A.POINTS: _IN,
        _A.OPENING: _OUT,
        _A.SERVICES_SOLD: _OUT,
        _A.DEFERRED: _IN,
        _A.POINTS_COST: _OUT,
    },
    _O.EXPIRE: {
        _A.PRINCIPAL: _OUT,
        _A.BONUS: _OUT,
        _A.SERVICES: _OUT,
        _A.POINTS: _OUT,
        _A.DEFERRED: _OUT,
        _A.BREAKAGE: _IN,
        _A.POINTS_BREAKAGE: _IN,
        _A.SERVICES_BREAKAGE: _IN,
    },
}
# Value taken back unused: money to the tender it came from, the bonus back to its cost, never to money.
_POSTINGS[_O.REFUND_RECHARGE] = _POSTINGS[_O.CLOSE] = {
    _A.PRINCIPAL: _OUT,
    _A.BONUS: _OUT,
    _A.SERVICES: _OUT,
    _A.POINTS: _OUT,
    _A.TENDER: _IN,
    _A.BONUS_COST: _IN,
    _A.DEFERRED: _OUT,
    _A.SERVICES_SOLD: _IN,
    _A.POINTS_COST: _IN,
    _A.KEPT: _IN,
    _A.SETTLEMENT: _BOTH,
}
POSTING_MATRIX = tuple(
    (operation, account, sign)
    for operation, accounts in _POSTINGS.items()
    for account, signs in accounts.items()
    for sign in signs
)
