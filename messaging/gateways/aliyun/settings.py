"""One Aliyun account as data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AliyunSettings:
    """`batch_max` above 1 lets texts of one template share a request (`SendBatchSms`): fewer requests, but a request
    without an answer then leaves that many in doubt.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    endpoint: str = "https://dysmsapi.aliyuncs.com"
    batch_max: int = 1
