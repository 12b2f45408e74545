"""Tencent Cloud's words: what a code asks of us. Literal tables, no state.

A code may stand for one number (in SendStatusSet) or for the whole request (in Error); both come with HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from messaging.gateways.base import OutboundSms, Outcome
from messaging.gateways.web import Ruling, Verdict, WebAnswer, json_object, plain_ruling
from messaging.states import Reason

_BAD_CONTENT = Ruling("permanent", Reason.CONTENT_REFUSED)
_BAD_SENDER = Ruling("permanent", Reason.SENDER_REFUSED)
_BAD_TEMPLATE = Ruling("permanent", Reason.NO_TEMPLATE)
_BAD_NUMBER = Ruling("permanent", Reason.BAD_NUMBER)
_LIMIT = Ruling("permanent", Reason.PROVIDER_LIMIT)
_LATER = Ruling("retry", Reason.GATEWAY_REFUSED)
_DOUBT = Ruling("uncertain")
_STOPPED = Ruling("stop_bind", Reason.ACCOUNT_STOPPED)
_WRONG_KEY = Ruling("stop_bind")

# errorcodes.py of tencentcloud-sdk-python-sms 3.1.153. What is not named is a definite, lasting no.
RULINGS: dict[str, Ruling] = {
    "Ok": Ruling("accepted"),
    "FailedOperation.ContainSensitiveWord": _BAD_CONTENT,
    "FailedOperation.InsufficientBalanceInSmsPackage": _STOPPED,
    "FailedOperation.MarketingSendTimeConstraint": Ruling("retry", Reason.QUIET_HOURS),
    "FailedOperation.PhoneNumberInBlacklist": Ruling("permanent", Reason.OPTED_OUT),
    "FailedOperation.PhoneNumberParseFail": _BAD_NUMBER,
    "FailedOperation.SignatureIncorrectOrUnapproved": _BAD_SENDER,
    "FailedOperation.MissingSignature": _BAD_SENDER,
    "FailedOperation.TemplateIncorrectOrUnapproved": _BAD_TEMPLATE,
    "FailedOperation.TemplateUnapprovedOrNotExist": _BAD_TEMPLATE,
    "FailedOperation.TemplateIdNotExist": _BAD_TEMPLATE,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": _BAD_TEMPLATE,
    "InternalError.Timeout": _DOUBT,
    "InternalError.SendAndRecvFail": _DOUBT,
    "InternalError.ParseBackendResponseFail": _DOUBT,
    "InternalError.OtherError": _DOUBT,
    "InternalError.UnknownError": _DOUBT,
    "InternalError.JsonParseFail": Ruling("permanent", Reason.UNSENDABLE),
    "InternalError.RequestTimeException": _WRONG_KEY,
    "InternalError.SigVerificationFail": _WRONG_KEY,
    "InternalError.SigFieldMissing": _WRONG_KEY,
    "InternalError.RestApiInterfaceNotExist": _WRONG_KEY,
    "InvalidParameter.DirtyWordFound": _BAD_CONTENT,
    "InvalidParameter.AppidAndBizId": _STOPPED,
    "InvalidParameterValue.ContentLengthLimit": _BAD_CONTENT,
    "InvalidParameterValue.IncorrectPhoneNumber": _BAD_NUMBER,
    "InvalidParameterValue.MarketingTemplateWithoutUnsubscribe": _BAD_TEMPLATE,
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": _BAD_CONTENT,
    "InvalidParameterValue.SdkAppIdNotExist": _STOPPED,
    "InvalidParameterValue.TemplateParameterFormatError": _BAD_CONTENT,
    "InvalidParameterValue.TemplateParameterLengthLimit": _BAD_CONTENT,
    "InvalidParameterValue.TemplateWithDirtyWords": _BAD_CONTENT,
    "InvalidParameterValue.UnsupportedTemplateVariable": _BAD_TEMPLATE,
    "LimitExceeded.AppDailyLimit": _STOPPED,
    "LimitExceeded.AppMainlandChinaDailyLimit": _STOPPED,
    "LimitExceeded.AppGlobalDailyLimit": _STOPPED,
    "LimitExceeded.DailyLimit": _STOPPED,
    "LimitExceeded.AppCountryOrRegionDailyLimit": _LIMIT,
    "LimitExceeded.AppCountryOrRegionInBlacklist": _LIMIT,
    "LimitExceeded.DeliveryFrequencyLimit": _LIMIT,
    "LimitExceeded.PhoneNumberDailyLimit": _LIMIT,
    "LimitExceeded.PhoneNumberOneHourLimit": _LIMIT,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": _LIMIT,
    "LimitExceeded.PhoneNumberThirtySecondLimit": Ruling("retry", Reason.PROVIDER_LIMIT),
    "LimitExceeded.GlobalSmsSendingRateLimit": Ruling("throttle", Reason.THROTTLED),
    "LimitExceeded": Ruling("throttle", Reason.THROTTLED),
    "RequestLimitExceeded": Ruling("throttle", Reason.THROTTLED),
    "InternalError": _DOUBT,
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": _STOPPED,
    "UnauthorizedOperation.RequestIpNotInWhitelist": _STOPPED,
    "UnauthorizedOperation.RequestPermissionDeny": _STOPPED,
    "UnauthorizedOperation.SdkAppIdIsDisabled": _STOPPED,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": _STOPPED,
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": _STOPPED,
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": _BAD_TEMPLATE,
    "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone": _BAD_TEMPLATE,
    "UnsupportedOperation.UnsupportedRegion": _BAD_NUMBER,
    "ServiceUnavailable": _LATER,
}
# Families of codes, by how they begin.
FAMILIES: tuple[tuple[str, Ruling], ...] = (
    ("AuthFailure", _WRONG_KEY),
    ("RequestLimitExceeded.", Ruling("throttle", Reason.THROTTLED)),
    ("InternalError.", _DOUBT),
    ("ResourceInsufficient", _LATER),
    ("ResourceUnavailable", _LATER),
)


def ruling(code: str) -> Ruling:
    """What a Code asks for."""
    known = RULINGS.get(code)
    if known is not None:
        return known
    family = next((ruled for start, ruled in FAMILIES if code.startswith(start)), None)
    return family or Ruling("permanent", Reason.GATEWAY_REFUSED)


def submit_action(code: str) -> Outcome:
    """`ruling` without the reason."""
    return ruling(code).outcome


def read_answer(batch: Sequence[OutboundSms], answer: WebAnswer) -> list[Verdict]:
    """Each number by its own status; a number the answer leaves out is in doubt."""
    response = response_of(answer.body)
    code = error_code(response)
    if code:
        return [Verdict(ruling(code), code)] * len(batch)
    statuses = response.get("SendStatusSet")
    if not isinstance(statuses, list) or answer.status != 200:
        return [Verdict(plain_ruling(answer.status), f"HTTP {answer.status}")] * len(batch)
    by_phone = {str(status.get("PhoneNumber")): status for status in statuses if isinstance(status, dict)}
    if len(batch) == len(statuses) == 1:  # whichever way the number is written
        by_phone = {batch[0].phone: statuses[0]} if isinstance(statuses[0], dict) else {}
    return [_one(by_phone.get(message.phone)) for message in batch]


def response_of(body: bytes) -> Mapping[str, Any]:
    """The Response object of a body; an empty one for anything else."""
    response = json_object(body).get("Response")
    return response if isinstance(response, dict) else {}


def error_code(response: Mapping[str, Any]) -> str:
    """The Code of an Error about the whole request; empty when there is none."""
    error = response.get("Error")
    return str(error.get("Code") or "") if isinstance(error, dict) else ""


def _one(status: Mapping[str, Any] | None) -> Verdict:
    code = str((status or {}).get("Code") or "")
    if status is None or not code:
        return Verdict(_DOUBT, "not in the answer")
    ruled = ruling(code)
    serial = str(status.get("SerialNo") or "")[:80]
    return Verdict(ruled, code, serial or None if ruled.outcome == "accepted" else None)
