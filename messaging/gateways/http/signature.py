"""The signature of our own contract, both ways: HMAC-SHA256 over `<timestamp>.<body>`, in hexadecimal.

`Regulars-Key` names the key, `Regulars-Timestamp` is the second of signing, `Regulars-Signature` is
`v1=<hexadecimal>`. A request signed more than five minutes ago, or ahead, is refused.
"""

from __future__ import annotations

import hashlib
import hmac

KEY_HEADER = "Regulars-Key"
TIMESTAMP_HEADER = "Regulars-Timestamp"
SIGNATURE_HEADER = "Regulars-Signature"
VERSION = "v1"
SKEW_SECONDS_MAX = 300


def sign(*, secret: str, timestamp: int | str, body: bytes) -> str:
    """The value of Regulars-Signature."""
    signed = str(timestamp).encode() + b"." + body
    return f"{VERSION}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def verify(*, secret: str, timestamp: int | str, body: bytes, signature: str, now: float) -> bool:
    """Whether the signature is right and not older or newer than the window. An empty secret never is."""
    stated = str(timestamp)
    if not secret or not (stated.isascii() and stated.isdigit()) or len(stated) > 12:
        return False
    if abs(now - int(stated)) > SKEW_SECONDS_MAX:
        return False
    expected = sign(secret=secret, timestamp=stated, body=body)
    return hmac.compare_digest(expected.encode(), signature.encode())
