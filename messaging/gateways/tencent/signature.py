"""TC3-HMAC-SHA256, Tencent Cloud's signature version 3, as pure functions of a request's parts.

Checked against the vector of Tencent's own page and against its SDK. The day in the scope is the timestamp's in UTC.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"
SIGNED = ("content-type", "host")


def sign(
    *,
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    timestamp: int,
    service: str = "sms",
    method: str = "POST",
    path: str = "/",
    query: str = "",
    signed_headers: Iterable[str] = SIGNED,
) -> str:
    """The signature in hexadecimal. `query` is as it stands in the address; header values are lower-cased."""
    values = {name.lower(): value.strip().lower() for name, value in headers.items()}
    names = sorted(name.lower() for name in signed_headers)
    canonical = "\n".join(
        (
            method,
            path,
            query,
            "".join(f"{name}:{values.get(name, '')}\n" for name in names),
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )
    day = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{timestamp}\n{day}/{service}/tc3_request\n{hashed}"
    key = f"TC3{secret}".encode()
    for step in (day, service, "tc3_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def authorization(
    *,
    secret_id: str,
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    timestamp: int,
    service: str = "sms",
) -> str:
    """The Authorization header over content type and host."""
    day = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    signature = sign(secret=secret, headers=headers, body=body, timestamp=timestamp, service=service)
    return (
        f"{ALGORITHM} Credential={secret_id}/{day}/{service}/tc3_request, "
        f"SignedHeaders={';'.join(SIGNED)}, Signature={signature}"
    )


def verify(
    *,
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    service: str = "sms",
    method: str = "POST",
    path: str = "/",
    query: str = "",
) -> bool:
    """Whether the Authorization header among `headers` signs this request at its X-TC-Timestamp."""
    values = {name.lower(): value for name, value in headers.items()}
    algorithm, _, rest = values.get("authorization", "").partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    names = fields.get("SignedHeaders", "").split(";")
    stated = values.get("x-tc-timestamp", "")
    if algorithm != ALGORITHM or not set(SIGNED) <= set(names) or not (stated.isascii() and stated.isdigit()):
        return False
    expected = sign(
        secret=secret,
        headers=values,
        body=body,
        timestamp=int(stated[:12]),
        service=service,
        method=method,
        path=path,
        query=query,
        signed_headers=names,
    )
    return hmac.compare_digest(expected, fields.get("Signature", ""))
