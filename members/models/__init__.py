from members.models.card import Card, CardProduct, RechargePlan, Reward
from members.models.consent import ConsentEntry
from members.models.event import CustomEventType, MembershipEvent, MissedSignal
from members.models.hold import Hold, HoldUse
from members.models.ledger import Account, Entry, Lot, LotUse, Operation, PostingRule, Tender
from members.models.member import Member, MemberFacts
from members.models.purchase import Purchase
from members.models.staff import Staff, StaffRole
from members.models.store import Store

__all__ = [
    "Account",
    "Card",
    "CardProduct",
    "ConsentEntry",
    "CustomEventType",
    "Entry",
    "Hold",
    "HoldUse",
    "Lot",
    "LotUse",
    "Member",
    "MemberFacts",
    "MembershipEvent",
    "MissedSignal",
    "Operation",
    "PostingRule",
    "Purchase",
    "RechargePlan",
    "Reward",
    "Staff",
    "StaffRole",
    "Store",
    "Tender",
]
