from messaging.models.alert import Alert, AlertKind, Heartbeat, Pause, PauseReason, Tally
from messaging.models.budget import (
    Budget,
    BudgetPeriod,
    BudgetScope,
    BudgetUse,
    GatewayPrice,
    Purse,
    Settling,
)
from messaging.models.conversation import Conversation, StaffReply
from messaging.models.gateway import Gateway
from messaging.models.message import Attempt, InboundPart, InboundText, Message, Receipt, SubmittedPart
from messaging.models.provider import InboundKey, ProviderTemplate
from messaging.models.region import Region
from messaging.models.registration import Contact, Qualification, Registration, Signature
from messaging.models.route import Route
from messaging.models.suppression import Suppression
from messaging.models.template import Template, TemplateVersion
from messaging.models.verification import FailedCheck, SpentProof, VerificationCode, VerificationLock
from messaging.models.waiting import Handover, Waiting
from messaging.models.window import ClosedDay, SendingWindow

__all__ = [
    "Alert",
    "AlertKind",
    "Attempt",
    "ClosedDay",
    "Contact",
    "Conversation",
    "FailedCheck",
    "Gateway",
    "InboundKey",
    "Handover",
    "InboundPart",
    "InboundText",
    "Message",
    "ProviderTemplate",
    "Receipt",
    "Region",
    "Route",
    "Qualification",
    "Registration",
    "SendingWindow",
    "Signature",
    "Budget",
    "BudgetPeriod",
    "BudgetScope",
    "BudgetUse",
    "GatewayPrice",
    "Heartbeat",
    "Pause",
    "PauseReason",
    "Purse",
    "Settling",
    "SpentProof",
    "StaffReply",
    "SubmittedPart",
    "Suppression",
    "Tally",
    "Template",
    "TemplateVersion",
    "VerificationCode",
    "VerificationLock",
    "Waiting",
]
