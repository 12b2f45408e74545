"""Twilio's signature on what it sends us, in both forms, as pure functions of a request's parts.

Twilio's own RequestValidator judges them in the tests. The key decides which form is asked for, never the request:
whoever has set a shared key is signed for with HMAC-SHA256 or refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlsplit, urlunsplit

HMAC_SHA1, HMAC_SHA256 = "HMAC_SHA1", "HMAC_SHA256"
_HASHES = {HMAC_SHA1: hashlib.sha1, HMAC_SHA256: hashlib.sha256}
_DEFAULT_PORTS = {"https": 443, "http": 80}
Params = Mapping[str, str | Sequence[str]]


def sign(*, url: str, params: Params, secret: str, algorithm: str = HMAC_SHA1) -> str:
    """The signature in base64: of the address, then of each field's name and distinct values in order."""
    signed = url + "".join(
        name + value for name in sorted(params) for value in sorted(set(_values(params[name])))
    )
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(), _HASHES[algorithm]).digest()).decode()


def verify(
    *,
    url: str,
    params: Params,
    signature: str,
    secret: str,
    algorithm: str = HMAC_SHA1,
    body: bytes | None = None,
) -> bool:
    """Whether the signature is right for the address with or without its default port.

    `params` are the decoded fields of a form. Of a JSON `body` the address states the hash (bodySHA256), and no field
    is signed. An unknown algorithm or an empty secret is never right.
    """
    if algorithm not in _HASHES or not secret:
        return False
    if body is not None:
        stated = parse_qs(url.partition("?")[2]).get("bodySHA256", [""])[0]
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), stated):
            return False
        params = {}
    given = signature.encode()
    expected = [sign(url=each, params=params, secret=secret, algorithm=algorithm) for each in _spellings(url)]
    return any(hmac.compare_digest(each.encode(), given) for each in expected)


def asked_for(settings_header: str) -> tuple[str, str]:
    """(key, algorithm) of an X-Twilio-Webhooks-Signature-Settings header; without one, no key and HMAC_SHA1."""
    fields = dict(part.strip().partition("=")[::2] for part in settings_header.split(","))
    return fields.get("key", "").strip(), fields.get("algorithm", "").strip() or HMAC_SHA1


def _values(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _spellings(url: str) -> list[str]:
    """The address as given, without a port, and with the scheme's."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return [url]
    bare = parts.netloc.rpartition("@")[2]
    bare = bare.rpartition(":")[0] if port else bare
    default = _DEFAULT_PORTS.get(parts.scheme)
    spelled = [url, urlunsplit(parts._replace(netloc=bare or host))]
    if not port and default:
        spelled.append(urlunsplit(parts._replace(netloc=f"{bare}:{default}")))
    return list(dict.fromkeys(spelled))
