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
from messaging.models.gateway import Gateway
from messaging.models.message import Attempt, InboundPart, InboundText, Message, Receipt, SubmittedPart
from messaging.models.suppression import FailedCheck, Suppression, VerificationCode
from messaging.models.template import Template, TemplateVersion

__all__ = [
    "Alert",
    "AlertKind",
    "Attempt",
    "Budget",
    "BudgetPeriod",
    "BudgetScope",
    "BudgetUse",
    "FailedCheck",
    "Gateway",
    "GatewayPrice",
    "Heartbeat",
    "InboundPart",
    "InboundText",
    "Message",
    "Pause",
    "PauseReason",
    "Purse",
    "Receipt",
    "Settling",
    "SubmittedPart",
    "Suppression",
    "Tally",
    "Template",
    "TemplateVersion",
    "VerificationCode",
]
