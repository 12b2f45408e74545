"""The words of messaging. The class of a message decides its rules (docs/message-classes.md)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class MessageClass(models.TextChoices):
    VERIFICATION = "verification", _("Verification")
    NOTIFICATION = "notification", _("Notification")
    TRIGGER = "trigger", _("Trigger")
    MARKETING = "marketing", _("Marketing")


# Lower goes first. A code never waits behind a campaign.
PRIORITY = {
    MessageClass.VERIFICATION: 0,
    MessageClass.TRIGGER: 1,
    MessageClass.NOTIFICATION: 2,
    MessageClass.MARKETING: 9,
}
# How long after it was queued a text may still leave (seconds): a code is worthless after five minutes.
LIFETIME_SECONDS = {
    MessageClass.VERIFICATION: 300,
    MessageClass.TRIGGER: 24 * 3600,
    MessageClass.NOTIFICATION: 48 * 3600,
    MessageClass.MARKETING: 48 * 3600,
}


class Cause(models.TextChoices):
    """What a message answers to. One message per (cause, id, phone): the database keeps that."""

    RULE = "rule", _("Trigger rule")
    RUN = "run", _("Campaign run")
    CODE = "code", _("Verification code")
    REPLY = "reply", _("Answer to a text")
    API = "api", _("API")
    TEST = "test", _("Test text")


class VersionStatus(models.TextChoices):
    """A draft waits for a reviewer; one sent back keeps its reason and never goes out."""

    DRAFT = "draft", _("Draft")
    RETURNED = "returned", _("Sent back")
    APPROVED = "approved", _("Approved")
    RETIRED = "retired", _("Retired")


class SuppressionScope(models.TextChoices):
    MARKETING = "marketing", _("Marketing texts")
    ALL = "all", _("All texts")


class CodePurpose(models.TextChoices):
    """What a code proves a phone for. It is good for nothing else."""

    REGISTER = "register", _("Register")
    LOGIN = "login", _("Log in")
    PAY = "pay", _("Pay")
    PASS_ON = "pass_on", _("Pass value on")
    CHANGE_PHONE = "change_phone", _("Change the phone number")
    CHANGE_PASSWORD = "change_password", _("Change the password")
    REDEEM = "redeem", _("Redeem")
    IDENTITY = "identity", _("Prove who you are")


class LockKind(models.TextChoices):
    """What stops verification codes: a number or a span of numbers locked, a breaker of the whole house on."""

    NUMBER = "number", _("Number locked")
    SPAN = "span", _("Span of numbers locked")
    FAILURES = "failures", _("Too many wrong codes everywhere")
    CONVERSION = "conversion", _("Too few codes are used")


class ConversationStatus(models.TextChoices):
    OPEN = "open", pgettext_lazy("conversation", "Open")
    WAITING = "waiting", pgettext_lazy("conversation", "Waiting")
    DONE = "done", pgettext_lazy("conversation", "Done")


class Concern(models.TextChoices):
    """Why a person has to look at what a phone said."""

    QUESTION = "question", _("Question")
    DISPUTE = "dispute", _("“This was not me”")
    LOST = "lost", _("Card lost")
    SILENCE = "silence", _("Wants no more texts, in own words")
    INCOMPLETE = "incomplete", _("Parts of the text are missing")


URGENT = (Concern.LOST, Concern.DISPUTE)


class GatewayKind(models.TextChoices):
    SMPP = "smpp", "SMPP 3.4"
    CMPP = "cmpp", "CMPP"
    ALIYUN = "aliyun", _("Aliyun")
    TENCENT = "tencent", _("Tencent Cloud")
    TWILIO = "twilio", "Twilio"
    HTTP = "http", _("Signed HTTP")


# Kinds that send by the provider's own templates, not by our text.
TEMPLATE_KINDS = frozenset({GatewayKind.ALIYUN, GatewayKind.TENCENT})


class ReportStatus(models.TextChoices):
    """How far a report to a provider or carrier is."""

    NONE = "", _("Not reported")
    SUBMITTED = "submitted", _("Reported, waiting")
    APPROVED = "approved", _("Passed")
    REJECTED = "rejected", _("Turned down")
    STALE = "stale", _("Lapsed")


class BindState(models.TextChoices):
    OFF = "off", _("Off")
    CONNECTING = "connecting", _("Connecting")
    BOUND = "bound", _("Connected")
    WAITING = "waiting", _("Waiting to reconnect")
    REFUSED = "refused", _("Refused by the gateway")


class ContactKind(models.TextChoices):
    LINK = "link", _("Link")
    PHONE = "phone", _("Phone number")


class Carrier(models.TextChoices):
    MOBILE = "mobile", _("China Mobile")
    UNICOM = "unicom", _("China Unicom")
    TELECOM = "telecom", _("China Telecom")
    BROADNET = "broadnet", _("China Broadnet")
