"""Where a request comes from: for limits, lock-outs, the audit and whoever may read the metrics."""

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The caller's address: behind a proxy of ours the last one it wrote; of who came past it, their own."""
    own = str(request.META.get("REMOTE_ADDR", ""))
    if not getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        return own
    said: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return said.rsplit(",", 1)[-1].strip() or own
