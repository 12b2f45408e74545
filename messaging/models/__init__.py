from messaging.models.conversation import Conversation, StaffReply
from messaging.models.gateway import Gateway
from messaging.models.message import Attempt, InboundPart, InboundText, Message, Receipt, SubmittedPart
from messaging.models.provider import InboundKey, ProviderTemplate
from messaging.models.route import Route
from messaging.models.suppression import Suppression
from messaging.models.template import Template, TemplateVersion
from messaging.models.verification import FailedCheck, SpentProof, VerificationCode, VerificationLock

__all__ = [
    "Attempt",
    "Conversation",
    "FailedCheck",
    "Gateway",
    "InboundKey",
    "InboundPart",
    "InboundText",
    "Message",
    "ProviderTemplate",
    "Receipt",
    "Route",
    "SpentProof",
    "StaffReply",
    "SubmittedPart",
    "Suppression",
    "Template",
    "TemplateVersion",
    "VerificationCode",
    "VerificationLock",
]
