"""Passwords of gateways, encrypted with a key outside the database.

The key is derived from SECRET_KEY (HKDF, SHA-256), so a copy of the database alone opens nothing. Whoever
changes SECRET_KEY types the gateway passwords again.
"""

import base64
import json
from collections.abc import Mapping
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"regulars gateway password"


class SecretUnreadable(ValueError):
    """Encrypted with another SECRET_KEY, or not by us."""


def encrypt_secret(plain: str) -> str:
    """What is kept in `Gateway.secret`; the empty password stays empty."""
    return _fernet(settings.SECRET_KEY).encrypt(plain.encode()).decode() if plain else ""


def decrypt_secret(token: str) -> str:
    """The password to log in with. Raises SecretUnreadable."""
    if not token:
        return ""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(token.encode()).decode()
    except InvalidToken as problem:
        raise SecretUnreadable("the password was encrypted with another key") from problem


def encrypt_secrets(plain: Mapping[str, str]) -> str:
    """`encrypt_secret` for a kind of gateway with several, by name; empty ones are left out."""
    return encrypt_secret(json.dumps({name: word for name, word in plain.items() if word}))


def decrypt_secrets(token: str) -> dict[str, str]:
    """The secrets by name. Raises SecretUnreadable, also for a single password."""
    if not token:
        return {}
    try:
        plain = json.loads(decrypt_secret(token))
    except ValueError as problem:
        raise SecretUnreadable("the secrets were typed for another kind of gateway") from problem
    if not isinstance(plain, dict):
        raise SecretUnreadable("the secrets were typed for another kind of gateway")
    return {str(name): str(word) for name, word in plain.items()}


@lru_cache(maxsize=4)
def _fernet(secret_key: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
