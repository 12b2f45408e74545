from messaging.models.gateway import Gateway
from messaging.models.message import Attempt, InboundPart, InboundText, Message, Receipt, SubmittedPart
from messaging.models.provider import InboundKey, ProviderTemplate
from messaging.models.route import Route
from messaging.models.suppression import FailedCheck, Suppression, VerificationCode
from messaging.models.template import Template, TemplateVersion

__all__ = [
    "Attempt",
    "FailedCheck",
    "Gateway",
    "InboundKey",
    "InboundPart",
    "InboundText",
    "Message",
    "ProviderTemplate",
    "Receipt",
    "Route",
    "SubmittedPart",
    "Suppression",
    "Template",
    "TemplateVersion",
    "VerificationCode",
]
