"""What carriers and providers answer for a number that refuses texts from us, or from everybody."""

from __future__ import annotations

from collections.abc import Iterable

from messaging.gateways.base import ReceiptIn

# Huawei and Aliyun (MBBLACK), Tencent's own code, Twilio's 21610; the MK words are China Mobile's. Believed like a STOP.
REFUSED_BY_THE_NUMBER = frozenset(
    {
        "MBBLACK",
        "BLACK",
        "BLACKLIST",
        "BLACKLISTED",
        "MK:0008",
        "MK:0017",
        "MK:9415",
        "21610",
        "ISV.BLACK_KEY_CONTROL_LIMIT",
        "FAILEDOPERATION.PHONENUMBERINBLACKLIST",
    }
)


def refused_by_the_number(receipts: Iterable[ReceiptIn]) -> list[str]:
    """The provider's ids of the texts whose final receipt says that the number takes none of ours."""
    return [
        receipt.provider_id
        for receipt in receipts
        if receipt.provider_id and receipt.is_final and _is_refusal(receipt)
    ]


def _is_refusal(receipt: ReceiptIn) -> bool:
    return any(word.strip().upper() in REFUSED_BY_THE_NUMBER for word in (receipt.stat, receipt.err))
