"""Where a request comes from."""

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The caller's address: the last one our own proxy wrote, when there is a proxy."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        said: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
        return said.rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
