from messaging.models.gateway import Gateway
from messaging.models.message import Attempt, InboundPart, InboundText, Message, Receipt, SubmittedPart
from messaging.models.provider import InboundKey, ProviderTemplate
from messaging.models.registration import Contact, Qualification, Registration, Signature
from messaging.models.route import Route
from messaging.models.suppression import FailedCheck, Suppression, VerificationCode
from messaging.models.template import Template, TemplateVersion
from messaging.models.window import ClosedDay, SendingWindow

__all__ = [
    "Attempt",
    "ClosedDay",
    "Contact",
    "FailedCheck",
    "Gateway",
    "InboundKey",
    "InboundPart",
    "InboundText",
    "Message",
    "ProviderTemplate",
    "Receipt",
    "Route",
    "Qualification",
    "Registration",
    "SendingWindow",
    "Signature",
    "SubmittedPart",
    "Suppression",
    "Template",
    "TemplateVersion",
    "VerificationCode",
]
