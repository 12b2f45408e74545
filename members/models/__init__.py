from members.models.acceptance import StoreAcceptance
from members.models.audit import AuditEntry, AuditVerb
from members.models.bill import BillLine, BillLineKind, GoodsCategory
from members.models.card import Card, CardKind, CardProduct, CloseMethod, RechargePlan
from members.models.consent import ConsentEntry
from members.models.control import (
    Approval,
    ApprovalStatus,
    LimitedDeed,
    OpeningBatch,
    StaffLimit,
    VerifyState,
    Window,
)
from members.models.coupon import (
    Coupon,
    CouponDefinition,
    CouponHandout,
    CouponKind,
    CouponMiss,
    CouponRefundPolicy,
    CouponState,
    CouponUse,
    CouponUseKind,
    HandoutState,
)
from members.models.day import DayClose, DrawerMove, Shift
from members.models.erasure import Erasure, ErasureStatus
from members.models.event import CustomEventType, MembershipEvent, MissedSignal
from members.models.fraud import FraudCase, FraudPattern, FraudRule, FraudState
from members.models.hold import Hold, HoldUse
from members.models.ledger import Account, Entry, Lot, LotUse, Operation, PostingRule, RestoredLot, Tender
from members.models.member import Member, MemberFacts, MemberStatus
from members.models.merge import Merge, MergeMove
from members.models.phone_change import PhoneChange, PhoneChangeStatus
from members.models.points import Earning, EarningRule, ExpiryWarning, Reward, RewardTaking
from members.models.purchase import Purchase
from members.models.service import CardPause, ServiceGroup, Sharer
from members.models.staff import Staff, StaffRole
from members.models.store import Store
from members.models.tier import Tier, TierEntry, TierOverride, TierScheme, TierStanding
from members.models.transfer import Transfer, TransferStatus

__all__ = [
    "Account",
    "Approval",
    "ApprovalStatus",
    "AuditEntry",
    "AuditVerb",
    "BillLine",
    "BillLineKind",
    "Card",
    "CardKind",
    "CardPause",
    "CardProduct",
    "CloseMethod",
    "ConsentEntry",
    "Coupon",
    "CouponDefinition",
    "CouponHandout",
    "CouponKind",
    "CouponMiss",
    "CouponRefundPolicy",
    "CouponState",
    "CouponUse",
    "CouponUseKind",
    "CustomEventType",
    "DayClose",
    "DrawerMove",
    "Earning",
    "EarningRule",
    "Entry",
    "Erasure",
    "ErasureStatus",
    "ExpiryWarning",
    "FraudCase",
    "FraudPattern",
    "FraudRule",
    "FraudState",
    "GoodsCategory",
    "HandoutState",
    "Hold",
    "HoldUse",
    "LimitedDeed",
    "Lot",
    "LotUse",
    "Member",
    "MemberFacts",
    "MemberStatus",
    "MembershipEvent",
    "Merge",
    "MergeMove",
    "MissedSignal",
    "OpeningBatch",
    "Operation",
    "PhoneChange",
    "PhoneChangeStatus",
    "PostingRule",
    "Purchase",
    "RechargePlan",
    "RestoredLot",
    "Reward",
    "RewardTaking",
    "ServiceGroup",
    "Sharer",
    "Shift",
    "Staff",
    "StaffLimit",
    "StaffRole",
    "Store",
    "StoreAcceptance",
    "Tender",
    "Tier",
    "TierEntry",
    "TierOverride",
    "TierScheme",
    "TierStanding",
    "Transfer",
    "TransferStatus",
    "VerifyState",
    "Window",
]
