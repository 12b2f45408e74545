from messaging.models.gateway import Gateway
from messaging.models.message import Attempt, InboundPart, InboundText, Message, Receipt, SubmittedPart
from messaging.models.suppression import FailedCheck, Suppression, VerificationCode
from messaging.models.template import Template, TemplateVersion

__all__ = [
    "Attempt",
    "FailedCheck",
    "Gateway",
    "InboundPart",
    "InboundText",
    "Message",
    "Receipt",
    "SubmittedPart",
    "Suppression",
    "Template",
    "TemplateVersion",
    "VerificationCode",
]
