"""Aliyun's words: what a code asks of us, what a report and a reply say. Literal tables, no state."""

from __future__ import annotations

from collections.abc import Sequence

from messaging.gateways.base import OutboundSms, Outcome
from messaging.gateways.web import Ruling, Verdict, WebAnswer, json_object, plain_ruling
from messaging.states import Reason

_BAD_CONTENT = Ruling("permanent", Reason.CONTENT_REFUSED)
_BAD_SENDER = Ruling("permanent", Reason.SENDER_REFUSED)
_BAD_TEMPLATE = Ruling("permanent", Reason.NO_TEMPLATE)
_BAD_NUMBER = Ruling("permanent", Reason.BAD_NUMBER)
_STOPPED = Ruling("stop_bind", Reason.ACCOUNT_STOPPED)
_WRONG_KEY = Ruling("stop_bind")

# help.aliyun.com, SendSms and API error codes, read 2026-11-22. What is not named is a definite, lasting no.
RULINGS: dict[str, Ruling] = {
    "OK": Ruling("accepted"),
    "isp.SYSTEM_ERROR": Ruling("retry", Reason.GATEWAY_REFUSED),
    "isp.GATEWAY_ERROR": Ruling("retry", Reason.GATEWAY_REFUSED),
    "ServiceUnavailable": Ruling("retry", Reason.GATEWAY_REFUSED),
    "isv.MONTH_LIMIT_CONTROL": _STOPPED,
    "isv.DAY_LIMIT_CONTROL": _STOPPED,
    "isv.BUSINESS_LIMIT_CONTROL": Ruling("permanent", Reason.PROVIDER_LIMIT),
    "isv.MOBILE_NUMBER_ILLEGAL": _BAD_NUMBER,
    "isv.BLACK_KEY_CONTROL_LIMIT": Ruling("permanent", Reason.OPTED_OUT),
    "isv.MOBILE_COUNT_OVER_LIMIT": Ruling("permanent", Reason.UNSENDABLE),
    "isv.SMS_TEMPLATE_ILLEGAL": _BAD_TEMPLATE,
    "isv.TEMPLATE_MISSING_PARAMETERS": _BAD_TEMPLATE,
    "isv.TEMPLATE_PARAMS_ILLEGAL": _BAD_CONTENT,
    "isv.SMS_SIGNATURE_ILLEGAL": _BAD_SENDER,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": _BAD_SENDER,
    "isv.SMS_SIGN_ILLEGAL": _BAD_SENDER,
    "isv.EXTEND_CODE_ERROR": _BAD_SENDER,
    "isv.SMS_CONTENT_ILLEGAL": _BAD_CONTENT,
    "isv.INVALID_JSON_PARAM": _BAD_CONTENT,
    "isv.INVALID_PARAMETERS": _BAD_CONTENT,
    "isv.PARAM_LENGTH_LIMIT": _BAD_CONTENT,
    "isv.PARAM_NOT_SUPPORT_URL": _BAD_CONTENT,
    "isv.AMOUNT_NOT_ENOUGH": _STOPPED,
    "isv.OUT_OF_SERVICE": _STOPPED,
    "isv.ACCOUNT_NOT_EXISTS": _STOPPED,
    "isv.ACCOUNT_ABNORMAL": _STOPPED,
    "isv.PRODUCT_UN_SUBSCRIPT": _STOPPED,
    "isv.PRODUCT_UNSUBSCRIBE": _STOPPED,
    "isp.RAM_PERMISSION_DENY": _STOPPED,
    "isv.DENY_IP_RANGE": _STOPPED,
    "Forbidden.RAM": _STOPPED,
    "SignatureDoesNotMatch": _WRONG_KEY,
    "IncompleteSignature": _WRONG_KEY,
    "InvalidTimeStamp.Expired": _WRONG_KEY,
    "SignatureNonceUsed": Ruling("retry", Reason.GATEWAY_REFUSED),
}
# Families of codes, by how they begin.
FAMILIES: tuple[tuple[str, Ruling], ...] = (
    ("Throttling", Ruling("throttle", Reason.THROTTLED)),
    ("isv.ACCOUNT_", _STOPPED),
    ("InvalidAccessKeyId", _WRONG_KEY),
    ("ServiceUnavailable", Ruling("retry", Reason.GATEWAY_REFUSED)),
    ("InternalError", Ruling("uncertain")),
)
WRONG_KEY = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidTimeStamp")
# The one limit that is over before a text is too old. The message says "触发分钟级流控Permits:1".
_MINUTE = "分钟级"
# A batch answers with one code: these are about one of its numbers or its values, so each is asked for singly.
_OF_ONE = frozenset({Reason.BAD_NUMBER, Reason.OPTED_OUT, Reason.PROVIDER_LIMIT, Reason.CONTENT_REFUSED})


def ruling(code: str, message: str = "") -> Ruling:
    """What a Code (with its Message) asks for."""
    if code == "isv.BUSINESS_LIMIT_CONTROL" and _MINUTE in message:
        return Ruling("retry", Reason.PROVIDER_LIMIT)
    known = RULINGS.get(code)
    if known is not None:
        return known
    family = next((ruled for start, ruled in FAMILIES if code.startswith(start)), None)
    return family or Ruling("permanent", Reason.GATEWAY_REFUSED)


def submit_action(code: str, message: str = "") -> Outcome:
    """`ruling` without the reason."""
    return ruling(code, message).outcome


def read_answer(batch: Sequence[OutboundSms], answer: WebAnswer) -> list[Verdict] | None:
    """SendSms and SendBatchSms answer alike: one Code, one BizId for all numbers."""
    said = json_object(answer.body)
    code = said.get("Code")
    if not isinstance(code, str) or not code:
        return [Verdict(plain_ruling(answer.status), f"HTTP {answer.status}")] * len(batch)
    ruled = ruling(code, str(said.get("Message", "")))
    if ruled.reason in _OF_ONE and len(batch) > 1:
        return None
    biz_id = str(said.get("BizId") or "")
    return [
        Verdict(ruled, code, receipt_id(biz_id, message.phone) if ruled.outcome == "accepted" else None)
        for message in batch
    ]


def receipt_id(biz_id: str, phone: str) -> str:
    """One BizId stands for a whole request: with the number's last eleven digits it names one text."""
    digits = "".join(char for char in phone if char.isdigit())
    return f"{biz_id}/{digits[-11:]}"[:80]
