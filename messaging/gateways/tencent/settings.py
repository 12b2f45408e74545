"""One Tencent Cloud SMS application as data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TencentSettings:
    """`batch_max`: numbers that get the same template with the same values share a request; each has its own code."""

    secret_id: str
    secret_key: str = field(repr=False)
    sdk_app_id: str = ""
    region: str = "ap-guangzhou"
    endpoint: str = "https://sms.tencentcloudapi.com"
    batch_max: int = 50
