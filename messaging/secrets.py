"""Passwords of gateways, encrypted with a key outside the database.

The key is derived from SECRET_KEY (HKDF, SHA-256), so a copy of the database alone opens nothing. Whoever
changes SECRET_KEY types the gateway passwords again.
"""

import base64
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


@lru_cache(maxsize=4)
def _fernet(secret_key: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
